package io.hypercalld.iommu.unit;

import io.hypercalld.iommu.pci.SourceId;
import io.hypercalld.iommu.vtd.AddressWidth;
import io.hypercalld.iommu.vtd.ContextEntry;
import io.hypercalld.iommu.vtd.RootEntry;
import io.hypercalld.iommu.vtd.SecondStageEntry;
import io.hypercalld.iommu.vtd.TranslationType;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;

/**
 * Tables of which much is right and something is wrong: few pages, few requesters, small numbers,
 * so that requests meet them.
 */
final class RandomTables {
  private static final int PAGES = 12;
  private static final long FIRST_PAGE = 0x40_0000L;

  final RandomGenerator random;
  private final SimulatedUnit it;

  RandomTables(SimulatedUnit it, long seed) {
    this.it = it;
    this.random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
    for (int each = 0; each < 400; each++) {
      edit();
    }
  }

  private long page() {
    return FIRST_PAGE + random.nextInt(PAGES) * 0x1000L;
  }

  private long oddBits(int oneIn) {
    return random.nextInt(oneIn) == 0 ? 1L << random.nextInt(64) : 0;
  }

  /** An address that is often the same as before, on some page or its border. */
  long iova() {
    long index = random.nextInt(3);
    long iova =
        index << 39
            | (long) random.nextInt(3) << 30
            | (long) random.nextInt(3) << 21
            | (long) random.nextInt(3) << 12
            | random.nextInt(0x1000);
    return iova | oddBits(20);
  }

  SourceId requester() {
    return new SourceId(random.nextInt(2) << 8 | random.nextInt(4));
  }

  /** Changes one word of the tables. */
  void edit() {
    switch (random.nextInt(12)) {
      case 0 -> root();
      case 1 -> context();
      default -> paging();
    }
  }

  private void root() {
    long lo = random.nextInt(4) == 0 ? 0 : RootEntry.to(page()).lo();
    it.root(requester(), lo | oddBits(10), oddBits(20));
  }

  private void context() {
    long table = random.nextInt(20) == 0 ? SimulatedUnit.BEYOND_RAM : page();
    AddressWidth width = random.nextBoolean() ? AddressWidth.BITS_48 : AddressWidth.BITS_39;
    TranslationType type =
        random.nextInt(8) == 0 ? TranslationType.PASS_THROUGH : TranslationType.SECOND_STAGE;
    ContextEntry entry = ContextEntry.of(type, table, width, random.nextInt(3) + 1);
    long slot = page() + random.nextLong(4) * ContextEntry.BYTES;
    it.memory.writeWord(slot, entry.lo() | oddBits(8));
    it.memory.writeWord(slot + 8, entry.hi() | oddBits(8));
  }

  private void paging() {
    long entry =
        switch (random.nextInt(10)) {
          case 0 -> 0;
          case 1 -> 0xfee0_0003L;
          case 2 -> SimulatedUnit.BEYOND_RAM | 3;
          case 3 -> page() | 1 + random.nextInt(2);
          case 4 -> (long) random.nextInt(4) << 30 | 0x83;
          case 5 -> (long) random.nextInt(64) << 21 | 0x83;
          default -> page() | SecondStageEntry.READ_WRITE;
        };
    it.memory.writeWord(page() + random.nextInt(4) * 8L, entry | oddBits(12));
  }
}
