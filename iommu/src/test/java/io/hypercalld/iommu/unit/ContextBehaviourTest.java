package io.hypercalld.iommu.unit;

import static io.hypercalld.iommu.unit.SimulatedUnit.BEYOND_RAM;
import static io.hypercalld.iommu.unit.SimulatedUnit.DOMAIN;
import static io.hypercalld.iommu.unit.SimulatedUnit.X;
import static io.hypercalld.iommu.unit.SimulatedUnit.with;
import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.iommu.pci.SourceId;
import io.hypercalld.iommu.vtd.AddressWidth;
import io.hypercalld.iommu.vtd.Capabilities;
import io.hypercalld.iommu.vtd.CapabilityFields;
import io.hypercalld.iommu.vtd.ContextEntry;
import io.hypercalld.iommu.vtd.DmaAccess;
import io.hypercalld.iommu.vtd.ExtendedCapabilityFields;
import io.hypercalld.iommu.vtd.FaultReason;
import io.hypercalld.iommu.vtd.TranslationType;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Root and context entries: spec/vtd.md 7.3. */
final class ContextBehaviourTest {
  private static final long FPD = ContextEntry.FPD.mask();

  private static void assertBlocked(SimulatedUnit it, FaultReason reason) {
    int before = it.unit.faults().size();
    assertThat(it.read(0x5000).reason()).isEqualTo(reason);
    assertThat(it.translation.recorded()).isTrue();
    assertThat(it.unit.faults()).hasSize(before + 1);
    assertThat(it.record(before).reason()).contains(reason);
  }

  private static void assertSilentlyBlocked(SimulatedUnit it, FaultReason reason) {
    assertThat(it.read(0x5000).reason()).isEqualTo(reason);
    assertThat(it.translation.recorded()).isFalse();
    assertThat(it.unit.faults()).isEmpty();
    assertThat(it.status()).isZero();
    assertThat(it.messages).isEmpty();
  }

  @Test
  void b19_rootNotPresent_faultsAlthoughOtherBusesAreFine() {
    try (var it = SimulatedUnit.on()) {
      it.context(new SourceId(0x0400), it.entry());
      it.root(X, 0, 0);

      assertBlocked(it, FaultReason.ROOT_NOT_PRESENT);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "b20, 0x20, 0x0",
    "b20, 0x800, 0x0",
    "b21, 0x0, 0x1",
    "b21, 0x0, 0x8000000000000000",
    "b22, 0x400000000000, 0x0",
  })
  void b20tob22_rootReserved_faults(String id, long lo, String hi) {
    try (var it = SimulatedUnit.on()) {
      long table = it.contextTable(X);

      it.root(X, table | 1 | lo, Long.parseUnsignedLong(hi.substring(2), 16));

      assertThat(id).startsWith("b2");
      assertBlocked(it, FaultReason.ROOT_ENTRY_RESERVED);
    }
  }

  @Test
  void b22_contextTableOutsideMemory_isUnreadable() {
    try (var it = SimulatedUnit.on()) {
      it.root(X, BEYOND_RAM | 1, 0);

      assertBlocked(it, FaultReason.CONTEXT_ENTRY_UNREADABLE);
    }
  }

  @Test
  void b23_rootTableOutsideMemory_isUnreadable() {
    try (var it = SimulatedUnit.on()) {
      it.setRootPointer(BEYOND_RAM);
      assertBlocked(it, FaultReason.ROOT_ENTRY_UNREADABLE);

      it.setRootPointer(1L << 50);
      assertBlocked(it, FaultReason.ROOT_ENTRY_UNREADABLE);
    }
  }

  @Test
  void b24_contextNotPresent_faults() {
    try (var it = SimulatedUnit.on()) {
      it.context(0, 0);

      assertBlocked(it, FaultReason.CONTEXT_NOT_PRESENT);
    }
  }

