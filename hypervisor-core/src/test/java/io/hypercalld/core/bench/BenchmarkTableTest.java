package io.hypercalld.core.bench;

import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.core.bench.BenchmarkTable.Row;
import java.util.List;
import org.junit.jupiter.api.Test;

final class BenchmarkTableTest {

  @Test
  void toString_groupWithBareLoop_comparesEachWithItAndPutsItFirst() {
    var table =
        new BenchmarkTable(
            List.of(
                new Row("Walk", "hit", 4, 0.5, 3, 0),
                new Row("Walk", "bareWalk", 8, 0.25, 6, 0),
                new Row("Walk", "miss", 12, 1, 7.5, 24)));

    assertThat(table)
        .hasToString(
            """
            | benchmark | ns/op | ± | B/op | times bare | at best |
            |---|--:|--:|--:|--:|--:|
            | Walk bareWalk | 8.00 | 0.25 | 0 | 1.00 | 1.00 |
            | Walk hit | 4.00 | 0.50 | 0 | 0.50 | 0.50 |
            | Walk miss | 12.00 | 1.00 | 24 | 1.50 | 1.25 |
            """);
  }

  @Test
  void toString_groupWithoutBareLoop_leavesTheRatioOut() {
    var table =
        new BenchmarkTable(
            List.of(
                new Row("Walk", "bareWalk", 8, 0, 8, 0), new Row("Hypercall", "call", 4, 0, 4, 0)));

    assertThat(table.toString()).contains("| Hypercall call | 4.00 | 0.00 | 0 |  |  |");
  }
}
