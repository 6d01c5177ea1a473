package io.hypercalld.ioreq.server;

import io.hypercalld.core.ranges.NumberRange;
import io.hypercalld.ioreq.dispatch.ModelledGuest;
import io.hypercalld.ioreq.page.IoRequest;
import io.hypercalld.ioreq.page.RequestType;
import java.util.Optional;
import java.util.stream.IntStream;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * Which server a request goes to where there are as many as can be, each with as many ranges as it
 * can have: one request for each range, in no order. Bare is one server whose one range has them
 * all.
 */
@State(Scope.Thread)
public class SelectionBenchmark {
  private static final int RANGES = IoServers.MOST * IoRanges.MOST;
  private static final long STRIDE = 0x2000;

  /** Odd, so that all requests come by before one comes again. */
  private static final int LEAP = 1237;

  private ModelledGuest one;
  private ModelledGuest many;
  private IoRequest[] inside;
  private IoRequest[] between;
  private int next;

  @Setup(Level.Trial)
  public void build() {
    one = new ModelledGuest();
    one.server(BufferedMode.OFF, RangeKind.MEMORY, ModelledGuest.MMIO, at(RANGES) - 1);
    many = new ModelledGuest();
    for (int server = 0; server < IoServers.MOST; server++) {
      fill(server);
    }
    inside = requests(8);
    between = requests(STRIDE / 2);
  }

  /** Every eighth range is the server's. */
  private void fill(int server) {
    IoRanges ranges = many.server(BufferedMode.OFF, RangeKind.PORT, server, server).ranges();
    for (int range = server; range < RANGES; range += IoServers.MOST) {
      ranges.map(RangeKind.MEMORY, NumberRange.of(at(range), STRIDE / 2));
    }
  }

  private static IoRequest[] requests(long offset) {
    return IntStream.range(0, RANGES)
        .mapToObj(i -> IoRequest.single(RequestType.COPY, at(i) + offset, 4, true, 0))
        .toArray(IoRequest[]::new);
  }

  private static long at(int range) {
    return ModelledGuest.MMIO + range * STRIDE;
  }

  @TearDown(Level.Trial)
  public void release() {
    one.close();
    many.close();
  }

  @Benchmark
  public Optional<Selection.Target> bareOneRange() {
    return Selection.of(one.servers(), next(inside));
  }

  @Benchmark
  public Optional<Selection.Target> everyRange() {
    return Selection.of(many.servers(), next(inside));
  }

  @Benchmark
  public Optional<Selection.Target> nobody() {
    return Selection.of(many.servers(), next(between));
  }

  private IoRequest next(IoRequest[] requests) {
    next = (next + LEAP) & (RANGES - 1);
    return requests[next];
  }
}