  @Test
  void b25_contextNotPresentWithFpd_isSilent() {
    try (var it = SimulatedUnit.on()) {
      it.context(FPD, 0);

      assertSilentlyBlocked(it, FaultReason.CONTEXT_NOT_PRESENT);
      assertThat(it.unit.counters().faultsSuppressed()).isEqualTo(1);
      assertThat(it.unit.counters().faults()).containsEntry(FaultReason.CONTEXT_NOT_PRESENT, 1L);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "0x10, 0x0",
    "0x800, 0x0",
    "0x0, 0x80",
    "0x0, 0x1000000",
    "0x0, 0x4000000000000000",
    "0x400000000000, 0x0",
    "0x0, 0x10000",
  })
  void b26b28_contextReserved_faultsUnlessFpd(long lo, long hi) {
    try (var it = SimulatedUnit.on()) {
      it.context(it.entry().lo() | lo | FPD, it.entry().hi() | hi);
      assertSilentlyBlocked(it, FaultReason.CONTEXT_ENTRY_RESERVED);

      it.context(it.entry().lo() | lo, it.entry().hi() | hi);
      assertBlocked(it, FaultReason.CONTEXT_ENTRY_RESERVED);
    }
  }

  @Test
  void b27_ignoredContextBits_changeNothing() {
    try (var it = SimulatedUnit.on()) {
      it.context(it.entry().lo(), it.entry().hi() | 0x78);
      it.map(0x5000, 0x9000);

      assertThat(it.read(0x5000).maddr()).isEqualTo(0x9000);
    }
  }

  private record Invalid(Capabilities unit, TranslationType type, AddressWidth width) {}

  static Stream<Invalid> b29tob31_invalidContexts() {
    return Stream.of(
        new Invalid(SimulatedUnit.MODEL, TranslationType.RESERVED, AddressWidth.BITS_48),
        new Invalid(
            SimulatedUnit.MODEL,
            TranslationType.SECOND_STAGE_WITH_DEVICE_TLB,
            AddressWidth.BITS_48),
        new Invalid(
            with(ExtendedCapabilityFields.PT, 0),
            TranslationType.PASS_THROUGH,
            AddressWidth.BITS_48),
        new Invalid(SimulatedUnit.MODEL, TranslationType.SECOND_STAGE, AddressWidth.BITS_30),
        new Invalid(SimulatedUnit.MODEL, TranslationType.SECOND_STAGE, AddressWidth.BITS_57),
        new Invalid(SimulatedUnit.MODEL, TranslationType.PASS_THROUGH, AddressWidth.BITS_39));
  }

  @ParameterizedTest
  @MethodSource("b29tob31_invalidContexts")
  void b29tob31_typeOrWidthTheUnitLacks_isInvalid(Invalid context) {
    try (var it = SimulatedUnit.on(context.unit)) {
      it.context(X, ContextEntry.of(context.type, it.pageTable, context.width, DOMAIN));

      assertBlocked(it, FaultReason.CONTEXT_INVALID);
    }
  }

  @Test
  void b30_reservedWidthEncoding_isInvalid() {
    try (var it = SimulatedUnit.on()) {
      it.context(it.entry().lo(), it.entry().hi() | 7);

      assertBlocked(it, FaultReason.CONTEXT_INVALID);
    }
  }

  @Test
  void b32_passThrough_ignoresTheTablePointer() {
    try (var it = SimulatedUnit.on()) {
      ContextEntry entry = ContextEntry.passingThrough(AddressWidth.BITS_48, DOMAIN);
      it.context(entry.lo() | 0xffff_ffff_ffff_f000L, entry.hi());

      assertThat(it.write(0x12_3456).maddr()).isEqualTo(0x12_3456);
      assertThat(it.read(0x12_3456).contextHit()).isTrue();
      assertThat(it.unit.iotlb()).isEmpty();
      assertThat(it.faultOf(1L << 46, DmaAccess.READ)).isEqualTo(FaultReason.ADDRESS_BEYOND_WIDTH);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "SECOND_STAGE, TRANSLATION_REQUEST",
    "SECOND_STAGE, TRANSLATED_READ",
    "SECOND_STAGE, TRANSLATED_WRITE",
    "PASS_THROUGH, TRANSLATION_REQUEST",
  })
  void b33_translatedRequests_areBlockedByType(TranslationType type, DmaAccess access) {
    try (var it = SimulatedUnit.on()) {
      ContextEntry entry = ContextEntry.of(type, it.pageTable, AddressWidth.BITS_48, DOMAIN);
      it.map(0x5000, 0x9000);
      it.context(X, entry);
      assertThat(it.faultOf(0x5000, access)).isEqualTo(FaultReason.REQUEST_TYPE_BLOCKED);
      assertThat(it.record(0).hi() >>> 60 & 3).isEqualTo(access.addressType().encoding());

      it.context(X, entry.withFaultProcessingDisabled(true));
      it.invalidateEverything();
      assertThat(it.faultOf(0x5000, access)).isEqualTo(FaultReason.REQUEST_TYPE_BLOCKED);
      assertThat(it.translation.recorded()).isFalse();
    }
  }

