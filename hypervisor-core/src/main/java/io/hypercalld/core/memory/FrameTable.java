package io.hypercalld.core.memory;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;

/**
 * Who owns each frame of RAM, for what, with how many references, and which guest frame maps it.
 * Confined to the machine thread.
 *
 * <p>Domains are bare numbers here, as the machine's memory does not know what a domain is. Frames
 * that are alike share one record, which is no concern of callers: every method speaks of frames.
 *
 * @see "xen/arch/x86/include/asm/mm.h, struct page_info and machine_to_phys_mapping"
 */
public final class FrameTable implements Digestible {
  /** In place of a domain id: nobody. */
  public static final int NO_OWNER = -1;

  /** In place of a guest frame number: the frame has none (Xen's {@code INVALID_M2P_ENTRY}). */
  public static final long INVALID_M2P = -1L;

  /** In place of a guest frame number: the frame is shared (Xen's {@code SHARED_M2P_ENTRY}). */
  public static final long SHARED_M2P = -2L;

  private static final FrameUse[] USES = FrameUse.values();
  private static final int LARGEST_LEVEL = PageSize.SIZE_1G.level();

  private final MachineMemory memory;
  private final FrameRecords records;

  /** A table for the memory's frames: all free but those that firmware keeps. */
  public FrameTable(MachineMemory memory) {
    this.memory = memory;
    this.records = new FrameRecords(memory.map().highTop() >>> PageSize.SHIFT_4K, memory.host());
    for (MemoryMap.Region region : memory.map().reserved()) {
      long first = region.start() >>> PageSize.SHIFT_4K;
      assign(first, (region.end() >>> PageSize.SHIFT_4K) - first, NO_OWNER, FrameUse.FIRMWARE, 0);
    }
  }

  /** Whether the number is that of a frame of RAM; any number may be asked. */
  public boolean contains(long mfn) {
    return mfn >= 0 && mfn < records.bound() && memory.isRam(mfn << PageSize.SHIFT_4K);
  }

  /** The domain that owns the frame, or {@link #NO_OWNER}. */
  public int owner(long mfn) {
    return FrameRecord.OWNER_PLUS_ONE.getInt(records.ownership(records.find(mfn))) - 1;
  }

  public FrameUse use(long mfn) {
    return USES[FrameRecord.USE.getInt(records.ownership(records.find(mfn)))];
  }

  /** General references held on the frame, the one of its allocation included. */
  public long references(long mfn) {
    return FrameRecord.COUNT.get(records.countInfo(records.find(mfn)));
  }

  /** Whether the reference of its allocation is still held ({@code PGC_allocated}). */
  public boolean isAllocated(long mfn) {
    return FrameRecord.ALLOCATED.isSet(records.countInfo(records.find(mfn)));
  }

  /** Whether the hypervisor made the page for the guest to map: never part of its reservation. */
  public boolean isSpecial(long mfn) {
    return use(mfn) == FrameUse.SPECIAL;
  }

  /** What the frame may be used as while {@link #typeReferences} says that somebody does. */
  public FrameType type(long mfn) {
    return FrameType.ofNumber(FrameRecord.TYPE.getInt(records.ownership(records.find(mfn))));
  }

  /** References that keep the frame's type as it is. */
  public long typeReferences(long mfn) {
    return FrameRecord.TYPE_COUNT.get(records.ownership(records.find(mfn)));
  }

  /** Xen's {@code count_info} of the frame. */
  public long countInfo(long mfn) {
    return records.countInfo(records.find(mfn));
  }

  /** The guest frame that maps the frame, or {@link #INVALID_M2P}. */
  public long m2p(long mfn) {
    int level = records.level(mfn);
    long inverted = records.invertedGfn(records.at(level, mfn));
    return inverted < 0 ? ~inverted + (mfn & (FrameRecords.frames(level) - 1)) : ~inverted;
  }

  /** Notes that the block of {@code 1 << order} frames is mapped from {@code gfn} on. */
  public void setM2p(long mfn, int order, long gfn) {
    mapped(mfn, 1L << order, gfn);
  }

  /** Notes that no guest frame maps the block of {@code 1 << order} frames. */
  public void clearM2p(long mfn, int order) {
    mapped(mfn, 1L << order, INVALID_M2P);
  }

