package io.hypercalld.api.conformance;

import io.hypercalld.iommu.unit.DmaSegment;

/** What the judge sees of a machine. Every sight but {@link #EXACT} is that of another machine. */
interface Instruments {
  /** What there is. */
  Instruments EXACT = new Instruments() {};

  /** What becomes of a request within a page. */
  default DmaSegment.End end(DmaSegment.End there) {
    return there;
  }

  /** What a 32-bit word of the register window holds. */
  default long word(int offset, long there) {
    return there;
  }
}
