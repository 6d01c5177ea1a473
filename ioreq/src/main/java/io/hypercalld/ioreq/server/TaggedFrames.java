package io.hypercalld.ioreq.server;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import java.util.BitSet;
import java.util.TreeMap;
import java.util.function.LongConsumer;

/**
 * A set of guest frames that costs by its members, wherever they are. Confined to the machine
 * thread.
 */
final class TaggedFrames implements Digestible {
  private static final int BLOCK_SHIFT = 9;
  private static final int BLOCK = 1 << BLOCK_SHIFT;

  private final TreeMap<Long, BitSet> blocks = new TreeMap<>();

  void add(long gfn) {
    blocks.computeIfAbsent(gfn >>> BLOCK_SHIFT, _ -> new BitSet(BLOCK)).set(bit(gfn));
  }

  void remove(long gfn) {
    BitSet block = blocks.get(gfn >>> BLOCK_SHIFT);
    if (block != null) {
      block.clear(bit(gfn));
      if (block.isEmpty()) {
        blocks.remove(gfn >>> BLOCK_SHIFT);
      }
    }
  }

  boolean isEmpty() {
    return blocks.isEmpty();
  }

  /** The lowest; there has to be one. */
  long first() {
    var block = blocks.firstEntry();
    return (block.getKey() << BLOCK_SHIFT) + block.getValue().nextSetBit(0);
  }

  /** Visits all, ascending; they are not to be changed meanwhile. */
  void forEach(LongConsumer visitor) {
    blocks.forEach(
        (number, block) ->
            block.stream().forEach(bit -> visitor.accept((number << BLOCK_SHIFT) + bit)));
  }

  void clear() {
    blocks.clear();
  }

  private static int bit(long gfn) {
    return (int) gfn & (BLOCK - 1);
  }

  @Override
  public void digest(StateDigest digest) {
    forEach(digest::put);
    digest.put(-1L);
  }
}
