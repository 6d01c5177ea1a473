package io.hypercalld.api.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.iommu.unit.Malfunction;
import io.hypercalld.iommu.unit.Malfunction.Command;
import io.hypercalld.iommu.unit.Malfunction.Effect;
import io.hypercalld.iommu.unit.Malfunction.Target;
import io.hypercalld.iommu.vtd.CapabilityFields;
import io.hypercalld.iommu.vtd.ExtendedCapabilityFields;
import io.hypercalld.iommu.vtd.Habits;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The judge fails silicon that is wrong in one respect, in the cases about that respect. */
final class BrokenSiliconTest {
  /** Those of some families, letters of their ids, of which a case fails. */
  private static Set<String> failing(
      Set<String> families, UnaryOperator<CorpusCase> silicon, Optional<Malfunction> fault) {
    Set<String> failing = new HashSet<>();
    for (CorpusCase recorded : Corpus.cases()) {
      String family = Corpus.family(recorded);
      if (families.contains(family) && !failing.contains(family)) {
        Report report = Corpus.quiet();
        try (CaseMachine machine = CaseMachine.of(silicon.apply(recorded), Habits.LENIENT)) {
          fault.ifPresent(machine.unit().malfunctions()::add);
          CaseRun.run(recorded, machine, report);
        }
        if (report.failed() > 0) {
          failing.add(family);
        }
      }
    }
    return failing;
  }

  @ParameterizedTest
  @CsvSource({
    "IOTLB, DROP_INVALIDATION, STL",
    "CONTEXT, DROP_INVALIDATION, STL",
    "PASID_IOTLB, DROP_INVALIDATION, FST",
    "IOTLB, QUEUE_ERROR, STL",
    "CONTEXT, QUEUE_ERROR, STL",
    "PASID_IOTLB, QUEUE_ERROR, FQI",
    "PASID_CACHE, QUEUE_ERROR, FPC",
    "IEC, QUEUE_ERROR, IRM",
    "WAIT, DROP_INVALIDATION, QIV",
    "WAIT, INVALIDATION_TIMEOUT, QIV",
  })
  void invalidationThatGoesWrong_isFound(Command command, Effect effect, String cases) {
    Malfunction malfunction =
        new Malfunction(
            new Target(Optional.of(command), Optional.empty()), 0, Long.MAX_VALUE, effect);

    assertThat(failing(Set.of(cases), recorded -> recorded, Optional.of(malfunction)))
        .containsExactly(cases);
  }

  private static CorpusCase with(CorpusCase recorded, long cap, long ecap, int addressWidth) {
    return new CorpusCase(
        recorded.id(),
        recorded.cap() ^ cap,
        recorded.ecap() ^ ecap,
        recorded.hostAddressWidth() + addressWidth,
        recorded.devices(),
        recorded.fills(),
        recorded.memory(),
        recorded.steps(),
        recorded.finalRegisters());
  }

  static Stream<Arguments> otherCapabilities() {
    return Stream.of(
        Arguments.of("address bits beyond HAW are not reserved", 0L, 0L, 1, "RSV"),
        Arguments.of("SNP is not reserved", 0L, ExtendedCapabilityFields.SC.mask(), 0, "RSV"),
        Arguments.of("1G pages are reserved", 2L << 34, 0L, 0, "SPG"),
        Arguments.of("pass-through is refused", 0L, ExtendedCapabilityFields.PT.mask(), 0, "TTX"),
        Arguments.of("device-TLBs are there", 0L, ExtendedCapabilityFields.DT.mask(), 0, "TTX"),
        Arguments.of("PSI is refused", CapabilityFields.PSI.mask(), 0L, 0, "STL"),
        Arguments.of("domain-ids are narrow", 6L, 0L, 0, "FZ"),
        Arguments.of("first stage is refused", 0L, ExtendedCapabilityFields.FLTS.mask(), 0, "FBA"),
        Arguments.of(
            "1G first-stage leaves are reserved", CapabilityFields.FL1GP.mask(), 0L, 0, "FSP"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("otherCapabilities")
  void siliconThatChecksOtherBits_isFound(
      String what, long cap, long ecap, int addressWidth, String cases) {
    assertThat(
            failing(
                Set.of(cases),
                recorded -> with(recorded, cap, ecap, addressWidth),
                Optional.empty()))
        .as(what)
        .containsExactly(cases);
  }

  /** A silicon that reads one bit of every table entry wrong. */
  private static CorpusCase misread(CorpusCase recorded, long bits) {
    List<CorpusCase.Word> memory =
        recorded.memory().stream()
            .map(word -> new CorpusCase.Word(word.address(), word.value() ^ bits))
            .toList();
    return new CorpusCase(
        recorded.id(),
        recorded.cap(),
        recorded.ecap(),
        recorded.hostAddressWidth(),
        recorded.devices(),
        recorded.fills(),
        memory,
        recorded.steps(),
        recorded.finalRegisters());
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 0x1000, 0x20_0000, 1L << 50})
  void siliconThatMisreadsABit_isFoundInEveryFamilyOfTranslations(long bit) {
    Set<String> families =
        Set.of("BAS", "PRM", "SPG", "STL", "DID", "FBA", "FPM", "FSP", "FAD", "FZ", "FX", "FY");

    assertThat(failing(families, recorded -> misread(recorded, bit), Optional.empty()))
        .isEqualTo(families);
  }
}
