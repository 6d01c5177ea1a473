package io.hypercalld.core.hypercall;

import java.util.ArrayList;
import java.util.List;

/** What {@link AddToPhysmapBatch} returns: 0 or a negative errno for each element. Immutable. */
public record BatchErrors(List<Integer> errs) implements Written {
  public BatchErrors {
    errs = List.copyOf(errs);
  }

  @Override
  public BatchErrors after(Written earlier) {
    List<Integer> all = new ArrayList<>(((BatchErrors) earlier).errs);
    all.addAll(errs);
    return new BatchErrors(all);
  }
}
