package io.hypercalld.iommu.driver;

/**
 * Commands with which units were told to forget what they know of one domain's table. Confined to
 * the machine thread.
 */
public final class FlushCounters {
  private long page;
  private long domain;

  /** Commands that named a range of pages. */
  public long page() {
    return page;
  }

  /** Commands that named the domain as a whole. */
  public long domain() {
    return domain;
  }

  void count(FlushScope scope) {
    switch (scope) {
      case NOTHING -> {}
      case PAGE -> page++;
      case DOMAIN -> domain++;
    }
  }

  public void reset() {
    page = 0;
    domain = 0;
  }
}
