package io.hypercalld.core.hypercall;

import java.util.List;

/** What {@link AddToPhysmapBatch} returns: 0 or a negative errno for each element. Immutable. */
public record BatchErrors(List<Integer> errs) {
  public BatchErrors {
    errs = List.copyOf(errs);
  }
}
