package io.hypercalld.core.interrupt;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;

/** One bit for each of 256 vectors, as in IRR, ISR and TMR. Confined to the machine thread. */
final class VectorSet implements Digestible {
  private static final int WORDS = 4;

  private final long[] bits = new long[WORDS];

  boolean has(int vector) {
    return (bits[vector / Long.SIZE] >>> vector & 1) != 0;
  }

  void put(int vector, boolean present) {
    if (present) {
      bits[vector / Long.SIZE] |= 1L << vector;
    } else {
      bits[vector / Long.SIZE] &= ~(1L << vector);
    }
  }

  /** The highest vector, which has the highest priority. */
  OptionalInt highest() {
    for (int word = WORDS - 1; word >= 0; word--) {
      if (bits[word] != 0) {
        return OptionalInt.of(
            word * Long.SIZE + Long.SIZE - 1 - Long.numberOfLeadingZeros(bits[word]));
      }
    }
    return OptionalInt.empty();
  }

  /** Every vector, ascending. */
  List<Integer> all() {
    List<Integer> vectors = new ArrayList<>();
    for (int vector = 0; vector < WORDS * Long.SIZE; vector++) {
      if (has(vector)) {
        vectors.add(vector);
      }
    }
    return vectors;
  }

  void clear() {
    Arrays.fill(bits, 0);
  }

  @Override
  public void digest(StateDigest digest) {
    for (long word : bits) {
      digest.put(word);
    }
  }
}
