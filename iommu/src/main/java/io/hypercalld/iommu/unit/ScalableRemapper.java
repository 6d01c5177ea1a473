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
  private final RecentSpaces recent;
  private final Iotlb iotlb;
  private final ScalableRules rules;
  private final ScalableTables tables;
  private final SpaceWalk walk;
  private final RequestEnd end;
  private final int hostAddressWidth;
  private final boolean remembersAbsence;

  ScalableRemapper(Circuit circuit, TranslationCaches caches, RequestEnd end) {
    this.counters = circuit.counters();
    this.contexts = caches.contexts();
    this.pasids = caches.pasids();
    this.recent = caches.recentSpaces();
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
    AddressSpace space = recent.of(requester, prefix);
    long answer = 0;
    if (access.isUntranslated() && space.isOf(requester, prefix)) {
      counters.contextHits++;
      counters.pasidHits++;
      out.begin(true);
    } else {
      space.forget();
      answer = enter(space, context(requester, out), prefix, iova, access);
      if (answer == 0 && out.contextHit() && space.wasKnown) {
        recent.note(space, requester, prefix);
      }
    }
    long leaf = answer == 0 ? inside(space, iova, access, out) : answer;
    if (!Leaf.isFault(leaf)) {
      end.pass(leaf, iova, out);
    } else {
      MemoryRequest request = new MemoryRequest(requester, prefix, iova, access);
      end.block(request, Leaf.reason(leaf), space.silent, out);
    }
  }

  private long context(SourceId requester, Translation out) {
    long context = contexts.find(requester.value());
    out.begin(context != ContextCache.MISS);
    if (context != ContextCache.MISS) {
      counters.contextHits++;
      return context;
    }
    counters.contextMisses++;
    return tables.fetchContext(requester);
  }

  /**
   * Finds the address space of a request, and answers 0; or, where none has to be looked into, the
   * page that the request goes to or the reason why it is blocked: a {@link Leaf} word.
   */
  private long enter(
      AddressSpace space, long context, PasidPrefix prefix, long iova, DmaAccess access) {
    space.silent = JudgedContext.disablesFaultProcessing(context);
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
    enter(space, context, pasid);
    space.who = rules.who(q1, prefix);
    return ScalableRules.refusal(space.judged, space.who);
  }

  private void enter(AddressSpace space, long context, int pasid) {
    long judged = pasids.find(JudgedContext.sourceId(context), pasid);
    space.wasKnown = judged != PasidCache.MISS;
    if (space.wasKnown) {
      counters.pasidHits++;
    } else {
      counters.pasidMisses++;
      judged = tables.fetchPasid(context, contexts.secondStageRoot(), pasid);
    }
    PasidEntry entry = pasids.lastEntry();
    space.judged = judged;
    space.silent |= JudgedPasid.disablesFaultProcessing(judged);
    space.firstLevelRoot = entry.firstLevelRoot();
    space.secondLevelRoot = entry.secondLevelRoot();
  }

  /** Where a request goes, or why it is blocked, whose address space has nothing against it. */
  private long inside(AddressSpace space, long iova, DmaAccess access, Translation out) {
    long refusal = ScalableRules.beyondReach(space.judged, iova);
    if (refusal != 0) {
      return refusal;
    }
    return JudgedPasid.passes(space.judged)
        ? translated(iova, hostAddressWidth)
        : page(space, iova, access, out);
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

  private long page(AddressSpace space, long iova, DmaAccess access, Translation out) {
    int number = space.number();
    long key = Iotlb.key(iova);
    long leaf = iotlb.find(number, key);
    if (leaf != Iotlb.MISS && Leaf.isClean(leaf) && access.dirties(Leaf.permissions(leaf))) {
      // The entry in memory has to be marked dirty: only a walk does that.
      iotlb.invalidatePages(number, key, 0);
      leaf = Iotlb.MISS;
    }
    if (leaf == Iotlb.MISS) {
      counters.iotlbMisses++;
      leaf = walk.walk(space, iova, access);
      remember(space, number, key, leaf);
      return leaf;
    }
    counters.iotlbHits++;
    out.noteIotlbHit();
    return ScalableRules.permits(leaf, access, space.who, space.judged)
        ? leaf
        : Leaf.fault(ScalableRules.whenDenied(leaf, access, space.who, space.judged));
  }

  /** Remembers what a walk has found. */
  private void remember(AddressSpace space, int number, long key, long leaf) {
    if (!Leaf.isFault(leaf)) {
      iotlb.put(number, key, Leaf.cacheable(leaf, key));
    } else if (remembersAbsence && isAbsence(space, leaf)) {
      iotlb.put(number, key, Leaf.remembered());
    }
  }

  /** Whether a walk ended at an absent entry of the tables that the request entered first. */
  private static boolean isAbsence(AddressSpace space, long leaf) {
    return Leaf.isAbsent(leaf)
        && (!space.isNested() || Leaf.reason(leaf) == FaultReason.FIRST_LEVEL_NOT_PRESENT);
  }
}
