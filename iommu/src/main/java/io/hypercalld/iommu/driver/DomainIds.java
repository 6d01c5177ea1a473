package io.hypercalld.iommu.driver;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.domain.DomainId;
import java.util.Map;
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
sealed interface DomainIds extends Digestible permits MappedDomainIds, VerbatimDomainIds {
  /**
   * The owner's domain-id, chosen now if it has none.
   *
   * @throws io.hypercalld.core.errno.Refusal EBUSY every domain-id of the unit is in use; nothing
   *     changed
   */
  int claim(DomainId owner);

  /** The owner's domain-id, empty where it has none. */
  OptionalInt find(DomainId owner);

  /** Whom the domain-id stands for, empty where it is free or reserved. */
  Optional<DomainId> ownerOf(int did);

  /** Frees the owner's domain-id; no effect where it has none. */
  void release(DomainId owner);

  /** Number of domain-ids that can be in use at once. */
  int capacity();

  /** The domain-ids in use and their owners, ascending. */
  Map<Integer, DomainId> inUse();
}
