package io.hypercalld.iommu.unit;

import io.hypercalld.iommu.pci.SourceId;
import io.hypercalld.iommu.vtd.DmaAccess;
import io.hypercalld.iommu.vtd.FaultReason;
import io.hypercalld.iommu.vtd.InterruptRange;
import io.hypercalld.iommu.vtd.PasidPrefix;
import io.hypercalld.iommu.vtd.SecondStageEntry;
import java.util.Optional;

/**
 * The way of a memory request: context cache, IOTLB, and tables where they have no answer. Confined
 * to the machine thread.
 *
 * @see "VT-d §3.4"
 */
final class DmaRemapper {
  /*
   * A request is answered in full before anything else happens, so nothing overtakes a walk and what
   * it found may be remembered at once. Nothing that is remembered is looked at again: not the
   * context entry when its domain-id's pages hit, not the tables when the page does.
   *
   * With caching mode off only what let a request through is remembered. With it on, absent and
   * wrong context entries are too, tagged with domain-id 0, and so are pages whose entry was absent,
   * tagged with their real domain-id, as translations that permit nothing.
   */
  private final TranslationCaches caches;
  private final ContextCache contexts;
  private final Iotlb iotlb;
  private final RecentHits hits;
  private final ContextTables tables;
  private final SecondStageWalk walk;
  private final ScalableRemapper scalable;
  private final RequestEnd end;
  private final UnitCounters counters;
  private final DmaAccess zeroLengthRead;
  private final boolean remembersAbsence;
  private final int hostAddressWidth;

  private boolean enabled;
  private Optional<FaultReason> modeFault = Optional.empty();
  private boolean isScalable;

  /** Whether requests take the usual way: translation is on and the mode is legacy. */
  private boolean translating;

  DmaRemapper(Circuit circuit, TranslationCaches caches, RequestEnd end) {
    this.caches = caches;
    this.contexts = caches.contexts();
    this.iotlb = caches.iotlb();
    this.hits = caches.hits();
    this.tables = new ContextTables(circuit, contexts);
    this.walk = SecondStageWalk.of(caches.walkTools());
    this.scalable = new ScalableRemapper(circuit, caches, end);
    this.end = end;
    this.counters = circuit.counters();
    this.zeroLengthRead =
        circuit.capabilities().zeroLengthReads() ? DmaAccess.ZERO_LENGTH_READ : DmaAccess.READ;
    this.remembersAbsence = circuit.settings().remembersAbsence();
    this.hostAddressWidth = circuit.settings().hostAddressWidth();
  }

  ContextTables tables() {
    return tables;
  }

  ScalableRemapper scalable() {
    return scalable;
  }

  /** Switches translation on or off; what is remembered stays. */
  void enable(boolean on) {
    enabled = on;
    translating = enabled && modeFault.isEmpty() && !isScalable;
  }

  boolean isEnabled() {
    return enabled;
  }

  /** Whether requests are translated through scalable mode's tables. */
  boolean isScalable() {
    return isScalable;
  }

  /** Takes a value of RTADDR into use; what is remembered stays, unless the mode is another. */
  void setRoot(long rootTableAddress) {
    tables.latch(rootTableAddress);
    modeFault = tables.modeFault();
    scalable.tables().setRoot(tables.rootTable());
    if (isScalable != tables.isScalable()) {
      // The other mode's entries mean nothing in this one.
      caches.clear();
    }
    isScalable = tables.isScalable();
    enable(enabled);
  }

  /** What becomes of one request that lies in one 4 KiB page. */
  void translate(SourceId requester, long iova, DmaAccess access, Translation out) {
    if (!translating) {
      translateOtherwise(requester, PasidPrefix.NONE, iova, access, out);
      return;
    }
    long leaf = hits.isEmpty() ? RecentHits.MISS : hits.find(requester.value(), iova);
    if (leaf != RecentHits.MISS && letsPass(leaf, access)) {
      counters.contextHits++;
      counters.iotlbHits++;
      out.beginWithHits();
      end.pass(leaf, iova, out);
    } else {
      translateByContext(requester, iova, access, out);
    }
  }

  private boolean letsPass(long leaf, DmaAccess access) {
    return access.isUntranslated() && need(access).isPermittedBy(Leaf.permissions(leaf));
  }

  private void translateByContext(
      SourceId requester, long iova, DmaAccess access, Translation out) {
    long context = contexts.find(requester.value());
    if (context != ContextCache.MISS) {
      counters.contextHits++;
      out.begin(true);
    } else {
      counters.contextMisses++;
      context = tables.fetch(requester);
      out.begin(false);
    }
    if (JudgedContext.translates(context) && access.isUntranslated()) {
      translatePage(context, iova, need(access), out);
    } else {
      decideByContext(context, iova, access, out);
    }
  }

