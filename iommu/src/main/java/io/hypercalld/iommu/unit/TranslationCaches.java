package io.hypercalld.iommu.unit;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.iommu.vtd.Invalidation;
import io.hypercalld.iommu.vtd.PasidEntry;
import java.util.List;

/**
 * What a unit remembers of its tables, and the commands that make it forget. Confined to the
 * machine thread.
 *
 * <p>Second-level translations are remembered under their domain-id, those of a first level under
 * domain-id and PASID. A command that names pages of a domain means second-level addresses: of the
 * domain's first-level translations, which went through any of them, none stays.
 *
 * @see "VT-d §6.2, §6.5"
 */
final class TranslationCaches implements Digestible {
  private final UnitCounters counters;
  private final RecentHits hits = new RecentHits();
  private final RecentSpaces recentSpaces = new RecentSpaces();
  private final ContextCache contexts;
  private final PasidCache pasids;
  private final AddressSpaces spaces;
  private final Iotlb iotlb;
  private final PagingStructureCache structures;
  private final WalkTools walkTools;
  private final boolean buffersWrites;

  TranslationCaches(Circuit circuit) {
    UnitSettings.CacheSizes sizes = circuit.settings().cacheSizes();
    this.counters = circuit.counters();
    this.contexts =
        new ContextCache(
            sizes.contexts(),
            circuit.settings().habits().checksDomainOfDevice(),
            () -> {
              hits.forget();
              recentSpaces.forget();
            });
    this.pasids = new PasidCache(sizes.contexts(), recentSpaces::forget);
    this.spaces =
        new AddressSpaces(
            circuit.capabilities().domainIds(),
            circuit.capabilities().scalableMode() ? AddressSpaces.PASIDS : 0);
    this.iotlb = new Iotlb(sizes.iotlb(), spaces.limit(), hits);
    this.structures =
        new PagingStructureCache(
            sizes.tables(), spaces.limit(), circuit.settings().habits().remembersTables());
    this.buffersWrites = circuit.settings().buffersWrites();
    this.walkTools = WalkTools.of(circuit, structures);
  }

  ContextCache contexts() {
    return contexts;
  }

  /** What both of them have answered in legacy mode. */
  RecentHits hits() {
    return hits;
  }

  /** What context and PASID cache have found together in scalable mode. */
  RecentSpaces recentSpaces() {
    return recentSpaces;
  }

  PasidCache pasids() {
    return pasids;
  }

  Iotlb iotlb() {
    return iotlb;
  }

  WalkTools walkTools() {
    return walkTools;
  }

  /** Tools for walks that nothing is remembered of. */
  WalkTools walkToolsWithoutMemory() {
    int smallest = UnitSettings.CacheSizes.SMALLEST;
    return walkTools.with(new PagingStructureCache(smallest, spaces.limit(), false));
  }

  /** The translations that are remembered. */
  List<CachedTranslation> translations() {
    return iotlb.entries(spaces);
  }

  /**
   * The number under which an address space's translations are remembered.
   *
   * @param judged what its PASID entry means, a {@link JudgedPasid} word
   */
  int space(long judged, PasidEntry entry, int pasid) {
    if (JudgedPasid.isSecondLevelOnly(judged) || JudgedPasid.passes(judged)) {
      return entry.domainId();
    }
    if (spaces.isFull() && spaces.ofPasid(entry.domainId(), pasid).isEmpty()) {
      forgetSpaces();
    }
    return spaces.meet(entry.domainId(), pasid);
  }

  /** The same number, {@link AddressSpaces#UNKNOWN} where the space has none yet. */
  int spaceIfMet(long judged, PasidEntry entry, int pasid) {
    return JudgedPasid.isSecondLevelOnly(judged)
        ? entry.domainId()
        : spaces.ofPasid(entry.domainId(), pasid).orElse(AddressSpaces.UNKNOWN);
  }

  private void forgetSpaces() {
    pasids.invalidateAll();
    iotlb.invalidateAll();
    structures.invalidateAll();
    spaces.clear();
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

  /** Forgets translations and, unless only leaves changed, the tables on the way to them. */
  void carryOut(Invalidation.OfTranslations command) {
    switch (command) {
      case Invalidation.AllTranslations _ -> {
        iotlb.invalidateAll();
        structures.invalidateAll();
      }
      case Invalidation.DomainTranslations(int domainId) -> {
        forgetSpace(domainId);
        forgetPasidsOf(domainId);
      }
      case Invalidation.PageTranslations(int domainId, long iova, int mask, boolean leavesOnly) -> {
        forgetPages(domainId, iova, mask, leavesOnly);
        forgetPasidsOf(domainId);
      }
    }
    counters.countIotlbInvalidation(command.granularity());
  }

  private void forgetPasidsOf(int domainId) {
    for (int space : spaces.ofDomain(domainId)) {
      forgetSpace(space);
    }
  }

  private void forgetSpace(int space) {
    iotlb.invalidateSpace(space);
    structures.invalidateSpace(space);
  }

  private void forgetPages(int space, long iova, int addressMask, boolean leavesOnly) {
    iotlb.invalidatePages(space, iova, addressMask);
    if (!leavesOnly) {
      structures.invalidatePages(space, iova, addressMask);
    }
  }

  /** Forgets PASID-table entries, and nothing of the translations made with them. */
  void carryOut(Invalidation.OfPasids command) {
    switch (command) {
      case Invalidation.AllPasids _ -> pasids.invalidateAll();
      case Invalidation.DomainPasids(int domainId) -> pasids.invalidateDomain(domainId);
      case Invalidation.SinglePasid(int domainId, int pasid) ->
          pasids.invalidatePasid(domainId, pasid);
    }
    counters.countPasidInvalidation(command.granularity());
  }

  /** Forgets translations of one PASID. */
  void carryOut(Invalidation.OfPasidTranslations command) {
    switch (command) {
      case Invalidation.PasidTranslations(int domainId, int pasid) ->
          spaces.ofPasid(domainId, pasid).ifPresent(this::forgetSpace);
      case Invalidation.PasidPageTranslations(
              int domainId,
              int pasid,
              long iova,
              int mask,
              boolean leavesOnly) ->
          spaces
              .ofPasid(domainId, pasid)
              .ifPresent(space -> forgetPages(space, Iotlb.key(iova), mask, leavesOnly));
    }
    counters.countPasidIotlbInvalidation(command.granularity());
  }

  /** Software's stores so far become visible: what was absent may not be any more. */
  void flushWriteBuffer() {
    if (buffersWrites) {
      iotlb.invalidateAbsences();
      contexts.invalidateFaults();
      pasids.invalidateFaults();
    }
  }

  /** Forgets everything without being told by a command. */
  void clear() {
    contexts.invalidateAll();
    forgetSpaces();
  }

  @Override
  public void digest(StateDigest digest) {
    digest.put(contexts).put(pasids).put(spaces).put(iotlb).put(structures);
  }
}
