package io.hypercalld.iommu.unit;

import java.util.List;

/**
 * What became of a whole DMA. Immutable.
 *
 * @param segments one per 4 KiB page touched, ascending; one of length 0 for an empty request
 */
public record DmaOutcome(List<DmaSegment> segments) {
  /** The outcome in one word. */
  public enum Verdict {
    DONE,
    PARTIAL,
    BLOCKED
  }

  public DmaOutcome {
    segments = List.copyOf(segments);
  }

  public Verdict verdict() {
    long done = segments.stream().filter(DmaSegment::isDone).count();
    if (done == segments.size()) {
      return Verdict.DONE;
    }
    return done == 0 ? Verdict.BLOCKED : Verdict.PARTIAL;
  }
}
