package io.hypercalld.iommu.virtual;

import io.hypercalld.core.p2m.DmaPermission;

/**
 * Where a guest's table leads one page of 4 KiB, in a word: the guest frame above, bit 0 for
 * reading, bit 1 for writing; zero where it leads nowhere. Never instantiated.
 */
final class PageWord {
  static final long ABSENT = 0;

  /** From a page's word to that of the page behind it. */
  static final long STEP = 4;

  private static final int GFN_SHIFT = 2;
  private static final long READ = 1;
  private static final long WRITE = 2;

  private PageWord() {}

  static long of(long gfn, DmaPermission permission) {
    return (gfn << GFN_SHIFT) | (permission.reads() ? READ : 0) | (permission.writes() ? WRITE : 0);
  }

  static long gfn(long word) {
    return word >>> GFN_SHIFT;
  }

  static DmaPermission permission(long word) {
    return DmaPermission.of((word & READ) != 0, (word & WRITE) != 0);
  }

  /** The word of a page so many pages behind one that leads somewhere. */
  static long after(long word, long pages) {
    return word + pages * STEP;
  }

  static GuestRun run(long dfn, long word, long frames) {
    return new GuestRun(dfn, gfn(word), frames, permission(word));
  }

  static long of(GuestRun run) {
    return of(run.gfn(), run.permission());
  }
}
