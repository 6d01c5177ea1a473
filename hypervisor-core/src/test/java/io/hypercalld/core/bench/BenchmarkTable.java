package io.hypercalld.core.bench;

import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import org.openjdk.jmh.results.RunResult;

/**
 * Times of benchmarks as a Markdown table, each with its ratio to the bare loop of the same class
 * and parameters. Immutable.
 */
record BenchmarkTable(List<Row> rows) {

  /**
   * One benchmark.
   *
   * @param group class and parameters: what is compared with each other
   * @param nanos average time of an operation
   * @param error half the width of the 99.9 % confidence interval
   * @param fastest the same in the fastest iteration, which other work on the machine slowed least
   * @param bytes allocated per operation
   */
  record Row(
      String group, String method, double nanos, double error, double fastest, double bytes) {
    boolean isBare() {
      return method.startsWith("bare");
    }

    static Row of(RunResult result) {
      var params = result.getParams();
      String name = params.getBenchmark();
      int dot = name.lastIndexOf('.');
      String type = name.substring(name.lastIndexOf('.', dot - 1) + 1, dot);
      String values =
          params.getParamsKeys().stream()
              .map(key -> key + "=" + params.getParam(key))
              .collect(Collectors.joining(", "));
      var allocated = result.getSecondaryResults().get("gc.alloc.rate.norm");
      return new Row(
          values.isEmpty() ? type : type + " (" + values + ")",
          name.substring(dot + 1),
          result.getPrimaryResult().getScore(),
          result.getPrimaryResult().getScoreError(),
          result.getPrimaryResult().getStatistics().getMin(),
          allocated == null ? 0 : allocated.getScore());
    }
  }

  static BenchmarkTable of(Collection<RunResult> results) {
    return new BenchmarkTable(results.stream().map(Row::of).toList());
  }

  /** How much longer an operation takes than the bare loop, where its group has one. */
  private Optional<Double> ratio(Row row, ToDoubleFunction<Row> time) {
    return rows.stream()
        .filter(other -> other.isBare() && other.group().equals(row.group()))
        .findFirst()
        .map(bare -> time.applyAsDouble(row) / time.applyAsDouble(bare));
  }

  @Override
  public String toString() {
    Map<String, List<Row>> groups =
        rows.stream().collect(Collectors.groupingBy(Row::group, TreeMap::new, Collectors.toList()));
    StringBuilder text =
        new StringBuilder(
            """
            | benchmark | ns/op | ± | B/op | times bare | at best |
            |---|--:|--:|--:|--:|--:|
            """);
    groups.forEach(
        (_, group) ->
            group.stream()
                .sorted(Comparator.comparing(Row::isBare).reversed().thenComparing(Row::method))
                .forEach(row -> text.append(line(row))));
    return text.toString();
  }

  private String line(Row row) {
    return String.format(
        Locale.ROOT,
        "| %s %s | %.2f | %.2f | %.0f | %s | %s |%n",
        row.group(),
        row.method(),
        row.nanos(),
        row.error(),
        row.bytes(),
        written(ratio(row, Row::nanos)),
        written(ratio(row, Row::fastest)));
  }

  private static String written(Optional<Double> ratio) {
    return ratio.map(number -> String.format(Locale.ROOT, "%.2f", number)).orElse("");
  }
}
