package io.hypercalld.iommu.unit;

import io.hypercalld.iommu.vtd.FaultReason;
import io.hypercalld.iommu.vtd.InterruptMessage;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What became of an interrupt request. Immutable.
 *
 * @see "VT-d §5.1.3, §5.2.3"
 */
public sealed interface InterruptOutcome {
  /**
   * It went to the processors.
   *
   * @param index of the entry that remapped it; empty where it passed as it was written
   */
  record Delivered(InterruptMessage message, OptionalInt index) implements InterruptOutcome {}

  /**
   * It was posted to a descriptor in memory.
   *
   * @param index of the entry
   * @param descriptor machine address
   * @param vector the virtual vector whose request bit is set now
   * @param notification what was sent to the processor; empty where one is outstanding or
   *     suppressed
   */
  record Posted(int index, long descriptor, int vector, Optional<InterruptMessage> notification)
      implements InterruptOutcome {}

  /**
   * It was dropped.
   *
   * @param index as far as it could be decoded, 0 to 65535
   * @param recorded whether the fault log took the fault; not where FPD or an overflow kept it out
   */
  record Blocked(FaultReason reason, int index, boolean recorded) implements InterruptOutcome {}
}