  @Test
  void b33_typeComesBeforeWidth() {
    try (var it = SimulatedUnit.on()) {
      it.context(
          X,
          ContextEntry.of(
              TranslationType.SECOND_STAGE, it.pageTable, AddressWidth.BITS_57, DOMAIN));
      assertThat(it.faultOf(0x5000, DmaAccess.TRANSLATED_READ))
          .isEqualTo(FaultReason.REQUEST_TYPE_BLOCKED);

      it.context(
          X, ContextEntry.of(TranslationType.RESERVED, it.pageTable, AddressWidth.BITS_57, DOMAIN));
      assertThat(it.faultOf(0x5000, DmaAccess.TRANSLATED_READ))
          .isEqualTo(FaultReason.CONTEXT_INVALID);
    }
  }

  @Test
  void b34_topTableOutsideMemory_isAnInvalidContext() {
    try (var it = SimulatedUnit.on()) {
      it.context(X, ContextEntry.translating(BEYOND_RAM, AddressWidth.BITS_48, DOMAIN));

      assertBlocked(it, FaultReason.CONTEXT_INVALID);
    }
  }

  @Test
  void b35_twoTablesUnderOneDomainId_serveTheFirstWalkersPage() {
    try (var it = SimulatedUnit.on()) {
      SourceId other = new SourceId(0x0383);
      long otherTable = it.newTable();
      it.context(other, ContextEntry.translating(otherTable, AddressWidth.BITS_48, DOMAIN));
      it.map(0x5000, 0x9000);
      it.memory.writeWord(it.slot(otherTable, 4, 0x5000, 1), 0xa003);

      assertThat(it.read(0x5000).maddr()).isEqualTo(0x9000);
      assertThat(it.translate(other, 0x5000, DmaAccess.READ).maddr()).isEqualTo(0x9000);
      assertThat(it.translation.iotlbHit()).isTrue();
    }
  }

  @Test
  void b36_lastFunctionOfABus_usesTheLastEntry() {
    try (var it = SimulatedUnit.on()) {
      SourceId last = new SourceId(0x03ff);
      it.context(last, it.entry());
      it.map(0x5000, 0x9000);

      assertThat(it.translate(last, 0x5000, DmaAccess.READ).maddr()).isEqualTo(0x9000);
      assertThat(it.memory.readWord(it.contextTable(last) + 0xff0)).isEqualTo(it.entry().lo());
    }
  }

  @Test
  void b37_rootFault_isRecordedWhateverAnotherDevicesFpdSays() {
    try (var it = SimulatedUnit.on()) {
      it.context(new SourceId(0x0400), new ContextEntry(FPD, 0));
      it.root(X, 0, 0);

      assertBlocked(it, FaultReason.ROOT_NOT_PRESENT);
    }
  }

  @Test
  void caches_ofCachingModeUnits_rememberAbsentContexts() {
    try (var it = SimulatedUnit.on(with(CapabilityFields.CM, 1))) {
      it.context(0, 0);
      it.read(0x5000);

      assertThat(it.unit.contextCache())
          .singleElement()
          .satisfies(
              cached -> {
                assertThat(cached.domainId()).isZero();
                assertThat(cached.fault()).contains(FaultReason.CONTEXT_NOT_PRESENT);
              });
    }
  }
}
