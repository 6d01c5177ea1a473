package io.hypercalld.iommu.vtd;

import io.hypercalld.iommu.pci.SourceId;

/**
 * What an invalidation command asks for, whichever way it reached the unit. Immutable.
 *
 * @see "VT-d §6.5"
 */
public sealed interface Invalidation {
  /** Remove context entries. */
  sealed interface OfContexts extends Invalidation {
    InvalidationGranularity granularity();
  }

  /** Remove translations. */
  sealed interface OfTranslations extends Invalidation {
    InvalidationGranularity granularity();
  }

  /** Remove PASID-table entries. */
  sealed interface OfPasids extends Invalidation {
    InvalidationGranularity granularity();
  }

  /** Remove translations of requests with a PASID, and of those made through first-level tables. */
  sealed interface OfPasidTranslations extends Invalidation {
    InvalidationGranularity granularity();
  }

  /** All context entries. */
  record AllContexts() implements OfContexts {
    @Override
    public InvalidationGranularity granularity() {
      return InvalidationGranularity.GLOBAL;
    }
  }

  /** Context entries tagged with a domain-id. */
  record DomainContexts(int domainId) implements OfContexts {
    @Override
    public InvalidationGranularity granularity() {
      return InvalidationGranularity.DOMAIN;
    }
  }

  /**
   * Context entries of one requester, or of all that differ from it in masked function bits only.
   *
   * @param functionMask 0 exact, 1 to 3 ignore bit 2, bits 2:1, bits 2:0 of the source-id
   */
  record DeviceContexts(int domainId, SourceId requester, int functionMask) implements OfContexts {
    @Override
    public InvalidationGranularity granularity() {
      return InvalidationGranularity.SELECTIVE;
    }
  }

  /** All translations. */
  record AllTranslations() implements OfTranslations {
    @Override
    public InvalidationGranularity granularity() {
      return InvalidationGranularity.GLOBAL;
    }
  }

  /** Translations tagged with a domain-id. */
  record DomainTranslations(int domainId) implements OfTranslations {
    @Override
    public InvalidationGranularity granularity() {
      return InvalidationGranularity.DOMAIN;
    }
  }

  /**
   * A domain's translations of 2^addressMask pages.
   *
   * @param iova any address in the first page; the bits inside the range are ignored
   * @param addressMask log2 of the number of 4 KiB pages
   * @param leavesOnly IH: entries that lead to a table may stay
   */
  record PageTranslations(int domainId, long iova, int addressMask, boolean leavesOnly)
      implements OfTranslations {
    @Override
    public InvalidationGranularity granularity() {
      return InvalidationGranularity.SELECTIVE;
    }
  }

  /** All PASID-table entries. */
  record AllPasids() implements OfPasids {
    @Override
    public InvalidationGranularity granularity() {
      return InvalidationGranularity.GLOBAL;
    }
  }

  /** All PASID-table entries that name a domain-id. */
  record DomainPasids(int domainId) implements OfPasids {
    @Override
    public InvalidationGranularity granularity() {
      return InvalidationGranularity.DOMAIN;
    }
  }

  /** The entries of one PASID that name a domain-id, in every PASID table. */
  record SinglePasid(int domainId, int pasid) implements OfPasids {
    @Override
    public InvalidationGranularity granularity() {
      return InvalidationGranularity.SELECTIVE;
    }
  }

  /** All translations of one PASID in a domain. */
  record PasidTranslations(int domainId, int pasid) implements OfPasidTranslations {
    @Override
    public InvalidationGranularity granularity() {
      return InvalidationGranularity.DOMAIN;
    }
  }

  /**
   * The translations of 2^addressMask pages of one PASID in a domain.
   *
   * @param iova any address in the first page; the bits inside the range are ignored
   * @param addressMask log2 of the number of 4 KiB pages
   * @param leavesOnly IH: entries that lead to a table may stay
   */
  record PasidPageTranslations(
      int domainId, int pasid, long iova, int addressMask, boolean leavesOnly)
      implements OfPasidTranslations {
    @Override
    public InvalidationGranularity granularity() {
      return InvalidationGranularity.SELECTIVE;
    }
  }

  /**
   * A mark in the queue: everything before it has taken effect.
   *
   * @param interrupt IF: set ICS.IWC and signal the completion event
   * @param writesStatus SW: store {@code statusData} at {@code statusAddress}
   * @param statusAddress machine address, a multiple of 4
   */
  record Wait(boolean interrupt, boolean writesStatus, int statusData, long statusAddress)
      implements Invalidation {}

  /** A command that stops the queue. */
  record Malformed(QueueError error) implements Invalidation {}
}
