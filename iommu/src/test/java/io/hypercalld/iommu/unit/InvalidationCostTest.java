package io.hypercalld.iommu.unit;

import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.core.memory.PageSize;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What an invalidation costs: that depends on what it names, not on what else is remembered. */
class InvalidationCostTest {
  private static final int ENTRIES = 1 << 16;
  private static final int DOMAINS = 1 << 16;
  private static final int DOMAIN = 1;
  private static final int READ_WRITE = 3;
  private static final AddressSpaces SPACES = new AddressSpaces(DOMAINS, 0);

  private static Iotlb holding(int others, int domains) {
    Iotlb iotlb = new Iotlb(ENTRIES, DOMAINS, new RecentHits());
    for (int each = 0; each < others; each++) {
      put(iotlb, DOMAIN + 1 + each % domains, each / domains);
    }
    return iotlb;
  }

  private static void put(Iotlb iotlb, int domainId, long page) {
    long iova = page * PageSize.BYTES_4K;
    iotlb.put(domainId, iova, Leaf.of(iova + PageSize.SIZE_1G.bytes(), 1, READ_WRITE));
  }

  @ParameterizedTest
  @ValueSource(ints = {10, 8_000, 60_000})
  void pageSelective_looksAtOnePlaceOfEachSize_whateverElseIsRemembered(int others) {
    Iotlb iotlb = holding(others, 200);
    put(iotlb, DOMAIN, 7);

    iotlb.invalidatePages(DOMAIN, 7L * PageSize.BYTES_4K, 0);

    assertThat(iotlb.looks()).isEqualTo(3);
    assertThat(iotlb.find(DOMAIN, 7L * PageSize.BYTES_4K)).isEqualTo(Iotlb.MISS);
  }

  @ParameterizedTest
  @ValueSource(ints = {10, 8_000, 60_000})
  void pageSelective_ofARange_looksAtItsPages(int others) {
    Iotlb iotlb = holding(others, 200);

    iotlb.invalidatePages(DOMAIN, 0, 4);

    assertThat(iotlb.looks()).isEqualTo(16 + 1 + 1);
  }

  @ParameterizedTest
  @ValueSource(ints = {10, 8_000, 60_000})
  void domainSelective_looksAtNothing_whateverElseIsRemembered(int others) {
    Iotlb iotlb = holding(others, 200);
    put(iotlb, DOMAIN, 7);
    int held = iotlb.entries(SPACES).size();

    iotlb.invalidateSpace(DOMAIN);

    assertThat(iotlb.looks()).isZero();
    assertThat(iotlb.find(DOMAIN, 7L * PageSize.BYTES_4K)).isEqualTo(Iotlb.MISS);
    assertThat(iotlb.entries(SPACES)).hasSize(held - 1);
  }

  /** The epoch of a domain runs out now and then, and its entries are looked for one by one. */
  @Test
  void domainSelective_overTime_looksAtAFewEntriesForEach() {
    Iotlb iotlb = holding(8_000, 200);
    int commands = 1 << 16;

    for (int each = 0; each < commands; each++) {
      iotlb.invalidateSpace(DOMAIN);
    }

    assertThat(iotlb.looks()).isPositive().isLessThanOrEqualTo(4L * commands);
  }

  @ParameterizedTest
  @ValueSource(ints = {10, 65_000})
  void flushes_amongManyDomains_lookAtAsMuchAsAmongFew(int domains) {
    Iotlb iotlb = holding(ENTRIES / 2, domains);
    put(iotlb, DOMAIN, 3);

    iotlb.invalidatePages(DOMAIN, 3L * PageSize.BYTES_4K, 0);
    iotlb.invalidateSpace(DOMAIN);

    assertThat(iotlb.looks()).isEqualTo(3);
  }

  /** A unit of 65,536 domain-ids, all in use, switches a device from one to another. */
  @ParameterizedTest
  @ValueSource(ints = {10, 65_535})
  void contextOfADevice_amongManyDomains_isFetchedAndFlushedAsAmongFew(int domains) {
    try (CrowdedUnit it = new CrowdedUnit(domains)) {
      long before = it.entryReads();

      it.switchDomain();

      assertThat(it.entryReads() - before).as("root, context and a walk of four").isEqualTo(6);
    }
  }
}
