package io.hypercalld.api.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * A suite whose rows are numbered behaviours: one daemon for the suite, one test for each row.
 *
 * <p>A row's name starts with the number of its behaviour in the specification. Rows run in their
 * order, each between {@link #begin} and {@link #end}, and none depends on another.
 *
 * @param <H> the host that the rows ask
 */
public interface NumberedBehaviours<H extends NumberedBehaviours.Host> {
  /** What a suite's rows ask: started once, closed after the last row. */
  interface Host extends AutoCloseable {
    @Override
    void close();
  }

  /** What is asked and what must come back. */
  @FunctionalInterface
  interface Check<H> {
    void on(H host) throws Exception;
  }

  /** One numbered behaviour. */
  record Row<H>(String name, Check<? super H> check) {}

  /** A row of a suite. */
  static <H> Row<H> row(String name, Check<? super H> check) {
    return new Row<>(name, check);
  }

  /** Starts the host that all rows ask. */
  H start();

  Stream<Row<H>> rows();

  /** Has the host be what every row presumes. */
  void begin(H host);

  /** Checks what must hold after every row, and takes away what {@link #begin} would not. */
  default void end(H host) {}

  /** Every row as a test of its own. */
  @TestFactory
  default Stream<DynamicTest> behaviours() {
    List<Row<H>> rows = rows().toList();
    assertThat(rows).isNotEmpty().extracting(Row::name).doesNotHaveDuplicates();
    H host = start();
    return rows.stream().map(row -> test(row, host)).onClose(host::close);
  }

  private DynamicTest test(Row<H> row, H host) {
    return DynamicTest.dynamicTest(
        row.name(),
        () -> {
          begin(host);
          row.check().on(host);
          end(host);
        });
  }
}
