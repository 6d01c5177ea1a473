package io.hypercalld.iommu.reach;

import io.hypercalld.core.domain.ApicIds;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.interrupt.DomainInterrupts;
import io.hypercalld.core.interrupt.LocalApic.Mode;
import io.hypercalld.iommu.virtual.VirtualIommu;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;

/**
 * One boot of one guest: remapping, x2APIC, which processors are admitted, whether INIT reaches
 * each, and whether devices do. Confined to the machine thread.
 */
final class Boot {
  private final GuestRules rules;
  private final Survey survey;
  private final ApicIds ids;
  private final int vcpus;
  private final boolean remapping;
  private final boolean extended;
  private final List<BootReport.Step> steps = new ArrayList<>();

  Boot(GuestRules rules, Survey survey) {
    this.rules = rules;
    this.survey = survey;
    Domain domain = survey.domain();
    this.ids = domain.settings().interrupts().apicIds();
    DomainInterrupts interrupts = domain.facet(DomainInterrupts.class);
    this.vcpus = interrupts.apics().size();
    this.extended = interrupts.destinations().inForce();
    this.remapping =
        domain
            .findFacet(VirtualIommu.class)
            .filter(own -> own.unit().filter(unit -> unit.settings().intremap()).isPresent())
            .filter(own -> own.interrupts().isExtended())
            .isPresent();
  }

  BootReport run() {
    Mode mode = mode();
    Reachability reach = survey.map(mode);
    List<Integer> admitted =
        keep("enumerate", all(), vcpu -> isAdmitted(vcpu, mode), "the guest admits none beyond");
    IntPredicate heard = vcpu -> reach.reaches(SourceKind.IPI, vcpu);
    if (rules.isFatal()) {
      Optional<Integer> lost = admitted.stream().filter(vcpu -> !heard.test(vcpu)).findFirst();
      if (lost.isPresent()) {
        return crash(mode, reach, lost.get());
      }
    }
    List<Integer> started = keep("start-processors", admitted, heard, "INIT does not reach them");
    keep(
        "device-interrupts",
        started,
        vcpu -> hearsDevices(reach, vcpu),
        "devices do not reach them");
    Set<Integer> running = Set.copyOf(started);
    List<Integer> notStarted = all().stream().filter(vcpu -> !running.contains(vcpu)).toList();
    return new BootReport(rules, true, mode, started.size(), notStarted, steps);
  }

  private List<Integer> all() {
    return IntStream.range(0, vcpus).boxed().toList();
  }

  private BootReport crash(Mode mode, Reachability reach, int lost) {
    String obstacle = String.join("; ", reach.obstacles(SourceKind.IPI, lost));
    String why = "INIT does not reach %s (%s)".formatted(named(lost), obstacle);
    steps.add(new BootReport.Step("start-processors", Optional.of(why)));
    List<Integer> notStarted = IntStream.range(lost, vcpus).boxed().toList();
    return new BootReport(rules, false, mode, lost, notStarted, steps);
  }

  private Mode mode() {
    int largest = ids.of(vcpus - 1);
    boolean x2apic =
        switch (rules.withoutRemapping()) {
          case USES_XAPIC -> remapping;
          case LEAVES_X2APIC -> remapping || largest <= rules.largestPlain();
          case STAYS_IN_X2APIC -> true;
        };
    boolean given = x2apic || rules.withoutRemapping() == GuestRules.WithoutRemapping.USES_XAPIC;
    steps.add(
        new BootReport.Step(
            "x2apic",
            given
                ? Optional.empty()
                : Optional.of(
                    "switched off, as APIC ids go up to 0x%x and nothing remaps interrupts"
                        .formatted(largest))));
    return x2apic ? Mode.X2APIC : Mode.XAPIC;
  }

  /** Whether the guest's own rule lets a processor take part. */
  private boolean isAdmitted(int vcpu, Mode mode) {
    int id = ids.of(vcpu);
    return switch (rules.withoutRemapping()) {
      case USES_XAPIC -> true;
      case LEAVES_X2APIC -> mode == Mode.X2APIC || id < rules.largestPlain();
      case STAYS_IN_X2APIC ->
          remapping || id <= (extended ? GuestRules.LARGEST_EXTENDED : rules.largestPlain());
    };
  }

  private boolean hearsDevices(Reachability reach, int vcpu) {
    return reach.reaches(SourceKind.EMULATED_MSI, vcpu) && reach.reaches(SourceKind.IO_APIC, vcpu);
  }

  /** The vCPUs with which a step succeeds; it fails where there are others. */
  private List<Integer> keep(
      String step, List<Integer> candidates, IntPredicate succeeds, String otherwise) {
    List<Integer> kept = candidates.stream().filter(succeeds::test).toList();
    Optional<Integer> first = candidates.stream().filter(vcpu -> !succeeds.test(vcpu)).findFirst();
    steps.add(
        new BootReport.Step(
            step,
            first.map(
                vcpu ->
                    "%d vCPUs from %s on: %s"
                        .formatted(candidates.size() - kept.size(), named(vcpu), otherwise))));
    return kept;
  }

  private String named(int vcpu) {
    return "APIC id 0x%x of vCPU %d".formatted(ids.of(vcpu), vcpu);
  }
}
