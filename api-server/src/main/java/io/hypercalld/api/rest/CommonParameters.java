package io.hypercalld.api.rest;

import java.util.ArrayList;
import java.util.List;

/** Query parameters that many routes have. Immutable. */
final class CommonParameters {
  private static final String ALWAYS = "always";

  static final Parameter ENVELOPE =
      Parameter.optional(
          "envelope",
          "always: answer 200 with ret and errno even where the hypervisor refuses",
          String.class);
  static final Parameter DRY_RUN =
      Parameter.optional(
          "dryRun",
          "true: make the same checks, say what would come of it, change nothing",
          boolean.class);

  private CommonParameters() {}

  /** Those that a route has besides its own. */
  static List<Parameter> of(Route route) {
    List<Parameter> parameters = new ArrayList<>();
    if (route.asksMachine()) {
      parameters.add(ENVELOPE);
      if (route.method().changes()) {
        parameters.add(DRY_RUN);
      }
    }
    return parameters;
  }

  static boolean wantsEnvelope(Request request) {
    return request.query().getOrDefault(ENVELOPE.name(), List.of()).contains(ALWAYS);
  }

  /** Whether a change is only to be tried. */
  static boolean isTrial(Route route, Request request) {
    return route.method().changes() && request.flag(DRY_RUN.name());
  }

  /**
   * Refuses what is asked for and cannot be done, rather than not doing it.
   *
   * @throws Failure 400, 501
   */
  static void check(Route route, Request request) {
    request
        .parameter(ENVELOPE.name())
        .filter(value -> !value.equals(ALWAYS))
        .ifPresent(
            value -> {
              throw Failure.of(
                  Problems.INVALID_PARAMETER, "envelope is always or left out, not %s", value);
            });
    if (!route.method().changes()) {
      return;
    }
    if (isTrial(route, request) && route.handling() instanceof Route.Beside) {
      throw Failure.of(
          Problems.NOT_BUILT, "dryRun is about the machine, which this does not change");
    }
  }
}
