package io.hypercalld.api.metrics;

import io.hypercalld.api.machine.CallMeter;
import io.hypercalld.api.machine.Durations;
import java.util.List;
import java.util.Map;

/** The hypercalls of a snapshot as metrics. Immutable. */
final class CallFamilies {
  static final double NANOS_PER_SECOND = 1e9;

  /** Upper bounds in seconds of all buckets but the last. */
  static final List<Double> BOUNDS =
      Durations.boundsInNanos().stream().map(nanos -> nanos / NANOS_PER_SECOND).toList();

  private static final Map<String, String> ASSIGNMENTS =
      Map.of("assign_device", "assign", "deassign_device", "deassign");

  private final List<CallMeter.Sample> calls;

  CallFamilies(List<CallMeter.Sample> calls) {
    this.calls = calls;
  }

  List<Family> all() {
    return List.of(hypercalls(), durations(), continuations(), assignments());
  }

  private Family hypercalls() {
    Family family = Family.counter("hv_hypercalls", "Hypercalls by result: ok or an errno.");
    for (CallMeter.Sample call : calls) {
      call.results()
          .forEach(
              (result, count) ->
                  family.with(count, "call", call.call(), "op", call.op(), "result", result));
    }
    return family;
  }

  private Family continuations() {
    Family family =
        Family.counter(
            "hv_hypercall_continuations",
            "Times that a hypercall let others in between two of its steps.");
    for (CallMeter.Sample call : calls) {
      family.with(call.continuations(), "call", call.call(), "op", call.op());
    }
    return family;
  }

  private Family assignments() {
    Family family =
        Family.counter(
            "hv_device_assignments",
            "Requests to give a device to a domain or to take it back, by result.");
    for (CallMeter.Sample call : calls) {
      String op = ASSIGNMENTS.get(call.op());
      if (op != null) {
        call.results().forEach((result, count) -> family.with(count, "op", op, "result", result));
      }
    }
    return family;
  }

  private Family durations() {
    Family family =
        Family.histogram(
            "hv_hypercall_duration_seconds", "Time that hypercalls took on the machine's thread.");
    for (CallMeter.Sample call : calls) {
      double sum = call.nanos() / NANOS_PER_SECOND;
      family.withBuckets(BOUNDS, call.buckets(), sum, "call", call.call(), "op", call.op());
    }
    return family;
  }
}
