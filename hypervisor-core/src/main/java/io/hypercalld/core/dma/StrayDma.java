package io.hypercalld.core.dma;

/**
 * How many frames devices reached that were none of their domain's. Confined to the machine thread.
 */
public final class StrayDma {
  private long reads;
  private long writes;

  public void count(boolean writing) {
    if (writing) {
      writes++;
    } else {
      reads++;
    }
  }

  /** Frames read. */
  public long reads() {
    return reads;
  }

  /** Frames written. */
  public long writes() {
    return writes;
  }

  /** All counts start from zero again. */
  public void reset() {
    reads = 0;
    writes = 0;
  }
}
