package io.hypercalld.iommu.unit;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.iommu.vtd.Invalidation;

/**
 * What a unit remembers of its tables, and the commands that make it forget. Confined to the
 * machine thread.
 *
 * @see "VT-d §6.2, §6.5"
 */
final class TranslationCaches implements Digestible {
  private final UnitCounters counters;
  private final ContextCache contexts;
  private final Iotlb iotlb;

  TranslationCaches(Circuit circuit) {
    UnitSettings.CacheSizes sizes = circuit.settings().cacheSizes();
    this.counters = circuit.counters();
    this.contexts =
        new ContextCache(sizes.contexts(), circuit.settings().habits().checksDomainOfDevice());
    this.iotlb = new Iotlb(sizes.iotlb(), circuit.capabilities().domainIds());
  }

  ContextCache contexts() {
    return contexts;
  }

  Iotlb iotlb() {
    return iotlb;
  }

  /** Forgets context entries, and nothing of the translations made with them. */
  void carryOut(Invalidation.OfContexts command) {
    switch (command) {
      case Invalidation.AllContexts _ -> contexts.invalidateAll();
      case Invalidation.DomainContexts(int domainId) -> contexts.invalidateDomain(domainId);
      case Invalidation.DeviceContexts(int domainId, var requester, int functionMask) ->
          contexts.invalidateDevice(domainId, requester, functionMask);
    }
    counters.countContextInvalidation(command.granularity());
  }

  /** Forgets translations; only leaves are remembered, so IH makes no difference. */
  void carryOut(Invalidation.OfTranslations command) {
    switch (command) {
      case Invalidation.AllTranslations _ -> iotlb.invalidateAll();
      case Invalidation.DomainTranslations(int domainId) -> iotlb.invalidateDomain(domainId);
      case Invalidation.PageTranslations(int domainId, long iova, int addressMask, _) ->
          iotlb.invalidatePages(domainId, iova, addressMask);
    }
    counters.countIotlbInvalidation(command.granularity());
  }

  /** Forgets PASID-table entries, and nothing of the translations made with them. */
  void carryOut(Invalidation.OfPasids command) {
    counters.countPasidInvalidation(command.granularity());
  }

  /** Forgets translations of one PASID. */
  void carryOut(Invalidation.OfPasidTranslations command) {
    counters.countPasidIotlbInvalidation(command.granularity());
  }

  /** Forgets everything without being told by a command. */
  void clear() {
    contexts.invalidateAll();
    iotlb.invalidateAll();
  }

  @Override
  public void digest(StateDigest digest) {
    digest.put(contexts).put(iotlb);
  }
}
