package io.hypercalld.ioreq.dispatch;

import com.google.errorprone.annotations.FormatMethod;
import com.google.errorprone.annotations.FormatString;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;

/**
 * A repeated string instruction: {@code rep movs} and {@code rep stos} to or from memory, {@code
 * rep ins} and {@code rep outs} at a port. Immutable.
 *
 * @param place where its elements are that are not plain RAM, or may be
 * @param elements how many there are and how they lie
 * @param reads from the place, rather than to it
 * @param operand the other end
 */
public record RepeatedAccess(
    int vcpu, Place place, Elements elements, boolean reads, Operand operand) {
  private static final long PORTS = 0x1_0000;

  /** {@code ecx}, from which the hypervisor takes the number of elements of a request. */
  private static final long MOST = 0xffff_ffffL;

  /** Where the first element is. */
  public record Place(Space space, Word address) {}

  /** What an address is one of. */
  public enum Space {
    MEMORY,
    /** A port, which is the same for each element. */
    PORT
  }

  /**
   * How many elements there are.
   *
   * @param size bytes of each: 1, 2, 4 or 8
   * @param down whether each lies below the one before, as with the direction flag set
   */
  public record Elements(int size, long count, boolean down) {}

  /** The other end. */
  public sealed interface Operand {
    /** As many elements of RAM, from this guest-physical address on. */
    record Ram(Word gpa) implements Operand {}

    /** The same number for each. */
    record Value(Word data) implements Operand {}
  }

  /** Refuses what no instruction does. */
  void check() {
    boolean port = place.space == Space.PORT;
    int size = elements.size;
    int most = port ? Integer.BYTES : Long.BYTES;
    require(
        size >= 1 && size <= most && Integer.bitCount(size) == 1,
        "no instruction repeats elements of %d bytes",
        size);
    require(
        elements.count >= 1 && elements.count <= MOST,
        "no instruction repeats %d times",
        elements.count);
    if (port) {
      long first = place.address.value();
      require(
          first >= 0 && first <= PORTS - size,
          "%d bytes at port 0x%x go beyond the last",
          size,
          first);
    } else {
      requireSpan(place.address);
    }
    switch (operand) {
      case Operand.Ram(Word gpa) -> requireSpan(gpa);
      case Operand.Value(Word data) -> {
        require(!reads && !port, "a %s needs memory at its other end", port ? "port" : "read");
        require(
            size == Long.BYTES || data.value() >>> (size * Byte.SIZE) == 0,
            "%s has more than %d bytes",
            data,
            size);
      }
    }
  }

  private void requireSpan(Word address) {
    long others = (elements.count - 1) * elements.size;
    long at = address.value();
    boolean inside =
        elements.down
            ? Long.compareUnsigned(others, at) <= 0
                && Long.compareUnsigned(at + elements.size - 1, at) >= 0
            : Long.compareUnsigned(at + others + elements.size - 1, at) >= 0;
    require(inside, "%d elements from %s wrap around", elements.count, address);
  }

  @FormatMethod
  private static void require(boolean condition, @FormatString String format, Object... values) {
    if (!condition) {
      throw Refusal.of(Errno.EINVAL, format, values);
    }
  }
}
