package io.hypercalld.api.experiment;

import io.hypercalld.api.machine.Machine;
import io.hypercalld.api.platform.EmbeddedPlatforms;
import io.hypercalld.api.platform.PlatformSource;
import io.hypercalld.core.domain.ApicIds;
import io.hypercalld.core.domain.DevicePaging;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainFlag;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.domain.DomainSettings;
import io.hypercalld.core.domain.DomainTable;
import io.hypercalld.core.domain.DomainType;
import io.hypercalld.core.domain.Variation;
import io.hypercalld.core.interrupt.LocalApic;
import io.hypercalld.core.p2m.P2mGeometry;
import io.hypercalld.iommu.reach.BootReport;
import io.hypercalld.iommu.reach.Reachability;
import io.hypercalld.iommu.reach.Survey;
import io.hypercalld.iommu.virtual.VirtualUnitSettings;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * Which vCPUs interrupts reach, and which boot step first meets one that they do not: a guest of
 * each size, with and without remapping, by APIC ids and destinations. Confined to the thread that
 * runs it.
 *
 * @see "spec/documents.md S1-Q1"
 */
public final class VcpuReachExperiment {
  private static final long FLAGS =
      DomainFlag.HVM.mask() | DomainFlag.HAP.mask() | DomainFlag.IOMMU.mask();

  private final VcpuReachQuestion question;
  private final Machine machine;

  private VcpuReachExperiment(VcpuReachQuestion question, Machine machine) {
    this.question = question;
    this.machine = machine;
  }

  /**
   * Makes the guests.
   *
   * @throws io.hypercalld.core.errno.Refusal ENOMEM where the host has not enough memory
   */
  public static VcpuReachAnswer run(VcpuReachQuestion question) {
    try (Machine machine =
        new Machine(PlatformSource.named(EmbeddedPlatforms.DEFAULT).load().platform())) {
      return new VcpuReachAnswer(
          question, new VcpuReachExperiment(question, machine).configurations());
    }
  }

  private List<VcpuReachAnswer.Configuration> configurations() {
    return Stream.of(ApicIds.values())
        .flatMap(
            ids ->
                Stream.of(false, true)
                    .flatMap(
                        remapping ->
                            Stream.of(false, true)
                                .map(extended -> configuration(ids, remapping, extended))))
        .toList();
  }

  /** What was found of one size of guest. */
  private record Finding(
      int vcpus, int unreachable, List<Reachability.Row> rows, List<BootReport> boots) {}

  private VcpuReachAnswer.Configuration configuration(
      ApicIds ids, boolean remapping, boolean extended) {
    List<Finding> findings = new ArrayList<>();
    Variation variation =
        new Variation(P2mGeometry.GRANULE_4K, ids, extended, DevicePaging.REFUSE, question.most());
    for (int vcpus = 1; vcpus <= question.most(); vcpus++) {
      findings.add(find(vcpus, variation, remapping));
    }
    Finding largest = findings.getLast();
    return new VcpuReachAnswer.Configuration(
        ids,
        remapping,
        extended,
        largest.unreachable,
        findings.stream()
            .filter(finding -> finding.unreachable > 0)
            .map(Finding::vcpus)
            .findFirst(),
        largest.rows.stream()
            .filter(row -> row.missing().isEmpty())
            .map(row -> source(row, question.most()))
            .toList(),
        largest.boots.stream().map(boot -> boot(boot, findings)).toList());
  }

  private Finding find(int vcpus, Variation variation, boolean remapping) {
    DomainTable domains = machine.hypervisor().domains();
    Domain guest =
        domains.create(
            DomainId.ANY, DomainSettings.of(DomainType.HVM, FLAGS, vcpus).with(variation));
    guest.addVcpus(vcpus);
    if (remapping) {
      machine
          .virtualIommus()
          .of(guest)
          .create(VirtualUnitSettings.interruptsOnly(VirtualUnitSettings.USUAL_BASE));
    }
    Survey survey = new Survey(guest);
    Reachability map = survey.map(LocalApic.Mode.X2APIC);
    Finding finding = new Finding(vcpus, map.unreachable().size(), map.rows(), survey.boots());
    domains.beginDestruction(guest);
    boolean gone;
    do {
      gone = domains.continueDestruction(guest);
    } while (!gone);
    return finding;
  }

  private static VcpuReachAnswer.Source source(Reachability.Row row, int vcpus) {
    return new VcpuReachAnswer.Source(
        row.kind(),
        row.format(),
        vcpus - row.unreachable().size(),
        runs(row.unreachable().keySet()));
  }

  private static List<String> runs(Set<Integer> ascending) {
    TreeMap<Integer, Integer> runs = new TreeMap<>();
    for (int number : ascending) {
      boolean continues = !runs.isEmpty() && runs.lastEntry().getValue() == number - 1;
      runs.put(continues ? runs.lastKey() : number, number);
    }
    return runs.entrySet().stream()
        .map(run -> "%d-%d".formatted(run.getKey(), run.getValue()))
        .toList();
  }

  private static VcpuReachAnswer.Boot boot(BootReport largest, List<Finding> findings) {
    Optional<Integer> incomplete =
        findings.stream()
            .filter(
                finding ->
                    finding.boots.stream()
                        .anyMatch(
                            boot ->
                                boot.guest() == largest.guest() && boot.online() < finding.vcpus))
            .map(Finding::vcpus)
            .findFirst();
    return new VcpuReachAnswer.Boot(
        largest.guest(), incomplete, largest.boots(), largest.online(), largest.stopsAt());
  }
}
