package io.hypercalld.iommu.driver;

/** What building one domain's DMA tables has cost so far. Confined to the machine thread. */
public final class TableCounters {
  long tables;
  long entryReads;
  long entryWrites;
  long splits;

  TableCounters() {}

  /** Frames that hold tables now. */
  public long tables() {
    return tables;
  }

  /** Entries read by the driver; hardware walks are counted by the unit. */
  public long entryReads() {
    return entryReads;
  }

  /** Entries written. */
  public long entryWrites() {
    return entryWrites;
  }

  /** Leaves replaced by a table of smaller ones. */
  public long splits() {
    return splits;
  }
}
