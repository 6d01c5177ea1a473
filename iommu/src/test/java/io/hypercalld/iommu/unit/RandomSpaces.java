package io.hypercalld.iommu.unit;

import io.hypercalld.iommu.vtd.AddressWidth;
import io.hypercalld.iommu.vtd.PasidEntry;
import io.hypercalld.iommu.vtd.PasidPrefix;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;

/**
 * Scalable mode's tables of which much is right and something is wrong: few pages, few PASIDs,
 * small numbers, so that requests meet them.
 */
final class RandomSpaces {
  private static final int PAGES = 10;
  private static final long FIRST_PAGE = 0x100_0000L;

  final RandomGenerator random;
  private final ScalableUnit it;

  RandomSpaces(ScalableUnit it, long seed) {
    this.it = it;
    this.random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
  }

  private long page() {
    return FIRST_PAGE + random.nextInt(PAGES) * 0x1000L;
  }

  private long oddBits(int oneIn) {
    return random.nextInt(oneIn) == 0 ? 1L << random.nextInt(64) : 0;
  }

  long iova() {
    long iova =
        (long) random.nextInt(2) << 39
            | (long) random.nextInt(2) << 30
            | (long) random.nextInt(2) << 21
            | (long) random.nextInt(3) << 12
            | random.nextInt(0x1000);
    return iova | oddBits(20);
  }

  /** Addresses that first-level tables hold are second-level input addresses too. */
  void edit() {
    if (random.nextInt(8) == 0) {
      it.pasid(prefix(), entry());
      return;
    }
    long slot = page() + random.nextInt(4) * 8L;
    long target = random.nextInt(12) == 0 ? 0xfee0_0000L : page();
    long bits =
        switch (random.nextInt(8)) {
          case 0 -> 0;
          case 1 -> random.nextInt(8);
          case 2 -> 0x87;
          default -> 7;
        };
    long address =
        bits == 0x87 ? (long) random.nextInt(3) << (random.nextBoolean() ? 21 : 30) : target;
    it.memory.writeWord(slot, address | bits | oddBits(15));
  }

  private PasidEntry entry() {
    AddressWidth width = random.nextInt(4) == 0 ? AddressWidth.BITS_39 : AddressWidth.BITS_48;
    int domain = 1 + random.nextInt(3);
    PasidEntry entry =
        switch (random.nextInt(5)) {
          case 0 -> PasidEntry.secondLevel(page(), width, domain);
          case 1, 2 -> PasidEntry.firstLevel(page(), domain);
          case 3 -> PasidEntry.firstLevel(page(), domain).nestedIn(page(), width);
          default -> PasidEntry.passingThrough(domain);
        };
    long switches = random.nextInt(256) & ~(random.nextInt(4) == 0 ? 0 : 0b1000);
    long marks = random.nextBoolean() ? PasidEntry.SLADE.mask() : 0;
    return new PasidEntry(
        entry.q0() | marks | oddBits(25), entry.q1() | oddBits(40), entry.q2() | switches, 0);
  }

  PasidPrefix prefix() {
    int pasid = ScalableUnit.USER.pasid() + random.nextInt(2);
    return random.nextInt(4) == 0
        ? PasidPrefix.NONE
        : new PasidPrefix(true, pasid, random.nextInt(3) == 0, false);
  }

  void invalidate() {
    int domain = 1 + random.nextInt(3);
    switch (random.nextInt(5)) {
      case 0 -> it.invalidateDomain(domain);
      case 1 -> it.invalidatePages(domain, iova() & 0xff_ffff_f000L, 3, random.nextBoolean());
      case 2 -> it.invalidatePasid(domain, ScalableUnit.USER.pasid());
      case 3 -> it.invalidatePasidEntry(domain, ScalableUnit.USER.pasid());
      default -> it.forgetEverything();
    }
  }
}
