package io.hypercalld.api.experiment;

import java.util.List;

/** How many translate calls an emulated device made. Immutable. */
public record TranslateCallsAnswer(TranslateCallsQuestion question, List<Row> rows)
    implements Findings {
  /**
   * One trial.
   *
   * @param calls translate calls
   * @param callsPer1000 of 1,000 requests, rounded to the nearest
   * @param hits requests that needed none
   * @param done requests that moved their bytes
   */
  public record Row(
      int entries, int locality, long calls, long callsPer1000, long hits, long done) {}

  @Override
  public String toText() {
    TextTable table = new TextTable("entries", "locality %", "calls", "per 1,000", "hits");
    rows.forEach(
        row -> table.add(row.entries, row.locality, row.calls, row.callsPer1000, row.hits));
    return table.toString();
  }
}
