package io.hypercalld.iommu.driver;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.domain.DomainId;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Which domain-id of one unit stands for which domain. Confined to the machine thread.
 *
 * <p>A domain-id (DID) tags cached translations inside one unit and means nothing outside it. Its
 * owner is a domain, or one of the pseudo domain ids from 0x8000 on that stand for a quarantined
 * device.
 *
 * @see "VT-d §9.3 (DID), xen/drivers/passthrough/vtd/iommu.c"
 */
public sealed interface DomainIds extends Digestible
    permits MappedDomainIds, PlatformDomainIds, ScannedDomainIds, VerbatimDomainIds {
  /** A domain-id that is in use. */
  record Use(int did, DomainId owner) {}

  /**
   * The owner's domain-id, chosen now if it has none.
   *
   * @throws io.hypercalld.core.errno.Refusal EBUSY, of 2009 EFAULT: every domain-id is in use;
   *     nothing changed
   */
  int claim(DomainId owner);

  /** The owner's domain-id, empty where it has none. */
  OptionalInt find(DomainId owner);

  /** Whom the domain-id stands for, empty where it is free or reserved. */
  Optional<DomainId> ownerOf(int did);

  /** The owner's last device has left the unit, which remembers nothing of it. */
  void release(DomainId owner);

  /** As {@link #release}, but the unit was not brought to forget: no effect unless it is 2009. */
  default void releaseUnforgotten(DomainId owner) {}

  /** An operation that claimed the owner's id failed. */
  default void undoClaim(DomainId owner) {
    forget(owner);
  }

  /** The owner itself is gone; no effect where it has no domain-id. */
  default void forget(DomainId owner) {
    release(owner);
  }

  /** Whether an id stays with its owner when the last device leaves. */
  default boolean outliveDevices() {
    return false;
  }

  /** Number of domain-ids that can be in use at once. */
  int capacity();

  /** Number of domain-ids in use. */
  int used();

  /** The domain-ids in use and their owners, ascending. */
  List<Use> inUse();

  /** Number of slots of the map from id to owner; 0 where there is no such map. */
  default int mapSlots() {
    return 0;
  }

  /** How many slots look-ups by owner have read, one after the other. */
  default long scans() {
    return 0;
  }
}
