package io.hypercalld.api.experiment;

import io.hypercalld.api.experiment.RetargetAnswer.Device;
import io.hypercalld.api.experiment.RetargetAnswer.Road;
import io.hypercalld.core.interrupt.LocalApic;
import io.hypercalld.iommu.reach.BootReport;
import io.hypercalld.iommu.reach.GuestRules;
import io.hypercalld.iommu.reach.Survey;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * A virtual IOMMU, or extended destinations: what a guest pays to send messages elsewhere, what
 * moves with it, and what one device model that lacks support does. Confined to the thread that
 * runs it.
 *
 * @see "spec/documents.md S1-Q7"
 */
public final class RetargetExperiment {
  private static final int SAVED_REGISTERS = 0xd0 / Integer.BYTES;

  private RetargetExperiment() {}

  /**
   * Tries both roads.
   *
   * @throws io.hypercalld.core.errno.Refusal ENOMEM where the host has not enough memory
   */
  public static RetargetAnswer run(RetargetQuestion question) {
    return new RetargetAnswer(
        question,
        Stream.of(Road.values())
            .flatMap(road -> Stream.of(Device.values()).map(device -> cost(question, road, device)))
            .toList(),
        Stream.of(Road.values())
            .map(road -> new RetargetAnswer.Migration(road, moving(road)))
            .toList(),
        Stream.of(Road.values()).map(road -> lacking(question, road)).toList());
  }

  private static RetargetAnswer.Cost cost(RetargetQuestion question, Road road, Device device) {
    try (RetargetTrial trial = new RetargetTrial(road, device, question.vcpus())) {
      return trial.run(question.retargets());
    }
  }

  /** The fields of the record VVTD (S1-D5), or the one fact that the guest was told. */
  private static List<String> moving(Road road) {
    return switch (road) {
      case VIOMMU ->
          Stream.concat(
                  Stream.of("eim", "intremap", "fault_index", "irt_max_entry", "irt_gfn"),
                  IntStream.range(0, SAVED_REGISTERS).mapToObj("regs[%d]"::formatted))
              .toList();
      case EXT_DEST -> List.of("cpuid.ext_dest_id");
    };
  }

  private static RetargetAnswer.Lacking lacking(RetargetQuestion question, Road road) {
    try (RetargetBench bench = new RetargetBench(road, question.vcpus(), List.of(true, false))) {
      Survey survey = new Survey(bench.guest());
      int online =
          survey.boots().stream()
              .filter(boot -> boot.guest() == GuestRules.LINUX_2020)
              .mapToInt(BootReport::online)
              .sum();
      return new RetargetAnswer.Lacking(
          road, survey.map(LocalApic.Mode.X2APIC).unreachable().size(), online);
    }
  }
}
