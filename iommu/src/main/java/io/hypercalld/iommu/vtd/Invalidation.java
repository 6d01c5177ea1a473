package io.hypercalld.iommu.vtd;

import io.hypercalld.iommu.pci.SourceId;

/**
 * What an invalidation command asks for, whichever way it reached the unit. Immutable.
 *
 * @see "VT-d §6.5"
 */
public sealed interface Invalidation {
  /** Remove what the unit itself remembers. */
  sealed interface OfCaches extends Invalidation {}

  /** Remove context entries. */
  sealed interface OfContexts extends OfCaches {
    InvalidationGranularity granularity();
  }

  /** Remove translations. */
  sealed interface OfTranslations extends OfCaches {
    InvalidationGranularity granularity();
  }

  /** Remove interrupt-remapping entries. */
  sealed interface OfInterrupts extends OfCaches {
    /** Whether an entry is to be removed. */
    boolean covers(int index);
  }

  /** Remove PASID-table entries. */
  sealed interface OfPasids extends OfCaches {
    InvalidationGranularity granularity();
  }

  /** Remove translations of requests with a PASID, and of those made through first-level tables. */
  sealed interface OfPasidTranslations extends OfCaches {
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

  /** All interrupt-remapping entries. */
  record AllInterrupts() implements OfInterrupts {
    @Override
    public boolean covers(int index) {
      return true;
    }
  }

  /**
   * Interrupt-remapping entries whose index matches.
   *
   * @param ignoredBits how many low bits of the index do not count
   */
  record Interrupts(int index, int ignoredBits) implements OfInterrupts {
    @Override
    public boolean covers(int other) {
      return index >>> ignoredBits == other >>> ignoredBits;
    }
  }

  /**
   * Translations that a device keeps.
   *
   * @param prefix the address space; none for requests without one
   * @param everyPasid G: of all address spaces that have a PASID
   * @param iova first address, a multiple of 2^(12+addressMask)
   * @param addressMask log2 of the number of 4 KiB pages; 52 for all there are
   */
  record DeviceTranslations(
      SourceId device, PasidPrefix prefix, boolean everyPasid, long iova, int addressMask)
      implements Invalidation {}

  /**
   * Software's answer to a device's page requests.
   *
   * @param prefix the address space of the requests
   * @param group PRGI: index of the page request group
   * @param code 0 success, 1 invalid request, 15 failure
   */
  record PageGroupResponse(SourceId device, PasidPrefix prefix, int group, int code)
      implements Invalidation {}

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
