package io.hypercalld.core.ranges;

/**
 * Numbers from {@code first} to {@code last}, both included, unsigned. Immutable.
 *
 * @param last not less than {@code first}
 */
public record NumberRange(long first, long last) {
  public NumberRange {
    if (Long.compareUnsigned(first, last) > 0) {
      throw new IllegalArgumentException("a range that ends before it begins");
    }
  }

  /** The range of that many numbers, at least one; they may not go beyond 2^64. */
  public static NumberRange of(long first, long count) {
    return new NumberRange(first, first + count - 1);
  }

  /** How many numbers there are; 0 stands for 2^64. */
  public long count() {
    return last - first + 1;
  }

  public boolean contains(NumberRange other) {
    return Long.compareUnsigned(first, other.first) <= 0
        && Long.compareUnsigned(other.last, last) <= 0;
  }

  public boolean overlaps(NumberRange other) {
    return Long.compareUnsigned(first, other.last) <= 0
        && Long.compareUnsigned(other.first, last) <= 0;
  }

  @Override
  public String toString() {
    return "0x" + Long.toHexString(first) + "-0x" + Long.toHexString(last);
  }
}
