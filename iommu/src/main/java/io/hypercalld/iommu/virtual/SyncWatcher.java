package io.hypercalld.iommu.virtual;

/** Somebody who wants to know how long shadows take to be brought into step. */
public interface SyncWatcher {
  SyncWatcher NONE =
      new SyncWatcher() {
        @Override
        public void begins() {}

        @Override
        public void ends(SyncTrigger trigger) {}
      };

  /** A shadow may be brought into step now. */
  void begins();

  /** It was, units included. */
  void ends(SyncTrigger trigger);
}
