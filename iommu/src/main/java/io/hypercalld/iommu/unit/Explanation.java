package io.hypercalld.iommu.unit;

import io.hypercalld.core.memory.PageSize;
import io.hypercalld.iommu.vtd.FaultReason;
import java.util.List;
import java.util.Optional;

/**
 * What would become of a request now, and why. Immutable.
 *
 * @param outcome what {@link RemappingUnit#translate} would answer
 * @param reason the fault, where it would be one
 * @param maddr the machine address, where the request would pass
 * @param page size of the page that would translate it
 * @param cached whether the IOTLB would answer
 * @param stale whether a cached entry would be used that the tables in memory contradict
 * @param recorded whether the fault log would take the fault
 * @param steps what hardware looks at, in its order; tables that a cache makes it skip included
 * @param wouldPassIf what would have to be different, where the request would be blocked
 */
public record Explanation(
    Translation.Outcome outcome,
    Optional<FaultReason> reason,
    long maddr,
    PageSize page,
    boolean cached,
    boolean stale,
    boolean recorded,
    List<ExplainStep> steps,
    Optional<String> wouldPassIf) {
  public Explanation {
    steps = List.copyOf(steps);
  }

  /** The same, found with the help of a cache or not. */
  Explanation found(boolean inCache, boolean contradicted) {
    return new Explanation(
        outcome, reason, maddr, page, inCache, contradicted, recorded, steps, wouldPassIf);
  }

  /** Whether the request would pass. */
  public boolean passes() {
    return outcome == Translation.Outcome.UNTRANSLATED || outcome == Translation.Outcome.MAPPED;
  }

  /** The outcome in words: {@code maps to 0x1000} or {@code blocked}. */
  public String verdict() {
    return switch (outcome) {
      case UNTRANSLATED -> "passes untranslated to 0x%x".formatted(maddr);
      case MAPPED -> "maps to 0x%x".formatted(maddr);
      case FAULTED, PROTECTED -> "blocked";
    };
  }
}
