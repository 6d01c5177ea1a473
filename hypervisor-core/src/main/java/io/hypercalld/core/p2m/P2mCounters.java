package io.hypercalld.core.p2m;

/** What a P2M did since the counters were last reset. Confined to the machine thread. */
public final class P2mCounters {
  private final TlbModel tlb = new TlbModel();
  long entryReads;
  long entryWrites;
  private long splits;
  long recalculations;
  private final P2mUpdates updates = new P2mUpdates();
  private long leafReads;
  private long bypasses;
  private long flushes;
  private long tlbInserts;

  /** What came of the changes that it was asked for; never reset, as metrics only grow. */
  public P2mUpdates updates() {
    return updates;
  }

  /** Entries read by look-ups and walks. */
  public long entryReads() {
    return entryReads;
  }

  /** Leaves looked at to bring types or permissions up to date, by marks and by claims. */
  public long leafReads() {
    return leafReads;
  }

  /** Times that the hypervisor wrote to a page whose writes were a server's. */
  public long bypasses() {
    return bypasses;
  }

  public void countBypass() {
    bypasses++;
  }

  /** Somebody looked at so many leaves to bring them up to date. */
  public void countLeafReads(long leaves) {
    leafReads += leaves;
  }

  /** Entries written, those of new tables included. */
  public long entryWrites() {
    return entryWrites;
  }

  /** Superpage leaves broken into a table. */
  public long splits() {
    return splits;
  }

  /** Leaves whose type was recalculated to be another one. */
  public long recalculations() {
    return recalculations;
  }

  /** Times that the processors had to forget what they knew of the table. */
  public long flushes() {
    return flushes;
  }

  /** Translations that guests' accesses brought into a processor, each of the size of a leaf. */
  public long tlbInserts() {
    return tlbInserts;
  }

  void split(int levels) {
    splits += levels;
    updates.done(P2mUpdate.SPLIT, levels);
  }

  void flushed() {
    flushes++;
    tlb.flush();
  }

  void touched(long gfn, int order) {
    tlbInserts += tlb.insert(gfn, order) ? 1 : 0;
  }

  /** Adds the other's counts to these. */
  public void add(P2mCounters other) {
    entryReads += other.entryReads;
    leafReads += other.leafReads;
    bypasses += other.bypasses;
    entryWrites += other.entryWrites;
    splits += other.splits;
    recalculations += other.recalculations;
    flushes += other.flushes;
    tlbInserts += other.tlbInserts;
    updates.add(other.updates);
  }

  /** Counts from 0 again; what processors know is forgotten, so that counting is repeatable. */
  public void reset() {
    entryReads = 0;
    leafReads = 0;
    bypasses = 0;
    entryWrites = 0;
    splits = 0;
    recalculations = 0;
    flushes = 0;
    tlbInserts = 0;
    tlb.flush();
  }
}
