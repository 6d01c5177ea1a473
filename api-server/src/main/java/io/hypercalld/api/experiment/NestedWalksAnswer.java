package io.hypercalld.api.experiment;

import java.util.List;

/** What a device's request costs that a guest's first-level tables translate. Immutable. */
public record NestedWalksAnswer(List<Row> rows) implements Findings {
  /**
   * Pages of one size in the second level.
   *
   * @param stage2Leaf bytes of a page of the P2M
   * @param cold entries read for the very first request, context and PASID entries included
   * @param miss entries read for another page of the same address space
   * @param again entries read for the same page again
   * @param tables what the miss reads, in order: the table of each entry
   */
  public record Row(long stage2Leaf, long cold, long miss, long again, List<String> tables) {}

  @Override
  public String toText() {
    TextTable table = new TextTable("stage 2 pages", "first request", "another page", "again");
    rows.forEach(row -> table.add(size(row.stage2Leaf), row.cold, row.miss, row.again));
    return table.toString();
  }

  private static String size(long bytes) {
    if (bytes >= 1 << 30) {
      return (bytes >>> 30) + " GiB";
    }
    return bytes >= 1 << 20 ? (bytes >>> 20) + " MiB" : (bytes >>> 10) + " KiB";
  }
}
