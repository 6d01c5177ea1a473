package io.hypercalld.api.machine;

import io.hypercalld.iommu.unit.Malfunction;
import java.util.Locale;
import java.util.Optional;

/** What goes wrong on purpose. */
public enum FaultEffect {
  /** An invalidation command is not carried out until software rings again. */
  INVALIDATION_TIMEOUT,

  /** The queue stops as if a command could not be fetched; a register refuses it. */
  QUEUE_ERROR,

  /** A command is reported as done and has changed nothing. */
  DROP_INVALIDATION,

  /** A device answers with what is no completion. */
  MALFORMED_COMPLETION,

  /** The unit gives out no domain-id any more, once it has given out {@code skip} more. */
  DOMAIN_IDS_EXHAUSTED,

  /**
   * What a device model answers, in its page or by a request, does not reach the vCPU, which waits
   * on.
   */
  IOREQ_NO_REPLY,

  /** An event reaches nobody. */
  EVENT_DROP,

  /** Bits of the entry that translates a guest frame for devices are turned over after the call. */
  CORRUPT_PTE,

  /** The call is not made, and never answered. */
  HANG,

  /** The call is made, and its answer lost: the connection is reset. */
  HTTP_RESET;

  /** As rules spell it: {@code invalidation-timeout}. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /** What a unit does; empty where it is no unit's malfunction. */
  Optional<Malfunction.Effect> ofUnit() {
    return switch (this) {
      case INVALIDATION_TIMEOUT -> Optional.of(Malfunction.Effect.INVALIDATION_TIMEOUT);
      case QUEUE_ERROR -> Optional.of(Malfunction.Effect.QUEUE_ERROR);
      case DROP_INVALIDATION -> Optional.of(Malfunction.Effect.DROP_INVALIDATION);
      case MALFORMED_COMPLETION -> Optional.of(Malfunction.Effect.MALFORMED_COMPLETION);
      case DOMAIN_IDS_EXHAUSTED, IOREQ_NO_REPLY, EVENT_DROP, CORRUPT_PTE, HANG, HTTP_RESET ->
          Optional.empty();
    };
  }

  /** Whether it strikes hypercalls. */
  boolean isOfCalls() {
    return this == CORRUPT_PTE || this == HANG || this == HTTP_RESET;
  }
}
