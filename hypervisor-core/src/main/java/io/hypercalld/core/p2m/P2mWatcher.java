package io.hypercalld.core.p2m;

/** Somebody who is told what happens to a P2M, and has no say in it. */
public interface P2mWatcher {
  /** Nobody. */
  P2mWatcher NOBODY =
      new P2mWatcher() {
        @Override
        public void updated(Gfn first, long frames, P2mType type) {}

        @Override
        public void split(Gfn at, int levels) {}

        @Override
        public void merged(Gfn at, int level) {}
      };

  /** A run of guest frames of 4 KiB is of a type now. */
  void updated(Gfn first, long frames, P2mType type);

  /** A leaf became tables, so many levels of them. */
  void split(Gfn at, int levels);

  /** A table became a leaf of a level. */
  void merged(Gfn at, int level);
}
