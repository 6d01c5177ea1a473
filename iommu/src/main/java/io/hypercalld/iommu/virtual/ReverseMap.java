package io.hypercalld.iommu.virtual;

import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Which blocks of 512 pages of a device's address space lead to a block of 512 guest frames.
 * Confined to the machine thread.
 */
final class ReverseMap {
  private static final int SHIFT = 9;
  private static final long[] NOTHING = {};

  /** Blocks of pages by block of guest frames. */
  private final TreeMap<Long, TreeSet<Long>> blocks = new TreeMap<>();

  /** A block of pages leads elsewhere than before. */
  void replace(long block, long @Nullable [] before, long @Nullable [] now) {
    long[] old = targets(before);
    long[] wanted = targets(now);
    if (Arrays.equals(old, wanted)) {
      return;
    }
    for (long target : old) {
      remove(target, block);
    }
    for (long target : wanted) {
      blocks.computeIfAbsent(target, _ -> new TreeSet<>()).add(block);
    }
  }

  private void remove(long target, long block) {
    TreeSet<Long> there = blocks.get(target);
    if (there != null && there.remove(block) && there.isEmpty()) {
      blocks.remove(target);
    }
  }

  /** The blocks of guest frames that words lead to, each once, ascending. */
  private static long[] targets(long @Nullable [] words) {
    if (words == null) {
      return NOTHING;
    }
    if (words.length == 1) {
      long first = PageWord.gfn(words[0]) >>> SHIFT;
      long last = (PageWord.gfn(words[0]) + CapturedTable.PAGES - 1) >>> SHIFT;
      return first == last ? new long[] {first} : new long[] {first, last};
    }
    long[] found = new long[words.length];
    int count = 0;
    for (long word : words) {
      long target = PageWord.gfn(word) >>> SHIFT;
      if (word != PageWord.ABSENT && (count == 0 || found[count - 1] != target)) {
        found[count++] = target;
      }
    }
    return Arrays.stream(found, 0, count).sorted().distinct().toArray();
  }

  /** The blocks of pages that may lead to guest frames of a range, ascending. */
  Collection<Long> near(long gfn, long frames) {
    List<TreeSet<Long>> there =
        List.copyOf(
            blocks.subMap(gfn >>> SHIFT, true, (gfn + frames - 1) >>> SHIFT, true).values());
    TreeSet<Long> found = new TreeSet<>();
    there.forEach(found::addAll);
    return found;
  }
}
