package io.hypercalld.api.experiment;

import io.hypercalld.api.experiment.PageClaimAnswer.Cost;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** An answer about claimed pages as tables for people. Never instantiated. */
final class PageClaimText {
  private static final List<String> COST =
      List.of("leaf reads", "entry writes", "flushes", "hypercalls", "steps", "longest step");

  private PageClaimText() {}

  static String of(PageClaimAnswer answer) {
    return String.join(
        "\n",
        phases(answer).toString(),
        placements(answer).toString(),
        batches(answer).toString(),
        ranges(answer).toString(),
        lost(answer).toString(),
        exits(answer).toString(),
        types(answer).toString(),
        "same memory: %s%n".formatted(answer.sameMemory() ? "yes" : "no").replace("\r\n", "\n"));
  }

  private static TextTable withCost(List<String> before, List<String> after) {
    return new TextTable(
        Stream.of(before, COST, after).flatMap(List::stream).toArray(String[]::new));
  }

  private static void addCost(TextTable table, List<?> before, Cost cost, List<?> after) {
    List<Object> cells = new ArrayList<>(before);
    cells.addAll(
        List.of(
            cost.leafReads(),
            cost.entryWrites(),
            cost.flushes(),
            cost.hypercalls(),
            cost.steps(),
            cost.longestStep()));
    cells.addAll(after);
    table.add(cells.toArray());
  }

  private static TextTable phases(PageClaimAnswer answer) {
    TextTable table =
        withCost(List.of("unclaimed", "update", "contexts", "phase"), List.of("requests", "lost"));
    answer
        .phases()
        .forEach(
            row ->
                addCost(
                    table,
                    List.of(row.unclaimed(), row.update(), row.contexts(), row.stage()),
                    row.cost(),
                    List.of(row.requests(), row.lostWrites())));
    return table;
  }

  private static TextTable placements(PageClaimAnswer answer) {
    TextTable table = withCost(List.of("update", "pages released"), List.of());
    answer
        .placements()
        .forEach(row -> addCost(table, List.of(row.update(), row.pages()), row.cost(), List.of()));
    return table;
  }

  private static TextTable batches(PageClaimAnswer answer) {
    TextTable table =
        withCost(
            List.of("pages", "per call"),
            List.of("interrupts, 2 vCPUs", "8", "32", "flush per call", "8 vCPUs"));
    answer
        .batches()
        .forEach(
            row ->
                addCost(table, List.of(row.order(), row.perCall()), row.cost(), interrupts(row)));
    return table;
  }

  private static List<Long> interrupts(PageClaimAnswer.Batch row) {
    return Stream.concat(
            row.interrupts().stream().map(PageClaimAnswer.Interrupts::sent),
            Stream.of(row.changingCalls(), row.interrupts().get(1).sentPerCall()))
        .toList();
  }

  private static TextTable ranges(PageClaimAnswer answer) {
    TextTable table =
        new TextTable(
            "scheme",
            "limit",
            "pages",
            "then",
            "of a table",
            "table that fails",
            "calls a page",
            "list steps");
    answer
        .ranges()
        .forEach(
            row ->
                table.add(
                    row.scheme(),
                    row.limit(),
                    row.pages().map(String::valueOf).orElse("-"),
                    row.errno().orElse("-"),
                    "%.1f %%".formatted(row.sharePermille() / 10.0),
                    row.failingContext().map(String::valueOf).orElse("none"),
                    "%.3f".formatted(row.callsPer1000Pages() / 1000.0),
                    "%.1f".formatted(row.listStepsPer1000Writes() / 1000.0)));
    return table;
  }

  private static TextTable lost(PageClaimAnswer answer) {
    TextTable table =
        new TextTable("without a server", "tagging", "writes", "retries", "lost", "lost bytes");
    answer
        .unclaimed()
        .forEach(
            row ->
                table.add(
                    row.policy(),
                    row.tagging().orElse("works"),
                    row.writes(),
                    row.retries(),
                    row.lostWrites(),
                    row.lostBytes()));
    return table;
  }

  private static TextTable exits(PageClaimAnswer answer) {
    TextTable table = new TextTable("claimed", "reads", "others", "requests for 1,000");
    answer
        .accesses()
        .forEach(
            row ->
                table.add(
                    row.access(),
                    row.readPercent() + " %",
                    row.readModifyWrites() ? "read and write" : "write",
                    row.requests()));
    return table;
  }

  private static TextTable types(PageClaimAnswer answer) {
    TextTable table = new TextTable("types", "second emulator's claim", "bits of an entry");
    answer
        .types()
        .forEach(row -> table.add(row.types(), row.secondClaim().orElse("works"), row.typeBits()));
    return table;
  }
}
