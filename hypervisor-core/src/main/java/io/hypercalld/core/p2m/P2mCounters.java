package io.hypercalld.core.p2m;

/** What a P2M did since the counters were last reset. Confined to the machine thread. */
public final class P2mCounters {
  long entryReads;
  long entryWrites;
  long splits;
  long recalculations;

  /** Entries read by look-ups and walks. */
  public long entryReads() {
    return entryReads;
  }

  /** Entries written, those of new tables included. */
  public long entryWrites() {
    return entryWrites;
  }

  /** Superpage leaves broken into a table. */
  public long splits() {
    return splits;
  }

  /** Leaves whose type was recalculated. */
  public long recalculations() {
    return recalculations;
  }

  /** Adds the other's counts to these. */
  public void add(P2mCounters other) {
    entryReads += other.entryReads;
    entryWrites += other.entryWrites;
    splits += other.splits;
    recalculations += other.recalculations;
  }

  public void reset() {
    entryReads = 0;
    entryWrites = 0;
    splits = 0;
    recalculations = 0;
  }
}
