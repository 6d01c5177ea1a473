package io.hypercalld.iommu.driver;

/**
 * Commands with which units were told to forget what they know of one domain's table. Confined to
 * the machine thread.
 */
public final class FlushCounters {
  private long page;
  private long domain;
  private long changes;

  /** Changes that units had to be told of: by so many commands at least, were each told alone. */
  public long changes() {
    return changes;
  }

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

  void countChange() {
    changes++;
  }

  public void reset() {
    changes = 0;
    page = 0;
    domain = 0;
  }
}
