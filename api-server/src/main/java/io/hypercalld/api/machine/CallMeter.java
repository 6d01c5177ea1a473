package io.hypercalld.api.machine;

import io.hypercalld.api.hypercall.HypercallCatalogue;
import io.hypercalld.api.hypercall.Operation;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.hypercall.Outcome;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Counts and times hypercalls. Confined to the machine thread.
 *
 * <p>The times are for people who watch; nothing that the machine does depends on them.
 */
public final class CallMeter {
  private final IdentityHashMap<Operation<?>, Count> counts = new IdentityHashMap<>();

  /** In the order of the catalogue. */
  private final List<Count> ordered = new ArrayList<>();

  private long calls;

  /** What has been counted for one operation. */
  private static final class Count {
    private final Operation<?> operation;
    private final EnumMap<Errno, Long> refused = new EnumMap<>(Errno.class);
    private final Durations durations = new Durations();
    private long succeeded;
    private long continuations;
    private Optional<Sample> last = Optional.empty();

    Count(Operation<?> operation) {
      this.operation = operation;
    }
  }

  /**
   * What has been counted for one operation. Immutable.
   *
   * @param results calls by result: {@code ok}, or the errno
   * @param buckets calls by duration, each bucket without those below
   */
  public record Sample(
      String call,
      String op,
      Map<String, Long> results,
      List<Long> buckets,
      long nanos,
      long continuations) {}

  CallMeter(HypercallCatalogue catalogue) {
    for (Operation<?> operation : catalogue.all()) {
      Count count = new Count(operation);
      counts.put(operation, count);
      ordered.add(count);
    }
  }

  void count(Operation<?> operation, Outcome outcome, long nanos, long continuations) {
    calls++;
    Count count = counts.get(operation);
    if (count == null) {
      // A number that is no operation's: a series for each of them would be without end.
      return;
    }
    count.last = Optional.empty();
    switch (outcome) {
      // Counted when it ends.
      case Outcome.Preempted _ -> {}
      case Outcome.Success _ -> count.succeeded++;
      case Outcome.Refused(Errno errno, String _, Object _) ->
          count.refused.merge(errno, 1L, Long::sum);
    }
    count.continuations += continuations;
    count.durations.add(nanos);
  }

  /** Calls counted so far. Nothing but calls changes domains or who owns which device. */
  public long calls() {
    return calls;
  }

  /** Every operation that has been called, in the order of the catalogue. */
  public List<Sample> samples() {
    List<Sample> samples = new ArrayList<>();
    for (Count count : ordered) {
      if (count.succeeded > 0 || !count.refused.isEmpty()) {
        Sample sample = count.last.orElseGet(() -> sample(count));
        count.last = Optional.of(sample);
        samples.add(sample);
      }
    }
    return samples;
  }

  private static Sample sample(Count count) {
    Map<String, Long> results = new LinkedHashMap<>();
    if (count.succeeded > 0) {
      results.put("ok", count.succeeded);
    }
    count.refused.forEach((errno, times) -> results.put(errno.name(), times));
    return new Sample(
        count.operation.call(),
        count.operation.op(),
        results,
        count.durations.buckets(),
        count.durations.nanos(),
        count.continuations);
  }
}
