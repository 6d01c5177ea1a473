package io.hypercalld.api.rest;

import io.hypercalld.api.machine.Machine;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * What a caller has seen of a resource and relies on. Immutable.
 *
 * <p>A tag is a hash of the representation: it changes when the resource does, whoever changed it,
 * and not when something else does.
 *
 * @param guard the resource that If-Match is about
 */
record Preconditions(
    boolean reads,
    Optional<String> ifMatch,
    Optional<String> ifNoneMatch,
    Optional<Route.Task> guard) {
  private static final int OK = 200;
  private static final int CREATED = 201;
  private static final int NOT_MODIFIED = 304;
  private static final String ANY = "*";

  /**
   * What a request relies on.
   *
   * @throws Failure 501 where it relies on what cannot be checked
   */
  static Preconditions of(Route route, Request request) {
    Optional<String> ifMatch = request.header().apply("If-Match");
    Optional<String> ifNoneMatch = request.header().apply("If-None-Match");
    boolean reads = !route.method().changes();
    if (!reads && ifMatch.isPresent() && route.guard().isEmpty()) {
      throw Failure.of(
          Problems.NOT_BUILT, "If-Match is not honoured on this path, so nothing was done");
    }
    boolean creates = route.response().status() == CREATED;
    boolean onlyNew = ifNoneMatch.filter(tags -> tags.strip().equals(ANY)).isPresent();
    if (!reads && ifNoneMatch.isPresent() && !(creates && onlyNew)) {
      throw Failure.of(
          Problems.NOT_BUILT,
          "If-None-Match is honoured on reads, and as * where something is made: nothing was done");
    }
    return new Preconditions(reads, ifMatch, ifNoneMatch, route.guard());
  }

  /** The work, preceded by a look at the guarded resource in the same breath. */
  Function<Machine, Reply> before(Function<Machine, Reply> work, Request request) {
    if (!reads && ifNoneMatch.isPresent()) {
      return machine -> makeNew(work, machine);
    }
    if (reads || ifMatch.isEmpty() || guard.isEmpty()) {
      return work;
    }
    Function<Machine, Reply> look = guard.get().apply(request);
    return machine -> {
      long revision = machine.revision().changes();
      String current = look.apply(machine).of(revision).encode().entityTag();
      if (!names(ifMatch.get(), current)) {
        throw Failure.of(Problems.PRECONDITION_FAILED, "its tag is %s now", current);
      }
      return work.apply(machine);
    };
  }

  private static Reply makeNew(Function<Machine, Reply> work, Machine machine) {
    try {
      return work.apply(machine);
    } catch (Refusal refusal) {
      if (refusal.errno() == Errno.EEXIST) {
        throw Failure.of(Problems.PRECONDITION_FAILED, "%s", refusal.reason());
      }
      throw refusal;
    }
  }

  /** The answer with its tag, or without its content where the caller has it already. */
  Encoded apply(Encoded answer) {
    if (!reads || answer.status() != OK || !answer.mediaType().equals(Encoded.JSON)) {
      return answer;
    }
    String tag = answer.entityTag();
    if (ifMatch.isPresent() && !names(ifMatch.get(), tag)) {
      throw Failure.of(Problems.PRECONDITION_FAILED, "its tag is %s now", tag);
    }
    Encoded tagged = answer.with(Encoded.TAG, tag);
    return ifNoneMatch.filter(tags -> names(tags, tag)).isPresent()
        ? tagged.bodiless(NOT_MODIFIED)
        : tagged;
  }

  private static boolean names(String tags, String tag) {
    return tags.strip().equals(ANY)
        || Stream.of(tags.split(",")).map(String::strip).anyMatch(tag::equals);
  }
}
