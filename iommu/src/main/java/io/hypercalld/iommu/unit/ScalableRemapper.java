package io.hypercalld.iommu.unit;

import io.hypercalld.iommu.pci.SourceId;
import io.hypercalld.iommu.vtd.DmaAccess;
import io.hypercalld.iommu.vtd.FaultReason;
import io.hypercalld.iommu.vtd.InterruptRange;
import io.hypercalld.iommu.vtd.PasidEntry;
import io.hypercalld.iommu.vtd.PasidPrefix;
import io.hypercalld.iommu.vtd.SecondStageEntry;

/**
 * The way of a memory request in scalable mode: context cache, PASID cache, IOTLB, and tables where
 * they have no answer. Confined to the machine thread.
 *
 * @see "VT-d §3.4.3, §3.6 to §3.8"
 */
final class ScalableRemapper {
  private final UnitCounters counters;
  private final ContextCache contexts;
  private final PasidCache pasids;
  private final Iotlb iotlb;
  private final ScalableRules rules;
  private final ScalableTables tables;
  private final SpaceWalk walk;
  private final RequestEnd end;
  private final int hostAddressWidth;
  private final boolean remembersAbsence;
  private final AddressSpace space = new AddressSpace();

  /** FPD of the entries that the request at hand has used. */
  private boolean silent;

  ScalableRemapper(Circuit circuit, TranslationCaches caches, RequestEnd end) {
    this.counters = circuit.counters();
    this.contexts = caches.contexts();
    this.pasids = caches.pasids();
    this.iotlb = caches.iotlb();
    this.rules = new ScalableRules(circuit.capabilities());
    this.tables = new ScalableTables(circuit, caches);
    this.walk = SpaceWalk.of(caches.walkTools());
    this.end = end;
    this.hostAddressWidth = circuit.settings().hostAddressWidth();
    this.remembersAbsence = circuit.settings().remembersAbsence();
  }

  ScalableTables tables() {
    return tables;
  }

  ScalableRules rules() {
    return rules;
  }

  /** What becomes of one request that lies in one 4 KiB page. */
  void translate(
      SourceId requester, PasidPrefix prefix, long iova, DmaAccess access, Translation out) {
    long context = contexts.find(requester.value());
    if (context != ContextCache.MISS) {
      counters.contextHits++;
      out.begin(true);
    } else {
      counters.contextMisses++;
      out.begin(false);
      context = tables.fetchContext(requester);
    }
    long leaf = decide(context, prefix, iova, access, out);
    if (!Leaf.isFault(leaf)) {
      end.pass(leaf, iova, out);
    } else {
      MemoryRequest request = new MemoryRequest(requester, prefix, iova, access);
      end.block(request, Leaf.reason(leaf), silent, out);
    }
  }

  /** The page that the request goes to, or the reason why it is blocked: a {@link Leaf} word. */
  private long decide(
      long context, PasidPrefix prefix, long iova, DmaAccess access, Translation out) {
    silent = JudgedContext.disablesFaultProcessing(context);
    if (JudgedContext.faults(context)) {
      return Leaf.fault(JudgedContext.reason(context));
    }
    long q1 = contexts.lastHi();
    int pasid = rules.pasid(q1, prefix);
    long refusal = ScalableRules.refusal(context, contexts.lastLo(), pasid, prefix, access);
    if (refusal != 0) {
      return refusal;
    }
    if (access.isTranslated()) {
      return translated(iova, hostAddressWidth);
    }
    long judged = pasids.find(JudgedContext.sourceId(context), pasid);
    if (judged != PasidCache.MISS) {
      counters.pasidHits++;
    } else {
      counters.pasidMisses++;
      judged = tables.fetchPasid(context, contexts.secondStageRoot(), pasid);
    }
    silent |= JudgedPasid.disablesFaultProcessing(judged);
    int who = rules.who(q1, prefix);
    refusal = ScalableRules.refusal(judged, who, iova);
    if (refusal != 0) {
      return refusal;
    }
    return JudgedPasid.passes(judged)
        ? translated(iova, hostAddressWidth)
        : page(judged, who, iova, access, out);
  }

  /** Where a request goes whose address stands for itself. */
  static long translated(long address, int hostAddressWidth) {
    if (address >>> hostAddressWidth != 0) {
      return Leaf.fault(FaultReason.OUTPUT_BEYOND_HARDWARE);
    }
    return InterruptRange.contains(address)
        ? Leaf.fault(FaultReason.SCALABLE_OUTPUT_IN_INTERRUPT_RANGE)
        : Leaf.of(address, 1, SecondStageEntry.READ_WRITE);
  }

  private long page(long judged, int who, long iova, DmaAccess access, Translation out) {
    int number = JudgedPasid.space(judged);
    long key = Iotlb.key(iova);
    long leaf = iotlb.find(number, key);
    if (leaf == Iotlb.MISS) {
      counters.iotlbMisses++;
      return walk(judged, who, iova, access);
    }
    if (Leaf.isClean(leaf) && access.dirties(Leaf.permissions(leaf))) {
      // The entry in memory has to be marked dirty: only a walk does that.
      counters.iotlbMisses++;
      iotlb.invalidatePages(number, key, 0);
      return walk(judged, who, iova, access);
    }
    counters.iotlbHits++;
    out.noteIotlbHit();
    return ScalableRules.permits(leaf, access, who, judged)
        ? leaf
        : Leaf.fault(ScalableRules.whenDenied(leaf, access, who, judged));
  }

  /** Walks the tables and remembers what they say. */
  private long walk(long judged, int who, long iova, DmaAccess access) {
    PasidEntry entry = pasids.lastEntry();
    space.judged = judged;
    space.firstLevelRoot = entry.firstLevelRoot();
    space.secondLevelRoot = entry.secondLevelRoot();
    long leaf = walk.walk(space, iova, access, who);
    if (!Leaf.isFault(leaf)) {
      iotlb.put(space.number(), Iotlb.key(iova), Leaf.cacheable(leaf, iova));
    } else if (remembersAbsence && isAbsence(leaf)) {
      iotlb.put(space.number(), Iotlb.key(iova), Leaf.remembered());
    }
    return leaf;
  }

  /** Whether a walk ended at an absent entry of the tables that the request entered first. */
  private boolean isAbsence(long leaf) {
    return Leaf.isAbsent(leaf)
        && (!space.isNested() || Leaf.reason(leaf) == FaultReason.FIRST_LEVEL_NOT_PRESENT);
  }
}
