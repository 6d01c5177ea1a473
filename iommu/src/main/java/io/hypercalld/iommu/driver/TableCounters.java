package io.hypercalld.iommu.driver;

/** What building one domain's DMA tables has cost so far. Confined to the machine thread. */
public final class TableCounters {
  private final TableFrameSize frameSize;
  long tables;
  long entryReads;
  long entryWrites;
  long links;
  long splits;
  long coalesces;

  TableCounters(TableFrameSize frameSize) {
    this.frameSize = frameSize;
  }

  /** Tables there are now. */
  public long tables() {
    return tables;
  }

  /** Bytes of the frames that hold tables now. */
  public long tableBytes() {
    return tables * frameSize.bytes();
  }

  /** Entries read by the driver; hardware walks are counted by the unit. */
  public long entryReads() {
    return entryReads;
  }

  /** Leaves written, cleared ones and the 512 of a split included. */
  public long entryWrites() {
    return entryWrites;
  }

  /** Pointers to tables written or cleared. */
  public long links() {
    return links;
  }

  /** Leaves replaced by a table of smaller ones. */
  public long splits() {
    return splits;
  }

  /** Tables replaced by one larger leaf because all their leaves said what it says. */
  public long coalesces() {
    return coalesces;
  }

  /** Begins anew; the tables stay. */
  public void reset() {
    entryReads = 0;
    entryWrites = 0;
    links = 0;
    splits = 0;
    coalesces = 0;
  }
}
