package io.hypercalld.iommu.vtd;

import static io.hypercalld.core.bits.BitField.bit;
import static io.hypercalld.core.bits.BitField.bits;
import static io.hypercalld.core.bits.BitField.reserved;

import io.hypercalld.core.bits.BitField;
import io.hypercalld.core.bits.WordLayout;

/**
 * The 64 bytes in memory to which interrupts of a virtual processor are posted: 256 request bits,
 * then one control word. Stateless.
 *
 * <pre>
 *       63                32 31      24 23    16 15            2   1    0
 *      +--------------------+----------+--------+--------------+----+----+
 * +32  |        NDST        | reserved |   NV   |   reserved   | SN | ON |
 *      +--------------------+----------+--------+--------------+----+----+
 * </pre>
 *
 * @see "VT-d §9.11"
 */
public final class PostedDescriptor {
  /** Bytes of a descriptor. */
  public static final int BYTES = 64;

  /** log2 of its alignment. */
  public static final int ALIGNMENT_BITS = 6;

  /** Offset of the control word. */
  public static final int CONTROL_OFFSET = 32;

  /** Outstanding notification: one has been sent and the processor has not looked since. */
  public static final BitField ON = bit("ON", 0);

  /** Suppress notification. */
  public static final BitField SN = bit("SN", 1);

  /** Notification vector: a physical one. */
  public static final BitField NV = bits("NV", 23, 16);

  /** Notification destination: an x2APIC id, or an xAPIC id in {@link #XAPIC_NDST}. */
  public static final BitField NDST = bits("NDST", 63, 32);

  public static final WordLayout CONTROL =
      WordLayout.covering("posted-descriptor", ON, SN, reserved(15, 2), NV, reserved(31, 24), NDST);

  private static final BitField XAPIC_NDST = bits("xAPIC NDST", 47, 40);

  private PostedDescriptor() {}

  /** Byte offset of the word with the request bit of a vector. */
  public static int requestOffset(int vector) {
    return vector / Long.SIZE * Long.BYTES;
  }

  /** The request bit of a vector, in the word at {@link #requestOffset}. */
  public static long requestBit(int vector) {
    return 1L << vector % Long.SIZE;
  }

  /**
   * A control word.
   *
   * @param vector notification vector
   * @param destination APIC id
   * @param extended whether the id has 32 bits
   */
  public static long control(int vector, int destination, boolean extended) {
    return NV.of(vector) | (extended ? NDST : XAPIC_NDST).of(Integer.toUnsignedLong(destination));
  }

  /** The notification that a control word asks for. */
  public static InterruptMessage notification(long control, boolean extended) {
    return InterruptMessage.fixed(
        NV.getInt(control), (int) (extended ? NDST : XAPIC_NDST).get(control));
  }
}
