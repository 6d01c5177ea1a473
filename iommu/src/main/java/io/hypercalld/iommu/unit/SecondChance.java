package io.hypercalld.iommu.unit;

/**
 * Who makes room in a set of four entries: those whose numbers differ from the home's in the low
 * two bits. Stateless.
 */
final class SecondChance {
  static final int WAYS = 4;

  private SecondChance() {}

  /** The first entry from home on whose word is zero, or -1. */
  static int free(long[] words, int home) {
    for (int way = 0; way < WAYS; way++) {
      if (words[home ^ way] == 0) {
        return home ^ way;
      }
    }
    return -1;
  }

  /** The first entry from home on whose word lacks the mark of a hit; those passed lose theirs. */
  static int victim(long[] words, int home, long mark) {
    for (int way = 0; way < WAYS; way++) {
      if ((words[home ^ way] & mark) == 0) {
        return home ^ way;
      }
      words[home ^ way] &= ~mark;
    }
    return home;
  }
}
