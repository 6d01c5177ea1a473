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
    }
    if (canBeTried(route)) {
      parameters.add(DRY_RUN);
    }
    return parameters;
  }

  private static boolean canBeTried(Route route) {
    boolean changesElsewhere =
        route.handling() instanceof Route.Aside(var _, var preview) && preview.isPresent();
    return route.method().changes() && (route.asksMachine() || changesElsewhere);
  }

  static boolean wantsEnvelope(Request request) {
    return request.query().getOrDefault(ENVELOPE.name(), List.of()).contains(ALWAYS);
  }

  /** Whether a change is only to be tried. */
  static boolean isTrial(Route route, Request request) {
    return route.method().changes() && request.flag(DRY_RUN.name());
  }

  /**
   * Refuses what is asked for and is nothing, rather than not doing it.
   *
   * @throws Failure 400
   */
  static void check(Request request) {
    request
        .parameter(ENVELOPE.name())
        .filter(value -> !value.equals(ALWAYS))
        .ifPresent(
            value -> {
              throw Failure.of(
                  Problems.INVALID_PARAMETER, "envelope is always or left out, not %s", value);
            });
  }
}
