package io.hypercalld.api.resource;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.ApicIds;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.interrupt.LocalApic;
import io.hypercalld.iommu.reach.AimFormat;
import io.hypercalld.iommu.reach.BootReport;
import io.hypercalld.iommu.reach.GuestRules;
import io.hypercalld.iommu.reach.Reachability;
import io.hypercalld.iommu.reach.SourceKind;
import io.hypercalld.iommu.reach.Survey;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Which interrupt reaches which vCPU, and how far guests boot. Immutable.
 *
 * @param apicMode of the local APICs: all in x2APIC mode, or those in xAPIC mode whose ids fit it
 * @param unreachableVcpus that some kind of source cannot reach by any of its formats
 * @param reasons for each of these what stops each of the formats, by the number of the vCPU
 */
record ReachabilityView(
    int vcpus,
    ApicIds apicIds,
    LocalApic.Mode apicMode,
    List<Integer> unreachableVcpus,
    Map<String, List<String>> reasons,
    List<SourceView> sources,
    List<BootView> boot) {
  /**
   * A kind of source with one of its formats.
   *
   * @param available whether the domain has it; {@code why} not otherwise
   * @param reachable how many vCPUs it reaches
   */
  record SourceView(
      SourceKind source,
      AimFormat format,
      boolean available,
      Optional<String> why,
      int reachable,
      List<ObstacleView> unreachable) {}

  /** A vCPU that is not reached. */
  record ObstacleView(int vcpu, Word apicId, String why) {}

  /**
   * How far a guest boots, by declared rules.
   *
   * @param boots whether it comes up
   * @param online vCPUs that it runs on
   * @param stopsAt the first step that fails, and why
   */
  record BootView(
      GuestRules guest,
      boolean boots,
      LocalApic.Mode apicMode,
      int online,
      List<Integer> notStarted,
      Optional<String> stopsAt,
      List<StepView> steps) {
    static BootView of(BootReport report) {
      return new BootView(
          report.guest(),
          report.boots(),
          report.mode(),
          report.online(),
          report.notStarted(),
          report.stopsAt(),
          report.steps().stream()
              .map(step -> new StepView(step.name(), step.failure().isEmpty(), step.failure()))
              .toList());
    }
  }

  /** A step of a boot. */
  record StepView(String step, boolean succeeds, Optional<String> why) {}

  static ReachabilityView of(Domain domain, LocalApic.Mode mode) {
    Survey survey = new Survey(domain);
    Reachability reach = survey.map(mode);
    ApicIds ids = domain.settings().interrupts().apicIds();
    Map<String, List<String>> reasons = new LinkedHashMap<>();
    reach.unreachable().forEach((vcpu, why) -> reasons.put(vcpu.toString(), why));
    return new ReachabilityView(
        reach.vcpus(),
        ids,
        mode,
        reasons.keySet().stream().map(Integer::valueOf).toList(),
        reasons,
        reach.rows().stream().map(row -> source(row, reach.vcpus(), ids)).toList(),
        survey.boots().stream().map(BootView::of).toList());
  }

  private static SourceView source(Reachability.Row row, int vcpus, ApicIds ids) {
    boolean available = row.missing().isEmpty();
    return new SourceView(
        row.kind(),
        row.format(),
        available,
        row.missing(),
        available ? vcpus - row.unreachable().size() : 0,
        row.unreachable().entrySet().stream()
            .map(
                each ->
                    new ObstacleView(
                        each.getKey(), new Word(ids.of(each.getKey())), each.getValue()))
            .toList());
  }
}