  /**
   * Notes that {@code count} consecutive frames are mapped at as many guest frames.
   *
   * @param gfn the first of them, or {@link #INVALID_M2P} for none at all
   */
  public void mapped(long mfn, long count, long gfn) {
    long end = mfn + count;
    long at = mfn;
    while (at < end) {
      int level = records.level(at);
      long size = FrameRecords.frames(level);
      long blockEnd = (at & -size) + size;
      long wanted = gfn < 0 ? gfn : gfn + (at - mfn);
      if (level == 1) {
        at = records.mapSingles(at, end, wanted);
      } else if ((at & (size - 1)) == 0 && blockEnd <= end) {
        records.setInvertedGfn(records.at(level, at), ~wanted);
        at = blockEnd;
      } else if (m2p(at) == wanted) {
        at = Math.min(end, blockEnd);
      } else {
        records.divideTo(level - 1, at);
      }
    }
  }

  /**
   * Takes a reference on a frame of the owner's.
   *
   * @return whether it was there to be taken: not free, and its owner's
   */
  public boolean takeReference(long mfn, int owner) {
    if (references(mfn) == 0 || owner(mfn) != owner) {
      return false;
    }
    long record = ownRecord(mfn);
    records.setCountInfo(record, records.countInfo(record) + 1);
    return true;
  }

  /**
   * Gives a reference back.
   *
   * @return how many are left; at none whoever holds the last one frees the frame
   */
  public long putReference(long mfn) {
    long record = ownRecord(mfn);
    long countInfo = records.countInfo(record);
    if (FrameRecord.COUNT.get(countInfo) == 0) {
      throw new IllegalStateException("frame 0x%x has no reference to give back".formatted(mfn));
    }
    records.setCountInfo(record, countInfo - 1);
    return FrameRecord.COUNT.get(countInfo) - 1;
  }

  /**
   * Gives back the reference of the allocation.
   *
   * @return how many others are left
   */
  public long putAllocation(long mfn) {
    if (!isAllocated(mfn)) {
      throw new IllegalStateException("frame 0x%x was given back before".formatted(mfn));
    }
    long record = ownRecord(mfn);
    records.setCountInfo(record, FrameRecord.ALLOCATED.clear(records.countInfo(record)));
    return putReference(mfn);
  }

  /**
   * Has the frame used as a type, for which its users must agree on one.
   *
   * @return whether they do; if not, nothing changed
   */
  public boolean takeTypeReference(long mfn, FrameType type) {
    if (typeReferences(mfn) > 0 && type(mfn) != type) {
      return false;
    }
    long record = ownRecord(mfn);
    long ownership = FrameRecord.TYPE.put(records.ownership(record), type.number());
    long taken = FrameRecord.TYPE_COUNT.get(ownership) + 1;
    records.setOwnership(
        record, FrameRecord.TYPE_COUNT.put(FrameRecord.VALIDATED.set(ownership), taken));
    return true;
  }

  /** Gives a reference on the type back; with the last one the frame has none any more. */
  public void putTypeReference(long mfn) {
    long left = typeReferences(mfn) - 1;
    if (left < 0) {
      throw new IllegalStateException("frame 0x%x has no type to give back".formatted(mfn));
    }
    long record = ownRecord(mfn);
    long ownership = FrameRecord.TYPE_COUNT.put(records.ownership(record), left);
    if (left == 0) {
      ownership = FrameRecord.VALIDATED.clear(FrameRecord.TYPE.put(ownership, 0));
    }
    records.setOwnership(record, ownership);
  }

  /** Makes the frame another domain's, references and all. */
  public void transfer(long mfn, int newOwner) {
    long record = ownRecord(mfn);
    records.setOwnership(
        record, FrameRecord.OWNER_PLUS_ONE.put(records.ownership(record), newOwner + 1L));
  }

  /** The first frame from {@code from} to {@code end}, exclusive, that the domain owns, or -1. */
  public long nextOwned(long from, long end, int owner) {
    long at = from;
    long last = Math.min(end, records.bound());
    while (at < last) {
      if (owner(at) == owner) {
        return at;
      }
      at = blockEnd(at);
    }
    return -1;
  }

