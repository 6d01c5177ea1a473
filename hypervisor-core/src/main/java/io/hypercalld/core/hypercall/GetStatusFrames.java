package io.hypercalld.core.hypercall;

import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.p2m.Gfn;
import java.util.List;

/**
 * {@code get_status_frames}: where the pages of status words of a grant table of version 2 are.
 *
 * <p>Answers 0 with a {@code GNTST_*} status: 0 okay, -1 more pages than there are, -2 no such
 * domain, -8 not privileged.
 *
 * @see "Xen GNTTABOP_get_status_frames"
 */
public record GetStatusFrames(long nrFrames, DomainId dom) implements Hypercall {
  /** What it returns: guest frames, all ones where the page is not mapped; frames if PV. */
  public record Frames(int status, List<Gfn> frameList) {
    public Frames {
      frameList = List.copyOf(frameList);
    }
  }
}
