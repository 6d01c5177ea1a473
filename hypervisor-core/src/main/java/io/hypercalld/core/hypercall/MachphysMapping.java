package io.hypercalld.core.hypercall;

import io.hypercalld.core.bits.Word;

/**
 * {@code machphys_mapping}: where a PV guest sees the table from frames to guest frames. Never
 * refused but with {@code EINVAL} for a start_extent.
 *
 * @see "Xen XENMEM_machphys_mapping"
 */
public record MachphysMapping(@OrElse("0") long startExtent) implements Hypercall {
  /** What it returns; the last is the number of the last entry. Immutable. */
  public record Window(Word vStart, Word vEnd, Word maxMfn) {}
}
