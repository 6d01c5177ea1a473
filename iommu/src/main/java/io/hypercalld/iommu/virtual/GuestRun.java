package io.hypercalld.iommu.virtual;

import io.hypercalld.core.memory.PageWord;
import io.hypercalld.core.p2m.DmaPermission;
import java.util.List;

/**
 * Consecutive frames of a device's address space that a guest's table leads to consecutive guest
 * frames. Immutable.
 *
 * @param dfn the first frame as the device counts them
 * @param gfn the guest frame that it leads to
 * @param frames how many of 4 KiB
 */
record GuestRun(long dfn, long gfn, long frames, DmaPermission permission) {
  /** Pages that follow one which leads where a word says. */
  static GuestRun of(long dfn, long word, long frames) {
    return new GuestRun(
        dfn, PageWord.frame(word), frames, DmaPermission.ofRights(PageWord.rights(word)));
  }

  /** What a word says of one of its frames. */
  long word(long frame) {
    return PageWord.of(gfn + frame - dfn, permission.rights());
  }

  /** The first frame after the run. */
  long end() {
    return dfn + frames;
  }

  /** The frames of the run that lie from one frame to before another. */
  GuestRun within(long from, long to) {
    long first = Math.max(from, dfn);
    return new GuestRun(first, gfn + first - dfn, Math.min(to, end()) - first, permission);
  }

  /** Whether the next run goes on where this one ends. */
  boolean continuesWith(GuestRun next) {
    return next.dfn == end() && next.gfn == gfn + frames && next.permission == permission;
  }

  /** Whether both lead the frames that they share to the same place in the same way. */
  boolean agreesWith(GuestRun other) {
    return gfn - dfn == other.gfn - other.dfn && permission == other.permission;
  }

  /** Adds a run to others; it becomes one with the last where it continues that. */
  static void append(List<GuestRun> runs, GuestRun run) {
    if (!runs.isEmpty() && runs.getLast().continuesWith(run)) {
      GuestRun last = runs.removeLast();
      runs.add(new GuestRun(last.dfn, last.gfn, last.frames + run.frames, last.permission));
    } else {
      runs.add(run);
    }
  }
}
