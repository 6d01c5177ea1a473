package io.hypercalld.iommu.unit;

import static io.hypercalld.iommu.unit.ScalableUnit.DOMAIN;
import static io.hypercalld.iommu.unit.ScalableUnit.USER;
import static io.hypercalld.iommu.unit.ScalableUnit.X;
import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.core.memory.PageSize;
import io.hypercalld.iommu.pci.SourceId;
import io.hypercalld.iommu.vtd.DmaAccess;
import io.hypercalld.iommu.vtd.PasidEntry;
import io.hypercalld.iommu.vtd.PasidPrefix;
import io.hypercalld.iommu.vtd.ScalableContextEntry;
import io.hypercalld.iommu.vtd.SecondStageEntry;
import io.hypercalld.iommu.vtd.UnitVersion;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Requests that are like those before them, after what those relied on has changed. */
final class RecentSpacesTest {
  private static final long IOVA = 0x5000L;
  private static final long PAGE = 0x200_0000L;
  private static final long OTHER = 0x201_0000L;
  private static final SourceId STRANGER = new SourceId(X.value() ^ 1);

  private final ScalableUnit it = ScalableUnit.on();

  @BeforeEach
  void readOften() {
    it.map(IOVA, PAGE);
    it.pasid(it.firstLevelEntry());
    for (int each = 0; each < 4; each++) {
      it.read(IOVA);
    }
  }

  @AfterEach
  void close() {
    it.close();
  }

  /** The same PASID entry for other tables, under another domain-id. */
  private void changePasidEntry() {
    it.mapSecond(IOVA, OTHER, SecondStageEntry.READ_WRITE);
    PasidEntry other = it.secondLevelEntry();
    it.pasid(new PasidEntry(other.q0(), other.q1() ^ 1, other.q2(), other.rest()));
  }

  @Test
  void likeRequests_countAsHitsOfBothCaches() {
    UnitCounters counters = it.unit.counters();
    counters.reset();

    it.read(IOVA);
    it.read(IOVA + PageSize.BYTES_4K);

    assertThat(counters.contextHits()).isEqualTo(2);
    assertThat(counters.pasidHits()).isEqualTo(2);
    assertThat(counters.iotlbHits()).isEqualTo(1);
    assertThat(counters.contextMisses() + counters.pasidMisses()).isZero();
    assertThat(it.translation.contextHit()).isTrue();
  }

  @Test
  void pasidEntry_changed_isNotSeenBeforeItsFlush() {
    changePasidEntry();

    assertThat(it.read(IOVA).maddr()).isEqualTo(PAGE);
    it.invalidatePasidEntry(DOMAIN, USER.pasid());
    assertThat(it.read(IOVA).maddr()).isEqualTo(OTHER);
  }

  @Test
  void contextEntry_withoutPasids_isSeenAfterItsFlush() {
    ScalableContextEntry entry = it.context();
    it.context(new ScalableContextEntry(ScalableContextEntry.PASIDE.clear(entry.q0()), 0, 0, 0));
    assertThat(it.read(IOVA).passed()).isTrue();

    it.invalidateContexts();

    assertThat(it.readFault(IOVA).code()).isEqualTo(0x45);
  }

  @Test
  void otherRequesters_andOtherPrefixes_areJudgedOnTheirOwn() {
    it.unit.translate(STRANGER, USER, IOVA, DmaAccess.READ, it.translation);
    assertThat(it.translation.passed()).isFalse();

    PasidPrefix fetch = new PasidPrefix(true, USER.pasid(), false, true);
    assertThat(it.faultOf(fetch, IOVA, DmaAccess.READ).code()).isEqualTo(0x5c);
    assertThat(it.read(IOVA).maddr()).isEqualTo(PAGE);
  }

  @Test
  void silence_ofThePasidEntry_holdsForEveryRequest() {
    PasidEntry loud = it.firstLevelEntry();
    it.pasid(new PasidEntry(PasidEntry.FPD.set(loud.q0()), loud.q1(), loud.q2(), loud.rest()));
    it.invalidatePasidEntry(DOMAIN, USER.pasid());
    UnitCounters counters = it.unit.counters();
    counters.reset();

    for (int each = 0; each < 4; each++) {
      assertThat(it.read(IOVA + PageSize.BYTES_4K).recorded()).isFalse();
    }

    assertThat(counters.faultsSuppressed()).isEqualTo(4);
  }

  @Test
  void pasidEntry_evicted_isReadAgain() {
    try (ScalableUnit small = ScalableUnit.on(withSmallCaches())) {
      small.map(IOVA, PAGE);
      small.pasid(small.firstLevelEntry());
      for (int each = 0; each < 4; each++) {
        small.read(IOVA);
      }
      for (int other = 1; other <= 8; other++) {
        PasidPrefix prefix = PasidPrefix.of(USER.pasid() + other);
        small.pasid(prefix, small.firstLevelEntry());
        small.translate(prefix, IOVA, DmaAccess.READ);
      }
      UnitCounters counters = small.unit.counters();
      counters.reset();

      small.read(IOVA);

      assertThat(counters.pasidMisses()).isEqualTo(1);
      assertThat(counters.pasidHits()).isZero();
    }
  }

  private static UnitSettings withSmallCaches() {
    return UnitSettings.of(
            UnitVersion.V1_0, ScalableUnit.CAPABILITIES, SimulatedUnit.HOST_ADDRESS_WIDTH)
        .withCaches(new UnitSettings.CacheSizes(4, 4));
  }
}
