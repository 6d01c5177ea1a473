package io.hypercalld.iommu.unit;

import io.hypercalld.iommu.vtd.FaultReason;
import io.hypercalld.iommu.vtd.InterruptEntry;
import java.util.Optional;

/**
 * What a unit makes of an interrupt request, before anything follows from it. Immutable.
 *
 * @param index of the table's entry, 0 to 65535; 0 where none could be decoded
 * @param entry that decides; empty where the request passes as it was written, or was blocked
 *     before an entry was read
 * @param cached whether the interrupt-entry cache had it
 * @param fault why the request is blocked; empty where it is not
 */
record InterruptJudgement(
    int index, Optional<InterruptEntry> entry, boolean cached, Optional<FaultReason> fault) {
  static final InterruptJudgement PASSES =
      new InterruptJudgement(0, Optional.empty(), false, Optional.empty());

  static InterruptJudgement blocked(int index, FaultReason reason) {
    return new InterruptJudgement(index, Optional.empty(), false, Optional.of(reason));
  }

  /** Whether FPD keeps the fault out of the log. */
  boolean isSuppressed() {
    return fault.filter(FaultReason::isQualified).isPresent()
        && entry.filter(InterruptEntry::disablesFaultProcessing).isPresent();
  }
}
