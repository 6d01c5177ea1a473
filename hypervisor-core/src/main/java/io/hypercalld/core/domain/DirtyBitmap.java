package io.hypercalld.core.domain;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.memory.MachineMemory;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.memory.PagingPool;
import io.hypercalld.core.memory.WordProgression;
import io.hypercalld.core.p2m.Gfn;

/**
 * A bit for each guest frame, in pages of the paging pool: a trie of four levels whose leaves hold
 * 32,768 bits each. Confined to the machine thread.
 *
 * <p>A page is taken when the first bit under it is set, and kept until the bitmap is freed.
 *
 * @see "xen/arch/x86/mm/paging.c, paging_mark_pfn_dirty"
 */
final class DirtyBitmap implements Digestible {
  private static final int LEAF_SHIFT = PageSize.SHIFT_4K + 3;

  /** Frames whose bits are in one page. */
  static final int LEAF_FRAMES = 1 << LEAF_SHIFT;

  private static final int NODE_SHIFT = 9;
  private static final int ROOT_LEVEL = 4;
  private static final int ENTRIES = 1 << NODE_SHIFT;
  private static final long NONE = -1L;

  private final MachineMemory memory;
  private final PagingPool pool;
  private long root = NONE;

  DirtyBitmap(MachineMemory memory, PagingPool pool) {
    this.memory = memory;
    this.pool = pool;
  }

  /**
   * Sets a frame's bit.
   *
   * @return whether it was clear
   * @throws io.hypercalld.core.errno.Refusal ENOMEM where the pool has no page for it; the bit is
   *     lost
   */
  boolean set(Gfn gfn) {
    long at = wordAt(growTo(gfn.value()), gfn.value());
    long bit = 1L << gfn.value();
    long word = memory.readWord(at);
    memory.writeWord(at, word | bit);
    return (word & bit) == 0;
  }

  /**
   * Clears a frame's bit.
   *
   * @return whether it was set
   */
  boolean clear(Gfn gfn) {
    long leaf = find(gfn.value());
    if (leaf == NONE) {
      return false;
    }
    long at = wordAt(leaf, gfn.value());
    long bit = 1L << gfn.value();
    long word = memory.readWord(at);
    memory.writeWord(at, word & ~bit);
    return (word & bit) != 0;
  }

  /**
   * The bits of frames that one leaf has, lowest bit of the lowest byte first.
   *
   * @param from a multiple of {@link #LEAF_FRAMES}
   * @param count at most as many
   */
  byte[] read(long from, int count) {
    byte[] bits = new byte[(count + Byte.SIZE - 1) / Byte.SIZE];
    long leaf = find(from);
    if (leaf != NONE) {
      memory.read(leaf << PageSize.SHIFT_4K, bits, 0, bits.length);
    }
    if (count % Byte.SIZE != 0) {
      bits[bits.length - 1] &= (byte) ((1 << (count % Byte.SIZE)) - 1);
    }
    return bits;
  }

  /** Clears every bit of the leaf that has a frame's; the page stays. */
  void clearLeaf(long frame) {
    long leaf = find(frame);
    if (leaf != NONE) {
      memory.scrub(new Mfn(leaf), 1);
    }
  }

  /**
   * Gives pages back to the pool.
   *
   * @param limit about as many in this step
   * @return whether none is left
   */
  boolean free(int limit) {
    int left = limit;
    while (root != NONE && left > 0) {
      left -= freeBranch();
    }
    return root == NONE;
  }

  /** Gives back the first leaf and the nodes that lead to nothing else. */
  private int freeBranch() {
    long[] path = new long[ROOT_LEVEL + 1];
    int[] index = new int[ROOT_LEVEL + 1];
    path[ROOT_LEVEL] = root;
    int level = ROOT_LEVEL;
    while (level > 1 && (index[level] = firstChild(path[level])) < ENTRIES) {
      path[level - 1] = child(path[level], index[level]);
      level--;
    }
    int freed = 0;
    do {
      pool.give(path[level]);
      freed++;
      level++;
      if (level <= ROOT_LEVEL) {
        memory.writeWord(childAt(path[level], index[level]), NONE);
      }
    } while (level <= ROOT_LEVEL && firstChild(path[level]) == ENTRIES);
    root = level > ROOT_LEVEL ? NONE : root;
    return freed;
  }

  private int firstChild(long node) {
    int index = 0;
    while (index < ENTRIES && child(node, index) == NONE) {
      index++;
    }
    return index;
  }

  /** Pages of the pool that it takes. */
  int pages() {
    return count(root, ROOT_LEVEL);
  }

  private int count(long page, int level) {
    if (page == NONE) {
      return 0;
    }
    int pages = 1;
    for (int i = 0; level > 1 && i < ENTRIES; i++) {
      pages += count(child(page, i), level - 1);
    }
    return pages;
  }

  private long growTo(long gfn) {
    if (root == NONE) {
      root = takeNode();
    }
    long page = root;
    for (int level = ROOT_LEVEL; level > 1; level--) {
      long at = childAt(page, index(gfn, level));
      long next = memory.readWord(at);
      if (next == NONE) {
        next = level == 2 ? pool.take() : takeNode();
        memory.writeWord(at, next);
      }
      page = next;
    }
    return page;
  }

  private long takeNode() {
    long page = pool.take();
    memory.fillWords(page << PageSize.SHIFT_4K, ENTRIES, new WordProgression(NONE, 0));
    return page;
  }

  private long find(long gfn) {
    long page = root;
    for (int level = ROOT_LEVEL; level > 1 && page != NONE; level--) {
      page = child(page, index(gfn, level));
    }
    return page;
  }

  private long child(long node, int index) {
    return memory.readWord(childAt(node, index));
  }

  private static long childAt(long node, int index) {
    return (node << PageSize.SHIFT_4K) + (long) index * Long.BYTES;
  }

  private static int index(long gfn, int level) {
    return (int) (gfn >>> (LEAF_SHIFT + NODE_SHIFT * (level - 2))) & (ENTRIES - 1);
  }

  private static long wordAt(long leaf, long gfn) {
    long bit = gfn & ((1L << LEAF_SHIFT) - 1);
    return (leaf << PageSize.SHIFT_4K) + (bit / Long.SIZE) * Long.BYTES;
  }

  /** Its pages are machine memory; what they do not say is told here. */
  @Override
  public void digest(StateDigest digest) {
    digest.section("dirty-bitmap").put(root);
  }
}
