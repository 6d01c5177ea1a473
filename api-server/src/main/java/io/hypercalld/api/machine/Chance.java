package io.hypercalld.api.machine;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;

/**
 * Numbers that look like chance and follow from a seed: the same on every machine. Confined to the
 * machine thread.
 *
 * @see "Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, OOPSLA 2014"
 */
final class Chance implements Digestible {
  private static final double UNIT = 0x1.0p-53;

  private long state;

  Chance(long seed) {
    this.state = seed;
  }

  /** At least 0 and less than 1, all alike. */
  double next() {
    state += 0x9e3779b97f4a7c15L;
    long mixed = (state ^ (state >>> 30)) * 0xbf58476d1ce4e5b9L;
    mixed = (mixed ^ (mixed >>> 27)) * 0x94d049bb133111ebL;
    return ((mixed ^ (mixed >>> 31)) >>> 11) * UNIT;
  }

  /** Normally distributed around 0, with deviation 1. */
  double nextNormal() {
    double radius = StrictMath.sqrt(-2 * StrictMath.log(1 - next()));
    return radius * StrictMath.cos(2 * StrictMath.PI * next());
  }

  @Override
  public void digest(StateDigest digest) {
    digest.put(state);
  }
}