  /**
   * How many consecutive frames, at most so many, have the owner, use and references of the first.
   */
  public long alike(long mfn, long most) {
    long record = records.find(mfn);
    long countInfo = records.countInfo(record);
    long ownership = records.ownership(record);
    long end = Math.min(mfn + most, records.bound());
    long at = blockEnd(mfn);
    while (at < end && records.holds(at, countInfo, ownership)) {
      at = blockEnd(at);
    }
    return Math.min(at, end) - mfn;
  }

  /** First frame after the block of like frames, at most 1 GiB, that the frame belongs to. */
  public long blockEnd(long mfn) {
    long size = FrameRecords.frames(records.level(mfn));
    return (mfn & -size) + size;
  }

  /**
   * Makes free frames somebody's, each with the one reference of its allocation.
   *
   * @param flags of {@code count_info}
   */
  void assign(long mfn, long count, int owner, FrameUse use, long flags) {
    put(mfn, mfn + count, FrameContents.allocated(owner, number(use), flags));
  }

  /** Makes free frames a domain's memory, mapped from a guest frame on. */
  void assignMapped(long mfn, long count, int owner, long gfn) {
    long use = number(FrameUse.GUEST_RAM);
    put(mfn, mfn + count, FrameContents.allocated(owner, use, 0).mappedAt(gfn));
  }

  private void put(long mfn, long end, FrameContents contents) {
    for (long at = mfn; at < end; ) {
      int level = largestLevel(at, end);
      records.divideTo(level, at);
      FrameContents here = contents.after(at - mfn);
      if (level == 1) {
        at = records.putSingles(at, end, here);
      } else {
        records.put(records.at(level, at), here);
        at += FrameRecords.frames(level);
      }
    }
  }

  /** Makes frames nobody's. */
  void release(long mfn, long count) {
    long end = mfn + count;
    for (long at = mfn; at < end; ) {
      int level = largestLevel(at, end);
      records.divideTo(level, at);
      if (level == 1) {
        at = records.putSingles(at, end, FrameContents.FREE);
      } else {
        records.clear(level, at);
        at += FrameRecords.frames(level);
      }
    }
  }

  /** Notes that all frames of a block are free, so that it needs no records of its parts. */
  void joinFree(long mfn, PageSize size) {
    records.put(records.at(size.level(), mfn), FrameContents.FREE);
  }

  private long ownRecord(long mfn) {
    records.divideTo(1, mfn);
    return records.at(1, mfn);
  }

  private static int largestLevel(long mfn, long end) {
    for (int level = LARGEST_LEVEL; level > 1; level--) {
      long size = FrameRecords.frames(level);
      if ((mfn & (size - 1)) == 0 && end - mfn >= size) {
        return level;
      }
    }
    return 1;
  }

  private static long number(FrameUse use) {
    return switch (use) {
      case FREE -> 0;
      case FIRMWARE -> 1;
      case HYPERVISOR -> 2;
      case GUEST_RAM -> 3;
      case SPECIAL -> 4;
      case P2M_TABLE -> 5;
      case DMA_TABLE -> 6;
      case ROOT_TABLE -> 7;
      case CONTEXT_TABLE -> 8;
      case INVALIDATION_QUEUE -> 9;
      case INTERRUPT_TABLE -> 10;
      case PASID_TABLE -> 11;
    };
  }

  /** Frames that are not free, as the longest runs of like ones, however their records lie. */
  @Override
  public void digest(StateDigest digest) {
    digest.section("frames");
    long runStart = -1;
    long at = 0;
    while (at < records.bound()) {
      if (runStart < 0 || !continues(at)) {
        runStart = at;
        long record = records.find(at);
        if (records.ownership(record) != 0) {
          digest.put(at).put(records.countInfo(record)).put(records.ownership(record)).put(m2p(at));
        } else if (at > 0) {
          digest.put(at);
        }
      }
      at = blockEnd(at);
    }
  }

  private boolean continues(long mfn) {
    long record = records.find(mfn);
    long before = records.find(mfn - 1);
    long gfnBefore = m2p(mfn - 1);
    return records.countInfo(record) == records.countInfo(before)
        && records.ownership(record) == records.ownership(before)
        && m2p(mfn) == (gfnBefore < 0 ? gfnBefore : gfnBefore + 1);
  }
}
