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
  /** Nobody is. */
  InterruptRouter NONE =
      new InterruptRouter() {
        @Override
        public Optional<List<Integer>> route(RedirectionEntry entry) {
          return Optional.empty();
        }

        @Override
        public Optional<List<Integer>> message(Word address, int data) {
          return Optional.empty();
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
   * Delivers a message that a device model sends for one of its devices, it does not say for which.
   *
   * @return the vCPUs that took it; empty where the message says itself where it goes
   */
  Optional<List<Integer>> message(Word address, int data);

  /** The vector that an entry's interrupt has in the end; empty where it is the entry's own. */
  OptionalInt vectorOf(RedirectionEntry entry);
}
