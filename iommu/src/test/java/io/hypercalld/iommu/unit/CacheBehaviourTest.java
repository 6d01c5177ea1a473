package io.hypercalld.iommu.unit;

import static io.hypercalld.iommu.unit.SimulatedUnit.DOMAIN;
import static io.hypercalld.iommu.unit.SimulatedUnit.READ;
import static io.hypercalld.iommu.unit.SimulatedUnit.READ_WRITE;
import static io.hypercalld.iommu.unit.SimulatedUnit.X;
import static io.hypercalld.iommu.unit.SimulatedUnit.with;
import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.iommu.pci.SourceId;
import io.hypercalld.iommu.vtd.AddressWidth;
import io.hypercalld.iommu.vtd.CapabilityFields;
import io.hypercalld.iommu.vtd.ContextCommand;
import io.hypercalld.iommu.vtd.ContextEntry;
import io.hypercalld.iommu.vtd.DmaAccess;
import io.hypercalld.iommu.vtd.FaultReason;
import io.hypercalld.iommu.vtd.GlobalCommand;
import io.hypercalld.iommu.vtd.InvalidationGranularity;
import io.hypercalld.iommu.vtd.IotlbCommand;
import io.hypercalld.iommu.vtd.SecondStageEntry;
import io.hypercalld.iommu.vtd.UnitVersion;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is remembered, and what makes the unit forget: spec/vtd.md 7.6. */
final class CacheBehaviourTest {
  private static final long PS = SecondStageEntry.PS.mask();
  private static final int OTHER_DOMAIN = 6;

  @Test
  void b85tob87_clearedEntry_isUsedUntilItsDomainIsInvalidated() {
    try (var it = SimulatedUnit.on()) {
      it.map(0x5000, 0x9000);
      it.read(0x5000);
      it.put(0x5000, 1, 0);

      assertThat(it.read(0x5000).maddr()).as("b85").isEqualTo(0x9000);
      it.iotlbCommand(IotlbCommand.domain(OTHER_DOMAIN));
      assertThat(it.read(0x5000).maddr()).as("b87").isEqualTo(0x9000);
      it.iotlbCommand(IotlbCommand.domain(DOMAIN));
      assertThat(it.read(0x5000).reason()).as("b86").isEqualTo(FaultReason.READ_NOT_PERMITTED);
    }
  }

  @Test
  void b88_newMapping_needsNoInvalidation() {
    try (var it = SimulatedUnit.on()) {
      it.read(0x5000);

      it.map(0x5000, 0x9000);

      assertThat(it.read(0x5000).maddr()).isEqualTo(0x9000);
    }
  }

  @Test
  void b89_newMapping_inCachingMode_needsTheDomainsInvalidation() {
    try (var it = SimulatedUnit.on(with(CapabilityFields.CM, 1))) {
      it.read(0x5000);
      it.map(0x5000, 0x9000);

      assertThat(it.read(0x5000).reason()).isEqualTo(FaultReason.READ_NOT_PERMITTED);
      it.invalidatePages(0, 0x5000, 0);
      assertThat(it.read(0x5000).reason()).isEqualTo(FaultReason.READ_NOT_PERMITTED);
      it.invalidatePages(DOMAIN, 0x5000, 0);
      assertThat(it.read(0x5000).maddr()).isEqualTo(0x9000);
    }
  }

  @Test
  void b90_newContext_inCachingMode_needsAnInvalidationOfDomainZero() {
    try (var it = SimulatedUnit.on(with(CapabilityFields.CM, 1))) {
      it.context(0, 0);
      it.read(0x5000);
      it.context(X, it.entry());
      it.map(0x5000, 0x9000);

      it.contextCommand(ContextCommand.device(DOMAIN, X, 0));
      assertThat(it.read(0x5000).reason()).isEqualTo(FaultReason.CONTEXT_NOT_PRESENT);
      it.contextCommand(ContextCommand.device(0, X, 0));
      assertThat(it.read(0x5000).maddr()).isEqualTo(0x9000);
    }
  }

  @Test
  void b91_contextReplaced_goesWithItsOldDomainIdOnly() {
    try (var it = SimulatedUnit.on()) {
      it.map(0x5000, 0x9000);
      it.read(0x5000);
      it.context(X, ContextEntry.translating(it.newTable(), AddressWidth.BITS_48, OTHER_DOMAIN));

      it.contextCommand(ContextCommand.device(OTHER_DOMAIN, X, 0));
      assertThat(it.read(0x5000).maddr()).isEqualTo(0x9000);
      it.contextCommand(ContextCommand.device(DOMAIN, X, 0));
      assertThat(it.read(0x5000).reason()).isEqualTo(FaultReason.READ_NOT_PERMITTED);
    }
  }

