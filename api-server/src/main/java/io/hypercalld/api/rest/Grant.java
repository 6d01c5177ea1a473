package io.hypercalld.api.rest;

import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.hypercall.Hypercall;
import java.lang.reflect.RecordComponent;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What the bearer of a token may do. Immutable.
 *
 * @param caller the domain on whose behalf it makes hypercalls, where it does not say otherwise
 * @param target whom a device model serves; empty for other scopes
 * @param machine the one machine that it is good for; empty where it is good for all
 */
public record Grant(
    Scope scope, DomainId caller, Optional<DomainId> target, Optional<String> machine) {
  /** Everything, as dom0. */
  public static final Grant EVERYTHING =
      new Grant(Scope.CONTROL, DomainId.DOM0, Optional.empty(), Optional.empty());

  /** As much as anybody may know. */
  static final Grant HEALTH =
      new Grant(Scope.GUEST, DomainId.INVALID, Optional.empty(), Optional.empty());

  /** What a device model that has no other privilege may still call, as under Xen's own lock. */
  private static final Set<String> MODEL_CALLS =
      Set.of("dm_op", "event_channel_op", "memory_op.acquire_resource");

  /** An event channel has two ends, of which one is the model's own. */
  private static final String EVENTS = "event_channel_op.";

  /**
   * Lets a request through.
   *
   * @throws Failure 403, naming the scope that is wanted
   */
  void check(Route route, Request request) {
    Optional<String> other = machine.filter(name -> !name.equals(request.hosted().name()));
    if (other.isPresent()) {
      throw Failure.of(Problems.INSUFFICIENT_SCOPE, "the token is for machine %s", other.get());
    }
    if (scope == Scope.CONTROL) {
      return;
    }
    Audience audience = Audience.of(route);
    if (!includes(audience, request.places())) {
      throw wanted(audience.least());
    }
  }

  private boolean includes(Audience audience, Map<String, String> places) {
    return switch (audience) {
      case ANYBODY -> true;
      case CALLERS -> scope != Scope.READ;
      case GUEST -> scope == Scope.GUEST && isNamed(caller, places);
      case GUEST_OR_MODEL -> scope == Scope.READ || isNamed(subject(), places);
      case MODEL -> scope == Scope.DM && isNamed(subject(), places);
      case MODEL_OR_READER ->
          scope == Scope.READ || (scope == Scope.DM && isNamed(subject(), places));
      case READERS -> scope == Scope.READ;
      case CONTROLLERS -> false;
    };
  }

  /** The domain that it is about. */
  private DomainId subject() {
    return target.orElse(caller);
  }

  /** Names may be given away; numbers are not. */
  private static boolean isNamed(DomainId domain, Map<String, String> places) {
    return Integer.toString(domain.value()).equals(places.get("d"));
  }

  private Failure wanted(Scope wanted) {
    return Failure.of(
            Problems.INSUFFICIENT_SCOPE, "this needs the scope %s; the token has %s", wanted, this)
        .with(
            "WWW-Authenticate",
            "Bearer error=\"insufficient_scope\", scope=\"%s\"".formatted(wanted));
  }

  /**
   * The domain on whose behalf hypercalls are made.
   *
   * @param asked empty where the request does not say
   * @throws Failure 403: only dom0's own token speaks for others
   */
  public DomainId caller(Optional<DomainId> asked) {
    DomainId meant = asked.orElse(caller);
    boolean speaksForAll = scope == Scope.CONTROL && caller.equals(DomainId.DOM0);
    if (!speaksForAll && !meant.equals(caller)) {
      throw Failure.of(
          Problems.INSUFFICIENT_SCOPE, "the token speaks for %s, not for %s", caller, meant);
    }
    return meant;
  }

  /** Whether not every hypercall is let through. */
  public boolean checksCalls() {
    return scope == Scope.DM;
  }

  /**
   * Lets a hypercall through; the hypervisor still has its own say.
   *
   * @param call {@code dm_op.create_ioreq_server}
   * @throws Failure 403, naming the scope that is wanted
   */
  public void check(String call, Hypercall arguments) {
    if (!checksCalls()) {
      return;
    }
    if (!MODEL_CALLS.contains(call) && !MODEL_CALLS.contains(call.split("\\.", 2)[0])) {
      throw wanted(Scope.CONTROL).calling(call);
    }
    for (RecordComponent component : arguments.getClass().getRecordComponents()) {
      if (component.getType() == DomainId.class) {
        checkSubject(call, (DomainId) value(component, arguments));
      }
    }
  }

  private void checkSubject(String call, DomainId meant) {
    boolean itself =
        meant.equals(DomainId.SELF) || (meant.equals(caller) && call.startsWith(EVENTS));
    if (!itself && !meant.equals(subject())) {
      throw Failure.of(
              Problems.INSUFFICIENT_SCOPE, "the token is for %s, not for %s", subject(), meant)
          .calling(call);
    }
  }

  private static Object value(RecordComponent component, Hypercall arguments) {
    try {
      component.getAccessor().setAccessible(true);
      return component.getAccessor().invoke(arguments);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("an accessor of a record does not fail", e);
    }
  }

  /** As it is told: {@code dm of d3}. */
  @Override
  public String toString() {
    return switch (scope) {
      case READ, CONTROL -> scope.toString();
      case GUEST -> "%s of %s".formatted(scope, caller);
      case DM -> "%s of %s".formatted(scope, subject());
    };
  }
}
