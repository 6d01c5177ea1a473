package io.hypercalld.iommu.vtd;

import static io.hypercalld.core.bits.BitField.bit;
import static io.hypercalld.core.bits.BitField.bits;
import static io.hypercalld.core.bits.BitField.reserved;

import io.hypercalld.core.bits.BitField;
import io.hypercalld.core.bits.WordLayout;

/**
 * The registers of the invalidation queue: IQH, IQT, IQA, ICS and IQERCD. Stateless.
 *
 * @see "VT-d §11.4.9"
 */
public final class InvalidationQueueFields {
  public static final BitField QH = bits("QH", 18, 4);
  public static final WordLayout HEAD =
      WordLayout.covering("IQH", reserved(3, 0), QH, reserved(63, 19));

  public static final BitField QT = bits("QT", 18, 4);
  public static final WordLayout TAIL =
      WordLayout.covering("IQT", reserved(3, 0), QT, reserved(63, 19));

  /** log2 of the ring's 4 KiB pages. */
  public static final BitField QS = bits("QS", 2, 0);

  /** Descriptors are 256 bits wide. */
  public static final BitField DW = bit("DW", 11);

  public static final BitField IQA = bits("IQA", 63, 12);
  public static final WordLayout ADDRESS = WordLayout.covering("IQA", QS, reserved(10, 3), DW, IQA);

  /** A wait descriptor with an interrupt flag has completed. */
  public static final BitField IWC = bit("IWC", 0);

  public static final WordLayout COMPLETION = WordLayout.covering("ICS", IWC, reserved(63, 1));

  /** Why the queue stopped: a {@link QueueError}. */
  public static final BitField IQEI = bits("IQEI", 3, 0);

  public static final BitField ITESID = bits("ITESID", 47, 32);
  public static final BitField ICESID = bits("ICESID", 63, 48);
  public static final WordLayout ERROR =
      WordLayout.covering("IQERCD", IQEI, reserved(31, 4), ITESID, ICESID);

  private InvalidationQueueFields() {}

  /**
   * The value of IQA_REG for a ring of 128-bit descriptors.
   *
   * @param maddr machine address of the ring, a multiple of 4 KiB
   * @param order log2 of the ring's 4 KiB pages, 0 to 7
   */
  public static long ring(long maddr, int order) {
    return IQA.of(maddr >>> IQA.lsb()) | QS.of(order);
  }

  /** The same for a ring of 256-bit descriptors. */
  public static long wideRing(long maddr, int order) {
    return DW.set(ring(maddr, order));
  }

  /** Machine address of the ring. */
  public static long base(long address) {
    return IQA.inPlace(address);
  }

  /** Bytes of the ring. */
  public static int bytes(long address) {
    return 1 << (IQA.lsb() + QS.getInt(address));
  }
}
