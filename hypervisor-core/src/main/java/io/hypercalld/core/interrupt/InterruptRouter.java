package io.hypercalld.core.interrupt;

import io.hypercalld.core.bits.Word;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Somebody between a domain's interrupt sources and its local APICs: a remapping unit that the
 * guest has switched on.
 *
 * @see "spec/documents.md S1-D13"
 */
public interface InterruptRouter {
  /** What becomes of a message. */
  sealed interface Route {
    /** It says itself where it goes. */
    record Direct() implements Route {}

    /** It goes out as another interrupt. */
    record Remapped(Interrupt interrupt) implements Route {}

    /** It goes nowhere. */
    record Blocked() implements Route {}
  }

  /** Nobody is. */
  InterruptRouter NONE =
      new InterruptRouter() {
        @Override
        public Optional<List<Integer>> route(RedirectionEntry entry) {
          return Optional.empty();
        }

        @Override
        public Optional<List<Integer>> message(OptionalInt requester, Word address, int data) {
          return Optional.empty();
        }

        @Override
        public Route foresee(OptionalInt requester, Word address, int data) {
          return new Route.Direct();
        }

        @Override
        public OptionalInt vectorOf(RedirectionEntry entry) {
          return OptionalInt.empty();
        }
      };

  /**
   * Delivers what a pin of the I/O APIC sends.
   *
   * @return the vCPUs that took it; empty where the entry says itself where it goes
   */
  Optional<List<Integer>> route(RedirectionEntry entry);

  /**
   * Delivers a message.
   *
   * @param requester source-id of the device; empty where a device model does not say for which of
   *     its own it sends
   * @return the vCPUs that took it; empty where the message says itself where it goes
   */
  Optional<List<Integer>> message(OptionalInt requester, Word address, int data);

  /** What {@link #message} would deliver now; changes nothing. */
  Route foresee(OptionalInt requester, Word address, int data);

  /** The vector that an entry's interrupt has in the end; empty where it is the entry's own. */
  OptionalInt vectorOf(RedirectionEntry entry);
}
