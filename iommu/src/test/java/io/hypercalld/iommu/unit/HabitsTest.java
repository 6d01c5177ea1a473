package io.hypercalld.iommu.unit;

import static io.hypercalld.iommu.unit.SimulatedUnit.DOMAIN;
import static io.hypercalld.iommu.unit.SimulatedUnit.X;
import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.iommu.vtd.AddressWidth;
import io.hypercalld.iommu.vtd.Capabilities;
import io.hypercalld.iommu.vtd.CapabilityFields;
import io.hypercalld.iommu.vtd.ContextCommand;
import io.hypercalld.iommu.vtd.ContextEntry;
import io.hypercalld.iommu.vtd.FaultReason;
import io.hypercalld.iommu.vtd.GlobalCommand;
import io.hypercalld.iommu.vtd.Habits;
import io.hypercalld.iommu.vtd.UnitVersion;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What the specification leaves to hardware: each choice is seen on both sides. */
final class HabitsTest {
  private static final long IOVA = 0x5000;
  private static final long BEFORE = 0x90_0000;
  private static final long AFTER = 0x91_0000;

  static Stream<Habits> both() {
    return Stream.of(Habits.STRICT, Habits.LENIENT);
  }

  private static SimulatedUnit unit(Habits habits, Capabilities capabilities) {
    UnitSettings settings =
        UnitSettings.of(UnitVersion.V1_0, capabilities, SimulatedUnit.HOST_ADDRESS_WIDTH);
    return SimulatedUnit.off(settings.withHabits(habits)).start();
  }

  private static SimulatedUnit unit(Habits habits) {
    return unit(habits, SimulatedUnit.MODEL);
  }

  @ParameterizedTest
  @MethodSource("both")
  void secondFaultOfARequester_collapsesWhereFaultsDo(Habits habits) {
    try (var it = unit(habits)) {
      it.read(IOVA);
      it.write(IOVA);

      assertThat(it.unit.faults()).hasSize(habits.collapsesFaults() ? 1 : 2);
    }
  }

  @ParameterizedTest
  @MethodSource("both")
  void pageMappedAfterItsAbsenceWasSeen_isFoundWhereAbsenceIsNotRemembered(Habits habits) {
    try (var it = unit(habits, SimulatedUnit.with(CapabilityFields.CM, 1))) {
      it.read(IOVA);
      it.map(IOVA, BEFORE);

      assertThat(it.read(IOVA).passed()).isNotEqualTo(habits.remembersAbsence());
    }
  }

  @ParameterizedTest
  @MethodSource("both")
  void contextEntry_staysWhereTheInvalidationsDomainIsChecked(Habits habits) {
    try (var it = unit(habits)) {
      it.map(IOVA, BEFORE);
      it.read(IOVA);
      it.context(X, ContextEntry.ABSENT);

      it.contextCommand(ContextCommand.device(DOMAIN + 1, X, 0));

      assertThat(it.read(IOVA).passed()).isEqualTo(habits.checksDomainOfDevice());
    }
  }

  @ParameterizedTest
  @MethodSource("both")
  void translation_staysWhereSwitchingDropsNothing(Habits habits) {
    try (var it = unit(habits)) {
      it.map(IOVA, BEFORE);
      it.read(IOVA);
      it.map(IOVA, AFTER);

      it.command(GlobalCommand.TE, false);
      it.command(GlobalCommand.TE, true);

      assertThat(it.read(IOVA).maddr()).isEqualTo(habits.forgetsWhenSwitched() ? AFTER : BEFORE);
    }
  }

  @ParameterizedTest
  @MethodSource("both")
  void rootPointerBeyondTheHostAddressWidth_leadsNowhereOrIsCut(Habits habits) {
    try (var it = unit(habits)) {
      it.map(IOVA, BEFORE);
      it.context(X, ContextEntry.translating(it.pageTable, AddressWidth.BITS_48, DOMAIN));

      it.setRootPointer(it.rootTable | 1L << SimulatedUnit.HOST_ADDRESS_WIDTH);
      it.invalidateEverything();

      if (habits.dropsHighAddressBits()) {
        assertThat(it.read(IOVA).maddr()).isEqualTo(BEFORE);
      } else {
        assertThat(it.read(IOVA).reason()).isEqualTo(FaultReason.ROOT_ENTRY_UNREADABLE);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("both")
  void passThroughOfASmallerWidth_isInvalidWhereItIsChecked(Habits habits) {
    try (var it = unit(habits)) {
      it.context(X, ContextEntry.passingThrough(AddressWidth.BITS_39, DOMAIN));

      if (habits.checksPassThrough()) {
        assertThat(it.read(IOVA).reason()).isEqualTo(FaultReason.CONTEXT_INVALID);
      } else {
        assertThat(it.read(IOVA).maddr()).isEqualTo(IOVA);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("both")
  void reservedContextEntryWithFpd_isSilentWhereItsFaultIsQualified(Habits habits) {
    try (var it = unit(habits)) {
      ContextEntry entry = ContextEntry.translating(it.pageTable, AddressWidth.BITS_48, DOMAIN);
      it.context(X, new ContextEntry(entry.lo() | ContextEntry.FPD.mask() | 1 << 4, entry.hi()));

      assertThat(it.read(IOVA).reason()).isEqualTo(FaultReason.CONTEXT_ENTRY_RESERVED);
      assertThat(it.unit.faults()).hasSize(habits.qualifiesReservedContexts() ? 0 : 1);
    }
  }
}
