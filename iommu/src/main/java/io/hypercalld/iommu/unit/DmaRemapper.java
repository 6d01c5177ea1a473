package io.hypercalld.iommu.unit;

import io.hypercalld.iommu.pci.SourceId;
import io.hypercalld.iommu.vtd.DmaAccess;
import io.hypercalld.iommu.vtd.FaultReason;
import io.hypercalld.iommu.vtd.InterruptRange;
import io.hypercalld.iommu.vtd.PasidPrefix;
import io.hypercalld.iommu.vtd.SecondStageEntry;
import io.hypercalld.iommu.vtd.SecondStageFormat;
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
  private final ContextCache contexts;
  private final Iotlb iotlb;
  private final ContextTables tables;
  private final SecondStageWalk walk;
  private final ProtectedMemory protectedMemory;
  private final FaultLog log;
  private final UnitCounters counters;
  private final DmaAccess zeroLengthRead;
  private final boolean remembersAbsence;

  private boolean enabled;
  private Optional<FaultReason> modeFault = Optional.empty();

  /** Whether requests take the usual way: translation is on and the mode is legacy. */
  private boolean translating;

  DmaRemapper(
      Circuit circuit, TranslationCaches caches, FaultLog log, ProtectedMemory protectedMemory) {
    this.contexts = caches.contexts();
    this.iotlb = caches.iotlb();
    this.tables = new ContextTables(circuit, contexts);
    SecondStageFormat format =
        new SecondStageFormat(circuit.capabilities(), circuit.settings().hostAddressWidth());
    this.walk = new SecondStageWalk(circuit.memory(), format, circuit.counters());
    this.protectedMemory = protectedMemory;
    this.log = log;
    this.counters = circuit.counters();
    this.zeroLengthRead =
        circuit.capabilities().zeroLengthReads() ? DmaAccess.ZERO_LENGTH_READ : DmaAccess.READ;
    this.remembersAbsence =
        circuit.capabilities().cachingMode() && circuit.settings().habits().remembersAbsence();
  }

  ContextTables tables() {
    return tables;
  }

  /** Switches translation on or off; what is remembered stays. */
  void enable(boolean on) {
    enabled = on;
    translating = enabled && modeFault.isEmpty();
  }

  boolean isEnabled() {
    return enabled;
  }

  /** Takes a value of RTADDR into use; what is remembered stays. */
  void setRoot(long rootTableAddress) {
    tables.latch(rootTableAddress);
    modeFault = tables.modeFault();
    translating = enabled && modeFault.isEmpty();
  }

  /** What becomes of one request that lies in one 4 KiB page. */
  void translate(SourceId requester, long iova, DmaAccess access, Translation out) {
    if (!translating) {
      bypass(requester, iova, access, out);
      return;
    }
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

  /** The same for a request that may carry a PASID, which legacy mode has no tables for. */
  void translate(
      SourceId requester, PasidPrefix prefix, long iova, DmaAccess access, Translation out) {
    if (!prefix.present() || !translating) {
      translate(requester, iova, access, out);
      return;
    }
    out.begin(false);
    out.because(FaultReason.PASID_IN_LEGACY_MODE);
    counters.countFault(FaultReason.PASID_IN_LEGACY_MODE);
    if (log.record(requester.value(), prefix, iova, access, FaultReason.PASID_IN_LEGACY_MODE)) {
      out.noteRecorded();
    }
  }

  private void translatePage(long context, long iova, DmaAccess access, Translation out) {
    long leaf = iotlb.find(JudgedContext.domainId(context), iova);
    if (leaf != Iotlb.MISS) {
      counters.iotlbHits++;
      out.noteIotlbHit();
    } else {
      counters.iotlbMisses++;
      leaf = walk(context, iova, access);
    }
    if (access.isPermittedBy(Leaf.permissions(leaf)) && !Leaf.isFault(leaf)) {
      out.map(Leaf.maddr(leaf, iova), Leaf.level(leaf));
      protect(out);
    } else {
      block(context, iova, access, out.because(whenNotPassed(leaf, access)));
    }
  }

  private static FaultReason whenNotPassed(long leaf, DmaAccess access) {
    return Leaf.isFault(leaf) ? Leaf.reason(leaf) : access.whenDenied(Leaf.permissions(leaf));
  }

  /** What a request needs of a page: a zero-length read may need no more than a page at all. */
  DmaAccess need(DmaAccess access) {
    return access == DmaAccess.ZERO_LENGTH_READ ? zeroLengthRead : access;
  }

  /** Walks the tables and remembers what they say. */
  private long walk(long context, long iova, DmaAccess access) {
    if (iova >>> JudgedContext.limit(context) != 0) {
      return Leaf.fault(FaultReason.ADDRESS_BEYOND_WIDTH);
    }
    int levels = JudgedContext.levels(context);
    long leaf = walk.walk(contexts.secondStageRoot(), levels, iova, access);
    if (!Leaf.isFault(leaf)) {
      iotlb.put(JudgedContext.domainId(context), iova, cacheable(leaf, iova));
    } else if (remembersAbsence && Leaf.isAbsent(leaf)) {
      iotlb.put(JudgedContext.domainId(context), iova, Leaf.remembered());
    }
    return leaf;
  }

  /**
   * A superpage that reaches into the interrupt range is remembered piece by piece: a hit is not
   * checked against the range again.
   */
  private static long cacheable(long leaf, long iova) {
    int level = Leaf.level(leaf);
    return level > 1 && InterruptRange.intersects(Leaf.page(leaf), SecondStageEntry.shift(level))
        ? Leaf.fractured(leaf, iova)
        : leaf;
  }

  /** A request that needs no second-stage tables to be answered. */
  private void decideByContext(long context, long iova, DmaAccess access, Translation out) {
    boolean blockedByType = !access.isUntranslated();
    boolean faults = JudgedContext.faults(context);
    if (faults && !(blockedByType && JudgedContext.isWidthInvalid(context))) {
      block(context, iova, access, out.because(JudgedContext.reason(context)));
    } else if (blockedByType) {
      // No unit here announces device-TLBs, so no translation type lets such a request pass.
      block(context, iova, access, out.because(FaultReason.REQUEST_TYPE_BLOCKED));
    } else if (iova >>> JudgedContext.limit(context) != 0) {
      block(context, iova, access, out.because(FaultReason.ADDRESS_BEYOND_WIDTH));
    } else {
      out.map(iova, 1);
      protect(out);
    }
  }

  private void block(long context, long iova, DmaAccess access, Translation out) {
    FaultReason reason = out.reason();
    counters.countFault(reason);
    if (reason.isQualified() && JudgedContext.disablesFaultProcessing(context)) {
      counters.faultsSuppressed++;
    } else if (log.record(
        JudgedContext.sourceId(context), PasidPrefix.NONE, iova, access, reason)) {
      out.noteRecorded();
    }
  }

  /** Whether the fault log would take another fault of a requester. */
  boolean canRecord(int sourceId) {
    return log.canRecord(sourceId);
  }

  private void bypass(SourceId requester, long iova, DmaAccess access, Translation out) {
    out.begin(false);
    if (enabled && modeFault.isPresent()) {
      long context = JudgedContext.of(0, requester.value(), false);
      block(context, iova, access, out.because(modeFault.get()));
    } else {
      counters.untranslated++;
      out.passUntranslated(iova);
      protect(out);
    }
  }

  private void protect(Translation out) {
    if (protectedMemory.blocks(out.maddr())) {
      counters.protectedBlocks++;
      out.protect();
    }
  }
}
