package io.hypercalld.core.domain;

import io.hypercalld.core.notice.NoticeKind;
import io.hypercalld.core.notice.Notices;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mType;
import io.hypercalld.core.p2m.P2mWatcher;
import java.util.Optional;

/** What happens to domains' P2Ms. */
public enum P2mNotice implements NoticeKind {
  UPDATED,
  SPLIT,
  /** A larger leaf took the place of a table. */
  MERGED,
  /** A guest's access did not get through at once. */
  FAULT;

  /** A run of guest frames of 4 KiB that are of a type now. */
  public record Updated(DomainId domid, Gfn gfn, long frames, P2mType type)
      implements Notices.Continuing {
    @Override
    public Optional<Record> after(Record before) {
      return before instanceof Updated(DomainId owner, Gfn first, long count, P2mType kind)
              && owner.equals(domid)
              && kind == type
              && first.value() + count == gfn.value()
          ? Optional.of(new Updated(domid, first, count + frames, type))
          : Optional.empty();
    }
  }

  /** A leaf that became a table. */
  public record Split(DomainId domid, Gfn gfn, int levels) {}

  /** A table that became a leaf. */
  public record Merged(DomainId domid, Gfn gfn, int level) {}

  /** An access that the entry did not let through; those that are emulated are not told. */
  public record Fault(DomainId domid, int vcpu, Gfn gfn, MemoryAccess.Kind access, P2mType type) {}

  @Override
  public String type() {
    return NoticeKind.spell("p2m", this);
  }

  /** Tells what happens to the P2M of a domain. */
  static P2mWatcher of(DomainId domain, Notices notices) {
    return new Teller(domain, notices);
  }

  private record Teller(DomainId domain, Notices notices) implements P2mWatcher {
    @Override
    public void updated(Gfn first, long frames, P2mType type) {
      if (notices.hears(UPDATED)) {
        notices.tellOn(UPDATED, new Updated(domain, first, frames, type));
      }
    }

    @Override
    public void split(Gfn at, int levels) {
      notices.tell(SPLIT, new Split(domain, at, levels));
    }

    @Override
    public void merged(Gfn at, int level) {
      notices.tell(MERGED, new Merged(domain, at, level));
    }
  }
}