  @Test
  void b92_invalidatedInTheWrongOrder_theOldContextRefillsTheIotlb() {
    try (var it = SimulatedUnit.on()) {
      it.map(0x5000, 0x9000);
      it.read(0x5000);
      long table = it.newTable();
      it.context(X, ContextEntry.translating(table, AddressWidth.BITS_48, DOMAIN));
      it.memory.writeWord(it.slot(table, 4, 0x5000, 1), 0xa003);

      it.iotlbCommand(IotlbCommand.domain(DOMAIN));
      it.read(0x5000);
      it.contextCommand(ContextCommand.device(DOMAIN, X, 0));

      assertThat(it.read(0x5000).maddr()).as("the stale page survives").isEqualTo(0x9000);
      it.iotlbCommand(IotlbCommand.domain(DOMAIN));
      assertThat(it.read(0x5000).maddr()).isEqualTo(0xa000);
    }
  }

  @Test
  void b93_domainIdReusedWithoutInvalidation_inheritsPages() {
    try (var it = SimulatedUnit.on()) {
      SourceId second = new SourceId(0x0400);
      it.map(0x5000, 0x9000);
      it.read(0x5000);
      it.context(0, 0);
      it.contextCommand(ContextCommand.device(DOMAIN, X, 0));
      it.context(second, ContextEntry.translating(it.newTable(), AddressWidth.BITS_48, DOMAIN));

      assertThat(it.translate(second, 0x5000, DmaAccess.READ).maddr()).isEqualTo(0x9000);
    }
  }

  @Test
  void b94_pageSelective_dropsItsRangeAndNothingElse() {
    try (var it = SimulatedUnit.on()) {
      for (int page = 0; page < 5; page++) {
        it.map(page * 0x1000L, 0x9000);
        it.read(page * 0x1000L);
      }

      it.invalidatePages(DOMAIN, 0x3000, 2);

      assertThat(it.unit.iotlb()).extracting(CachedTranslation::iova).containsExactly(0x4000L);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 8, 9, 12, 18})
  void b95_pageSelectiveInsideASuperpage_dropsIt(int addressMask) {
    try (var it = SimulatedUnit.on()) {
      it.put(0x20_0000, 2, PS | READ_WRITE);
      it.put(0x4000_0000, 3, PS | READ_WRITE);
      it.read(0x20_0000);
      it.read(0x4000_0000);

      it.invalidatePages(DOMAIN, 0x2b_c000, addressMask);
      it.invalidatePages(DOMAIN, 0x4567_8000, addressMask);

      assertThat(it.unit.iotlb()).isEmpty();
    }
  }

  @Test
  void b96_superpageSplit_oneInvalidationDropsTheWholeOldPage() {
    try (var it = SimulatedUnit.on()) {
      it.put(0x20_0000, 2, 0x40_0000 | PS | READ_WRITE);
      it.read(0x20_0000);
      it.read(0x20_1000);
      it.put(0x20_0000, 2, SecondStageEntry.table(it.newTable()));
      it.map(0x20_0000, 0x9000);
      it.map(0x20_1000, 0xa000);
      assertThat(it.read(0x20_1000).maddr()).as("stale").isEqualTo(0x40_1000);

      it.invalidatePages(DOMAIN, 0x20_0000, 0);

      assertThat(it.read(0x20_0000).maddr()).isEqualTo(0x9000);
      assertThat(it.read(0x20_1000).maddr()).isEqualTo(0xa000);
    }
  }

  @Test
  void b96_pagesMergedIntoASuperpage_oldPagesGoWithTheirOwnInvalidation() {
    try (var it = SimulatedUnit.on()) {
      it.map(0x20_0000, 0x9000);
      it.map(0x20_1000, 0xa000);
      it.read(0x20_0000);
      it.read(0x20_1000);
      it.put(0x20_0000, 2, 0x40_0000 | PS | READ_WRITE);

      it.invalidatePages(DOMAIN, 0x20_0000, 0);
      assertThat(it.read(0x20_0000).maddr()).isEqualTo(0x40_0000);
      assertThat(it.read(0x20_1000).maddr()).as("the driver must use AM=9").isEqualTo(0xa000);
      it.invalidatePages(DOMAIN, 0x20_0000, 9);
      assertThat(it.read(0x20_1000).maddr()).isEqualTo(0x40_1000);
    }
  }

