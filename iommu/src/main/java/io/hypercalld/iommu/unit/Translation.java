package io.hypercalld.iommu.unit;

import io.hypercalld.core.memory.PageSize;
import io.hypercalld.iommu.vtd.FaultReason;

/**
 * What became of one request; owned by the caller, who passes it in again for the next request.
 * Confined to the machine thread.
 *
 * <p>Mutable so that the way through the caches allocates nothing.
 */
public final class Translation {
  /** The four ends of a request. */
  public enum Outcome {
    /** Passed without being looked at: translation is off. */
    UNTRANSLATED,

    /** Passed, by a page table or by a pass-through entry. */
    MAPPED,

    /** Blocked with a fault reason. */
    FAULTED,

    /** Blocked by a protected memory region, for which there is no fault reason. */
    PROTECTED
  }

  private static final int UNTRANSLATED = 0;
  private static final int MAPPED = 1;
  private static final int FAULTED = 2;
  private static final int PROTECTED = 3;

  private static final int IOTLB_HIT = 1;
  private static final int CONTEXT_HIT = 2;
  private static final int RECORDED = 4;

  /** A page of 4 KiB that permits nothing. */
  private static final long NO_PAGE = Leaf.of(0, 1, 0);

  // Numbers rather than constants of enums: a store of a reference costs the collector's barrier,
  // which is as much as all the rest of a hit. Few fields, because a hit stores to each.
  private int end = UNTRANSLATED;
  private int notes;
  private long maddr;
  private long leaf = NO_PAGE;
  private FaultReason reason = FaultReason.ROOT_NOT_PRESENT;

  public Outcome outcome() {
    return switch (end) {
      case UNTRANSLATED -> Outcome.UNTRANSLATED;
      case MAPPED -> Outcome.MAPPED;
      case FAULTED -> Outcome.FAULTED;
      default -> Outcome.PROTECTED;
    };
  }

  /** Whether the request may go on, to {@link #maddr}. */
  public boolean passed() {
    return end <= MAPPED;
  }

  /** The machine address, where the request passed. */
  public long maddr() {
    return maddr;
  }

  /**
   * What an answered translation request lets the device do: R and W as {@link
   * io.hypercalld.iommu.vtd.SecondStageEntry#permissions} gives them; both clear where the device
   * may not use the page. Means nothing for other requests.
   */
  public int permissions() {
    return Leaf.permissions(leaf);
  }

  /** Size of the page that translated the request; 4 KiB where none did. */
  public PageSize pageSize() {
    return PageSize.ofLevel(Leaf.level(leaf));
  }

  /** Whether the IOTLB answered. */
  public boolean iotlbHit() {
    return (notes & IOTLB_HIT) != 0;
  }

  /** Whether the context cache answered. */
  public boolean contextHit() {
    return (notes & CONTEXT_HIT) != 0;
  }

  /**
   * Why the request was blocked.
   *
   * @throws IllegalStateException where it was not blocked by a fault
   */
  public FaultReason reason() {
    if (end != FAULTED) {
      throw new IllegalStateException("no fault reason for a request that is " + outcome());
    }
    return reason;
  }

  /** Whether the fault got a record, rather than being suppressed by FPD or lost to overflow. */
  public boolean recorded() {
    return (notes & RECORDED) != 0;
  }

  /** Forgets the last request; the context cache has answered this one or not. */
  void begin(boolean contextHit) {
    notes = contextHit ? CONTEXT_HIT : 0;
  }

  /** Both have answered this request, and nothing is left of the last one. */
  void beginWithHits() {
    notes = CONTEXT_HIT | IOTLB_HIT;
  }

  void noteIotlbHit() {
    notes |= IOTLB_HIT;
  }

  void passUntranslated(long address) {
    end = UNTRANSLATED;
    maddr = address;
    leaf = NO_PAGE;
  }

  /** Passed, by a page: a {@link Leaf} word. */
  void map(long page, long iova) {
    end = MAPPED;
    maddr = Leaf.maddr(page, iova);
    leaf = page;
  }

  /** A translation request is told that there is no page. */
  void mapNothing(long iova) {
    end = MAPPED;
    maddr = iova;
    leaf = NO_PAGE;
  }

  /** Blocked for this reason; answers itself. */
  Translation because(FaultReason why) {
    end = FAULTED;
    reason = why;
    return this;
  }

  void protect() {
    end = PROTECTED;
  }

  void noteRecorded() {
    notes |= RECORDED;
  }
}
