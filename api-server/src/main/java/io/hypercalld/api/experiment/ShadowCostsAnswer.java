package io.hypercalld.api.experiment;

import java.util.List;

/** What shadows cost, by policy and by scope. Immutable. */
public record ShadowCostsAnswer(ShadowCostsQuestion question, List<Row> rows) implements Findings {
  /**
   * One trial.
   *
   * @param policy when shadows follow, and whether the guest announces what appears
   * @param exits the guest's stores to registers of its unit
   * @param syncs how often a shadow was brought into step
   * @param entryReads of the guest's tables for it
   * @param entryWrites of shadows
   * @param flushes invalidation commands to the machine's unit
   * @param lost requests to pages that the guest had mapped
   * @param perSecond how many pages could be mapped and unmapped in a second at those costs
   * @param once what the last such command alone has read and written, with nothing changed
   */
  public record Row(
      ShadowCostsExperiment.Policy policy,
      ShadowCostsExperiment.Scope scope,
      long exits,
      long syncs,
      long entryReads,
      long entryWrites,
      long flushes,
      long lost,
      long perSecond,
      Once once) {}

  /** What one command costs that finds nothing changed. */
  public record Once(long entryReads, long entryWrites) {}

  @Override
  public String toText() {
    TextTable table =
        new TextTable(
            "policy",
            "scope",
            "exits",
            "syncs",
            "reads",
            "writes",
            "flushes",
            "lost",
            "per second",
            "reads of one");
    for (Row row : rows) {
      table.add(
          row.policy,
          row.scope,
          row.exits,
          row.syncs,
          row.entryReads,
          row.entryWrites,
          row.flushes,
          row.lost,
          row.perSecond,
          row.once.entryReads);
    }
    return table.toString();
  }
}
