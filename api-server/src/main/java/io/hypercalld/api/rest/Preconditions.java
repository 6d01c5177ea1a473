package io.hypercalld.api.rest;

import io.hypercalld.api.machine.Machine;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
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
   * @throws Failure 412, 501 where it relies on what cannot be checked
   */
  static Preconditions of(Route route, Request request) {
    Optional<String> ifMatch = request.header().apply("If-Match");
    Optional<String> ifNoneMatch = request.header().apply("If-None-Match");
    boolean reads = !route.method().changes();
    if (!reads && ifMatch.isPresent() && route.guard().isEmpty()) {
      throw Failure.of(
          Problems.PRECONDITION_FAILED, "there is nothing on this path that has a tag");
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
  <T> Function<Machine, T> before(Function<Machine, T> work, Request request) {
    if (isNone()) {
      return work;
    }
    Consumer<Machine> look = look(request);
    return machine -> {
      look.accept(machine);
      return onlyNew(() -> work.apply(machine));
    };
  }

  /** Whether any change may be made. */
  boolean isNone() {
    return reads || (ifMatch.isEmpty() && ifNoneMatch.isEmpty());
  }

  /**
   * Looks at the guarded resource.
   *
   * @return throws {@link Failure} 412 where it is not what the caller has seen
   */
  Consumer<Machine> look(Request request) {
    if (ifMatch.isEmpty() || guard.isEmpty()) {
      return _ -> {};
    }
    Function<Machine, Reply> resource = guard.get().apply(request);
    return machine -> {
      long revision = machine.revision().changes();
      String current = resource.apply(machine).of(revision).encode().entityTag();
      if (!names(ifMatch.get(), current)) {
        throw Failure.of(Problems.PRECONDITION_FAILED, "its tag is %s now", current);
      }
    };
  }

  /** The work, of which it is no other failure that there is already what it makes. */
  <T> T onlyNew(Supplier<T> work) {
    try {
      return work.get();
    } catch (Refusal | Failure thrown) {
      if (ifNoneMatch.isPresent() && Thrown.errno(thrown).equals(Optional.of(Errno.EEXIST))) {
        throw Failure.of(Problems.PRECONDITION_FAILED, "it exists already");
      }
      throw thrown;
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