  @Test
  void b98_permissionAdded_isUnseenUntilInvalidated() {
    try (var it = SimulatedUnit.on()) {
      it.map(0x5000, 0x9000, READ);
      it.read(0x5000);
      it.map(0x5000, 0x9000, READ_WRITE);

      assertThat(it.write(0x5000).reason()).isEqualTo(FaultReason.WRITE_NOT_PERMITTED);
      it.invalidatePages(DOMAIN, 0x5000, 0);
      assertThat(it.write(0x5000).passed()).isTrue();
    }
  }

  @Test
  void b99_contextDomainSelective_dropsThatDomainsDevices() {
    try (var it = SimulatedUnit.on()) {
      SourceId sibling = new SourceId(0x0390);
      SourceId stranger = new SourceId(0x0398);
      it.context(sibling, it.entry());
      it.context(
          stranger, ContextEntry.translating(it.pageTable, AddressWidth.BITS_48, OTHER_DOMAIN));
      it.read(0x5000);
      it.translate(sibling, 0x5000, DmaAccess.READ);
      it.translate(stranger, 0x5000, DmaAccess.READ);

      it.contextCommand(ContextCommand.domain(DOMAIN));

      assertThat(it.unit.contextCache())
          .extracting(CachedContext::requester)
          .containsExactly(stranger);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3})
  void b100_functionMask_dropsTheFunctionsItCovers(int mask) {
    try (var it = SimulatedUnit.on()) {
      for (int function = 0; function < 16; function++) {
        SourceId requester = new SourceId(0x0380 + function);
        it.context(requester, it.entry());
        it.translate(requester, 0x5000, DmaAccess.READ);
      }

      it.contextCommand(ContextCommand.device(DOMAIN, X, mask));

      int ignored = new int[] {0, 0b100, 0b110, 0b111}[mask];
      assertThat(it.unit.contextCache())
          .extracting(cached -> cached.requester().value())
          .hasSize(16 - (1 << mask))
          .noneMatch(value -> (value & ~ignored) == (X.value() & ~ignored));
    }
  }

  @Test
  void b101_units_haveTheirOwnCaches() {
    try (var one = SimulatedUnit.on();
        var other = SimulatedUnit.on()) {
      other.map(0x5000, 0x9000);
      other.read(0x5000);

      one.iotlbCommand(IotlbCommand.domain(DOMAIN));

      assertThat(other.unit.iotlb()).hasSize(1);
    }
  }

  @Test
  void b102_translationSwitchedOffAndOn_emptiesNothing() {
    try (var it = SimulatedUnit.on()) {
      it.map(0x5000, 0x9000);
      it.read(0x5000);

      it.command(GlobalCommand.TE, false);
      it.command(GlobalCommand.TE, true);

      assertThat(it.read(0x5000).iotlbHit()).isTrue();
      assertThat(it.translation.contextHit()).isTrue();
    }
  }

  @Test
  void counters_tellHitsFromMisses() {
    try (var it = SimulatedUnit.on()) {
      it.map(0x5000, 0x9000);
      it.read(0x5000);
      it.read(0x5000);
      it.iotlbCommand(IotlbCommand.domain(DOMAIN));
      it.contextCommand(ContextCommand.global());

      UnitCounters counters = it.unit.counters();
      assertThat(counters.iotlbHits()).isEqualTo(1);
      assertThat(counters.iotlbMisses()).isEqualTo(1);
      assertThat(counters.contextHits()).isEqualTo(1);
      assertThat(counters.contextMisses()).isEqualTo(1);
      assertThat(counters.entryReads()).as("root, context, four levels").isEqualTo(6);
      assertThat(counters.iotlbInvalidations(InvalidationGranularity.DOMAIN)).isEqualTo(1);
      assertThat(counters.contextInvalidations(InvalidationGranularity.GLOBAL)).isEqualTo(1);
      counters.reset();
      assertThat(counters.entryReads()).isZero();
    }
  }

  @Test
  void smallCaches_evictInAFixedOrder() {
    UnitSettings settings =
        UnitSettings.of(UnitVersion.V1_0, SimulatedUnit.MODEL, 46)
            .withCaches(new UnitSettings.CacheSizes(4, 4));
    try (var it = SimulatedUnit.off(settings).start()) {
      for (int page = 0; page < 8; page++) {
        it.map(page * 0x1000L, 0x9000);
      }
      for (int page = 0; page < 4; page++) {
        it.read(page * 0x1000L);
      }
      it.read(0);
      it.read(0x4000);

      assertThat(it.unit.iotlb())
          .as("0 was used again, so 1 made room")
          .extracting(CachedTranslation::iova)
          .containsExactlyInAnyOrder(0L, 0x2000L, 0x3000L, 0x4000L);
    }
  }
}
