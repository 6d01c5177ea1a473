package io.hypercalld.core.domain;

import io.hypercalld.core.memory.FrameTable;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mLookup;
import io.hypercalld.core.p2m.P2mType;

/**
 * Finds the page behind a guest frame that is granted. Confined to the machine thread.
 *
 * @see "xen/common/grant_table.c, get_paged_frame"
 */
final class GrantedPages {
  private final FrameTable frames;

  GrantedPages(FrameTable frames) {
    this.frames = frames;
  }

  /**
   * A page, or why there is none.
   *
   * @param mfn of no meaning unless the status is okay
   */
  record Page(GrantStatus status, Mfn mfn) {
    private static Page okay(Mfn mfn) {
      return new Page(GrantStatus.OKAY, mfn);
    }

    private static Page not(GrantStatus status) {
      return new Page(status, Mfn.INVALID);
    }
  }

  /**
   * The page at a domain's guest frame; a PV domain names a frame of the machine. What is to be
   * populated on demand is, a paged one is asked for, and for writing a shared one is unshared.
   */
  Page find(Domain domain, long frame, boolean readonly) {
    if (domain.physicalMap().isEmpty()) {
      boolean own = frames.contains(frame) && frames.owner(frame) == domain.id().value();
      return own ? Page.okay(new Mfn(frame)) : Page.not(GrantStatus.BAD_PAGE);
    }
    PhysicalMap map = domain.physicalMap().get();
    Gfn gfn = new Gfn(frame);
    P2mLookup found = readonly ? map.obtain(gfn) : map.obtainUnshared(gfn);
    if (P2mType.PAGING.contains(found.type())) {
      domain.features().paging().request(gfn);
      return Page.not(GrantStatus.EAGAIN);
    }
    if (found.type() == P2mType.RAM_SHARED && !readonly) {
      return Page.not(GrantStatus.EAGAIN);
    }
    return map.page(found)
        .filter(mfn -> found.type() != P2mType.MAP_FOREIGN)
        .map(Page::okay)
        .orElse(Page.not(GrantStatus.BAD_PAGE));
  }
}
