package io.hypercalld.api.rest;

import java.util.LinkedHashMap;
import java.util.Map;

/** A refusal as a C program would see it: a number where the others have theirs. Immutable. */
final class Envelope {
  private Envelope() {}

  /** The answer to a request that wants 200 whatever happens. */
  static Reply of(Problem problem) {
    Map<String, Object> members = new LinkedHashMap<>();
    problem
        .errno()
        .ifPresent(
            errno -> {
              // A negative number: written by the generic shape of a plain long.
              members.put("ret", -errno.number());
              members.put("errno", errno.name());
            });
    problem.out().ifPresent(out -> members.put("out", out));
    members.put("detail", problem.detail());
    return new Reply(200, new Reply.HypercallResult(members), Map.of());
  }
}
