package io.hypercalld.core.notice;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What happened since somebody last asked. Confined to the machine thread.
 *
 * <p>Nothing is kept as long as nobody listens, and of kinds that are frequent only what is wanted.
 */
public final class Notices {
  /** Kept at most between two looks; what comes then is counted and lost. */
  private static final int MOST = 1 << 16;

  private List<Notice> untold = new ArrayList<>();
  private Set<NoticeKind> frequent = Set.of();
  private boolean heard;
  private long lost;

  /**
   * Has notices kept from now on.
   *
   * @param wanted the frequent kinds among them
   */
  public void listen(Set<NoticeKind> wanted) {
    heard = true;
    frequent = wanted;
  }

  /** Whether a notice of this kind would be kept. */
  public boolean hears(NoticeKind kind) {
    return heard && (!kind.isFrequent() || frequent.contains(kind));
  }

  /** Says that something happened. */
  public void tell(NoticeKind kind, Record about) {
    if (!hears(kind)) {
      return;
    }
    if (untold.size() == MOST) {
      lost++;
    } else {
      untold.add(new Notice(kind, about));
    }
  }

  /** As {@link #tell}, as one notice with the last one where that is what it goes on. */
  public void tellOn(NoticeKind kind, Continuing about) {
    if (hears(kind) && !untold.isEmpty()) {
      Notice last = untold.getLast();
      Optional<Record> joined = last.kind() == kind ? about.after(last.about()) : Optional.empty();
      if (joined.isPresent()) {
        untold.set(untold.size() - 1, new Notice(kind, joined.get()));
        return;
      }
    }
    tell(kind, (Record) about);
  }

  /** Particulars that may go on what was told before: a record. */
  public interface Continuing {
    /** What both are together; empty where they have nothing to do with each other. */
    Optional<Record> after(Record before);
  }

  /** What happened since the last time, in order. */
  public List<Notice> take() {
    if (untold.isEmpty()) {
      return List.of();
    }
    List<Notice> taken = untold;
    untold = new ArrayList<>();
    taken.replaceAll(
        notice ->
            notice.about() instanceof Late late ? new Notice(notice.kind(), late.told()) : notice);
    return taken;
  }

  /** Particulars that are not known before the command is over: a record. */
  public interface Late {
    /** The particulars as they are then. */
    Record told();
  }

  /** Notices that there was no room for. */
  public long lost() {
    return lost;
  }
}