  /** The same for a request that may carry a PASID. */
  void translate(
      SourceId requester, PasidPrefix prefix, long iova, DmaAccess access, Translation out) {
    if (prefix.present()) {
      translateOtherwise(requester, prefix, iova, access, out);
    } else {
      translate(requester, iova, access, out);
    }
  }

  /** A request with a PASID, or in a mode other than legacy. */
  private void translateOtherwise(
      SourceId requester, PasidPrefix prefix, long iova, DmaAccess access, Translation out) {
    if (!enabled) {
      out.begin(false);
      end.passUntranslated(iova, out);
    } else if (isScalable) {
      scalable.translate(requester, prefix, iova, need(access), out);
    } else {
      out.begin(false);
      MemoryRequest request = new MemoryRequest(requester, prefix, iova, access);
      end.block(request, modeFault.orElse(FaultReason.PASID_IN_LEGACY_MODE), false, out);
    }
  }

  /** Why the mode that the root pointer names refuses requests with this prefix. */
  Optional<FaultReason> modeFault(PasidPrefix prefix) {
    return modeFault.isEmpty() && !isScalable && prefix.present()
        ? Optional.of(FaultReason.PASID_IN_LEGACY_MODE)
        : modeFault;
  }

  private void translatePage(long context, long iova, DmaAccess access, Translation out) {
    if (iova >>> JudgedContext.limit(context) != 0) {
      block(context, iova, access, FaultReason.ADDRESS_BEYOND_WIDTH, out);
      return;
    }
    long leaf = iotlb.find(JudgedContext.domainId(context), iova);
    if (leaf == Iotlb.MISS) {
      walk(context, iova, access, out);
      return;
    }
    counters.iotlbHits++;
    out.noteIotlbHit();
    int permissions = Leaf.permissions(leaf);
    if (access.isPermittedBy(permissions)) {
      if (out.contextHit()) {
        hits.note(JudgedContext.sourceId(context), iova, leaf);
      }
      end.pass(leaf, iova, out);
    } else {
      block(context, iova, access, access.whenDenied(permissions), out);
    }
  }

  /** What a request needs of a page: a zero-length read may need no more than a page at all. */
  DmaAccess need(DmaAccess access) {
    return access == DmaAccess.ZERO_LENGTH_READ ? zeroLengthRead : access;
  }

  /** Walks the tables and remembers what they say; no page is found that would not do. */
  private void walk(long context, long iova, DmaAccess access, Translation out) {
    counters.iotlbMisses++;
    int domainId = JudgedContext.domainId(context);
    int levels = JudgedContext.levels(context);
    long leaf = walk.walk(domainId, contexts.secondStageRoot(), levels, iova, access);
    if (!Leaf.isFault(leaf)) {
      iotlb.put(domainId, iova, Leaf.cacheable(leaf, iova));
      end.pass(leaf, iova, out);
      return;
    }
    if (remembersAbsence && Leaf.isAbsent(leaf)) {
      iotlb.put(domainId, iova, Leaf.remembered());
    }
    block(context, iova, access, Leaf.reason(leaf), out);
  }

  /** A request that passes as it is, is blocked, or asks for a translation. */
  private void decideByContext(long context, long iova, DmaAccess access, Translation out) {
    Optional<FaultReason> refusal = refusal(context, iova, access);
    if (refusal.isPresent()) {
      block(context, iova, access, refusal.get(), out);
    } else if (access == DmaAccess.TRANSLATION_REQUEST) {
      translatePage(context, iova, access, out);
    } else {
      end.pass(Leaf.of(iova, 1, SecondStageEntry.READ_WRITE), iova, out);
    }
  }

  /** Why the context refuses a request, except for an address that its tables do not reach. */
  Optional<FaultReason> refusal(long context, long iova, DmaAccess access) {
    boolean blockedByType = !access.isUntranslated() && !JudgedContext.admitsDeviceTlb(context);
    if (JudgedContext.faults(context)
        && !(blockedByType && JudgedContext.isWidthInvalid(context))) {
      return Optional.of(JudgedContext.reason(context));
    }
    if (blockedByType) {
      return Optional.of(FaultReason.REQUEST_TYPE_BLOCKED);
    }
    if (JudgedContext.translates(context) && !access.isTranslated()) {
      return Optional.empty();
    }
    if (iova >>> hostAddressWidth != 0) {
      return Optional.of(FaultReason.ADDRESS_BEYOND_WIDTH);
    }
    return access.isTranslated() && InterruptRange.contains(iova)
        ? Optional.of(FaultReason.OUTPUT_IN_INTERRUPT_RANGE)
        : Optional.empty();
  }

  private void block(
      long context, long iova, DmaAccess access, FaultReason reason, Translation out) {
    SourceId requester = new SourceId(JudgedContext.sourceId(context));
    MemoryRequest request = MemoryRequest.of(requester, iova, access);
    end.block(request, reason, JudgedContext.disablesFaultProcessing(context), out);
  }
}
