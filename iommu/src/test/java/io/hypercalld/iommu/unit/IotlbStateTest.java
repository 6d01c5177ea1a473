package io.hypercalld.iommu.unit;

import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.core.memory.PageSize;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The IOTLB against a list of translations that is searched from end to end. */
final class IotlbStateTest {
  private static final int DOMAINS = 4;
  private static final AddressSpaces SPACES = new AddressSpaces(256, 0);

  private record Key(int domainId, long iova, int level) {
    boolean covers(int domain, long address) {
      return domainId == domain && address >>> shift() == iova >>> shift();
    }

    boolean overlaps(int domain, long address, int addressMask) {
      int widest = Math.max(shift(), 12 + addressMask);
      return domainId == domain && (widest > 63 || address >>> widest == iova >>> widest);
    }

    private int shift() {
      return PageSize.ofLevel(level).shift();
    }
  }

  private static long iova(RandomGenerator random) {
    return (long) random.nextInt(2) << 30
        | (long) random.nextInt(3) << 21
        | (long) random.nextInt(40) << 12;
  }

  @ParameterizedTest
  @CsvSource({"1, 65536, true", "2, 65536, true", "3, 16, false", "4, 4, false"})
  void randomOperations_agreeWithAList(long seed, int entries, boolean keepsAll) {
    RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
    Iotlb iotlb = new Iotlb(entries, DOMAINS, new RecentHits());
    Map<Key, Long> model = new HashMap<>();
    for (int each = 0; each < 100_000; each++) {
      int domain = random.nextInt(DOMAINS);
      long iova = iova(random);
      switch (random.nextInt(40)) {
        case 0 -> {
          iotlb.invalidateSpace(domain);
          model.keySet().removeIf(key -> key.domainId == domain);
        }
        case 1 -> {
          int addressMask = random.nextInt(64);
          iotlb.invalidatePages(domain, iova, addressMask);
          model.keySet().removeIf(key -> key.overlaps(domain, iova, addressMask));
        }
        default -> lookUp(iotlb, model, new Key(domain, iova, 1 + random.nextInt(3)), keepsAll);
      }
    }
    assertThat(iotlb.entries(SPACES)).hasSizeLessThanOrEqualTo(entries);
  }

  private static void lookUp(Iotlb iotlb, Map<Key, Long> model, Key key, boolean keepsAll) {
    long peeked = iotlb.peek(key.domainId, key.iova);
    long leaf = iotlb.find(key.domainId, key.iova);
    List<Key> covering =
        model.keySet().stream().filter(each -> each.covers(key.domainId, key.iova)).toList();
    assertThat(Leaf.page(leaf)).isEqualTo(Leaf.page(peeked));
    if (leaf != Iotlb.MISS) {
      assertThat(covering).extracting(model::get).contains(Leaf.page(leaf));
    } else {
      assertThat(covering.isEmpty() || !keepsAll).isTrue();
      long page = (model.size() + 1L) << 30;
      covering.forEach(model::remove);
      iotlb.put(key.domainId, key.iova, Leaf.of(page, key.level, 3));
      model.put(new Key(key.domainId, key.iova >>> key.shift() << key.shift(), key.level), page);
    }
  }

  @Test
  void epochOfADomain_mayRunOut() {
    Iotlb iotlb = new Iotlb(16, DOMAINS, new RecentHits());
    for (int each = 0; each <= 1 << 19; each++) {
      iotlb.invalidateSpace(1);
    }
    iotlb.put(1, 0x5000, Leaf.of(0x9000, 1, 3));
    for (int each = 0; each < 1 << 19; each++) {
      iotlb.invalidateSpace(1);
      assertThat(each > 0 || iotlb.find(1, 0x5000) == Iotlb.MISS).isTrue();
    }

    assertThat(iotlb.find(1, 0x5000)).isEqualTo(Iotlb.MISS);
    iotlb.invalidateSpace(DOMAINS + 7);
  }

  @Test
  void consecutivePagesAndDomains_doNotPushEachOtherOut() {
    Iotlb iotlb = new Iotlb(8192, 256, new RecentHits());
    for (int domain = 0; domain < 256; domain++) {
      for (int page = 0; page < 24; page++) {
        iotlb.put(domain, page * 0x1000L, Leaf.of(0x1000, 1, 3));
      }
    }

    assertThat(iotlb.entries(SPACES).size()).isGreaterThan(256 * 24 * 9 / 10);
  }
}
