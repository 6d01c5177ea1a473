package io.hypercalld.api.experiment;

import io.hypercalld.core.domain.ApicIds;
import io.hypercalld.iommu.reach.AimFormat;
import io.hypercalld.iommu.reach.GuestRules;
import io.hypercalld.iommu.reach.SourceKind;
import java.util.List;
import java.util.Optional;

/** How far interrupts reached, and guests booted. Immutable. */
public record VcpuReachAnswer(VcpuReachQuestion question, List<Configuration> configurations)
    implements Findings {
  /**
   * One way to make guests.
   *
   * @param unreachable vCPUs of the largest guest that some kind of interrupt does not reach
   * @param firstBad the smallest number of vCPUs at which there is one; empty where there is none
   * @param sources of the largest guest
   * @param boots one row for each guest's rules
   */
  public record Configuration(
      ApicIds apicIds,
      boolean intremap,
      boolean extDestId,
      int unreachable,
      Optional<Integer> firstBad,
      List<Source> sources,
      List<Boot> boots) {}

  /**
   * Whom one kind of interrupt reaches in one of its formats that the guest has.
   *
   * @param unreached the first and the last vCPU of each run that it does not reach
   */
  public record Source(SourceKind kind, AimFormat format, int reached, List<String> unreached) {}

  /**
   * How a guest boots.
   *
   * @param firstIncomplete the smallest number of vCPUs with which it does not run on all of them
   * @param boots whether the largest guest comes up
   * @param online vCPUs of the largest guest that it runs on
   * @param stopsAt the first step of the largest guest's that fails
   */
  public record Boot(
      GuestRules guest,
      Optional<Integer> firstIncomplete,
      boolean boots,
      int online,
      Optional<String> stopsAt) {
    private String inShort() {
      return firstIncomplete
          .map(first -> "%s%d, from %d on".formatted(boots ? "" : "crash at ", online, first))
          .orElse("all");
    }
  }

  @Override
  public String toText() {
    TextTable table =
        new TextTable(
            "APIC ids",
            "intremap",
            "ext-dest",
            "unreachable",
            "first bad n",
            "linux-2016",
            "linux-2020",
            "windows-8");
    TextTable steps = new TextTable("guest", "APIC ids", "intremap", "ext-dest", "stops at");
    for (Configuration row : configurations) {
      table.add(
          row.apicIds,
          onOff(row.intremap),
          onOff(row.extDestId),
          row.unreachable,
          row.firstBad.map(Object::toString).orElse("none"),
          row.boots.get(0).inShort(),
          row.boots.get(1).inShort(),
          row.boots.get(2).inShort());
      for (Boot boot : row.boots) {
        boot.stopsAt.ifPresent(
            step ->
                steps.add(
                    boot.guest, row.apicIds, onOff(row.intremap), onOff(row.extDestId), step));
      }
    }
    return "%d vCPUs%n%n%s%n%s".formatted(question.most(), table, steps).replace("\r\n", "\n");
  }

  private static String onOff(boolean on) {
    return on ? "on" : "off";
  }
}
