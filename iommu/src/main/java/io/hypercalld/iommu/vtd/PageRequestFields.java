package io.hypercalld.iommu.vtd;

import static io.hypercalld.core.bits.BitField.bit;
import static io.hypercalld.core.bits.BitField.bits;
import static io.hypercalld.core.bits.BitField.reserved;

import io.hypercalld.core.bits.BitField;
import io.hypercalld.core.bits.WordLayout;

/**
 * The registers of the page request queue: PQH, PQT, PQA and PRS. Stateless.
 *
 * @see "VT-d §11.4.12"
 */
public final class PageRequestFields {
  public static final BitField PQH = bits("PQH", 18, 5);
  public static final WordLayout HEAD =
      WordLayout.covering("PQH", reserved(4, 0), PQH, reserved(63, 19));

  public static final BitField PQT = bits("PQT", 18, 5);
  public static final WordLayout TAIL =
      WordLayout.covering("PQT", reserved(4, 0), PQT, reserved(63, 19));

  /** log2 of the ring's 4 KiB pages. */
  public static final BitField PQS = bits("PQS", 2, 0);

  public static final BitField PQA = bits("PQA", 63, 12);
  public static final WordLayout ADDRESS = WordLayout.covering("PQA", PQS, reserved(11, 3), PQA);

  /** Pending page request: one has been queued that software has not seen. */
  public static final BitField PPR = bit("PPR", 0);

  /** Page request overflow: the queue was full, and takes nothing until this is cleared. */
  public static final BitField PRO = bit("PRO", 1);

  public static final WordLayout STATUS = WordLayout.covering("PRS", PPR, PRO, reserved(63, 2));

  private PageRequestFields() {}

  /**
   * The value of PQA_REG.
   *
   * @param maddr machine address of the ring, a multiple of 4 KiB
   * @param order log2 of the ring's 4 KiB pages, 0 to 7
   */
  public static long ring(long maddr, int order) {
    return PQA.of(maddr >>> PQA.lsb()) | PQS.of(order);
  }

  /** Machine address of the ring. */
  public static long base(long address) {
    return PQA.inPlace(address);
  }

  /** Bytes of the ring. */
  public static int bytes(long address) {
    return 1 << (PQA.lsb() + PQS.getInt(address));
  }
}
