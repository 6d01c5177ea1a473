package io.hypercalld.iommu.unit;

import io.hypercalld.iommu.vtd.FaultReason;
import java.util.List;
import java.util.Optional;

/**
 * What would become of an interrupt request now, and why. Immutable.
 *
 * @param verdict in words: {@code delivered}, {@code posted} or {@code blocked}, and how
 * @param reason the fault, where the request would be blocked
 * @param index of the table's entry; 0 where none can be decoded
 * @param cached whether the interrupt-entry cache would answer
 * @param stale whether it would answer what the table in memory contradicts
 * @param recorded whether the fault log would take the fault
 * @param steps what hardware looks at, in its order; the table is read though a cache answers
 * @param wouldPassIf what would have to be different, where the request would be blocked
 */
public record InterruptExplanation(
    String verdict,
    Optional<FaultReason> reason,
    int index,
    boolean cached,
    boolean stale,
    boolean recorded,
    List<ExplainStep> steps,
    Optional<String> wouldPassIf) {
  public InterruptExplanation {
    steps = List.copyOf(steps);
  }
}
