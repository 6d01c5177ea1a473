package io.hypercalld.core.hypercall;

import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.p2m.Gfn;
import java.util.List;

/**
 * {@code setup_table}: have a grant table of at least so many pages, and learn where they are.
 *
 * <p>Answers 0 with a {@code GNTST_*} status: 0 okay, -1 more pages than there may be, -2 no such
 * domain, -8 not privileged.
 *
 * @see "Xen GNTTABOP_setup_table"
 */
public record SetupGrantTable(DomainId dom, long nrFrames) implements Hypercall {
  /** What it returns: guest frames, all ones where the page is not mapped; frames if PV. */
  public record Frames(int status, List<Gfn> frameList) {
    public Frames {
      frameList = List.copyOf(frameList);
    }
  }
}
