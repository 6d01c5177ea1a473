package io.hypercalld.iommu.driver;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.FrameAllocator;
import io.hypercalld.core.memory.FrameTable;
import io.hypercalld.core.memory.FrameUse;
import io.hypercalld.core.memory.MachineMemory;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.iommu.vtd.InterruptEntry;
import java.util.ArrayList;
import java.util.List;

/**
 * One unit's interrupt-remapping table: 65,536 entries, an entry of zeros being a free one. It is
 * never resized. Confined to the machine thread.
 *
 * @see "VT-d §9.9; xen/drivers/passthrough/vtd/intremap.c"
 */
public final class InterruptTable implements Digestible {
  /** log2 of the number of entries. */
  public static final int ORDER = 16;

  /** Number of entries. */
  public static final int ENTRIES = 1 << ORDER;

  private static final int FRAMES_ORDER = 8;

  /** Absent to hardware, but not free: software's own bits are set. */
  private static final InterruptEntry RETIRED = new InterruptEntry(InterruptEntry.AVAIL.mask(), 0);

  private final int unit;
  private final MachineMemory memory;
  private final Invalidations invalidations;
  private final long base;
  private final boolean extended;

  /** No free entry lies below: where a search begins. */
  private int lowestFree;

  private int used;

  /**
   * An empty table that the unit does not know of yet.
   *
   * @param extended whether destinations have 32 bits
   * @throws Refusal ENOMEM no 256 frames in a row are free
   */
  InterruptTable(
      int unit,
      MachineMemory memory,
      FrameAllocator frames,
      Invalidations invalidations,
      boolean extended) {
    this.unit = unit;
    this.memory = memory;
    this.invalidations = invalidations;
    this.extended = extended;
    this.base =
        new Mfn(
                frames.allocate(
                    FRAMES_ORDER, Long.MAX_VALUE, FrameTable.NO_OWNER, FrameUse.INTERRUPT_TABLE))
            .maddr();
  }

  /** Machine address of the first entry. */
  public long base() {
    return base;
  }

  /** Whether destinations have 32 bits. */
  public boolean isExtended() {
    return extended;
  }

  /** Entries that are in use. */
  public int used() {
    return used;
  }

  /**
   * Finds entries that follow each other, the first that fit.
   *
   * @param count 1 to 65,536
   * @return index of the first; they stay free until they are written
   * @throws Refusal EFAULT so many in a row are not free
   */
  public int find(int count) {
    int run = 0;
    for (int index = lowestFree; index < ENTRIES; index++) {
      run = isFree(index) ? run + 1 : 0;
      if (run == count) {
        return index - count + 1;
      }
    }
    throw Refusal.of(
        Errno.EFAULT,
        "iommu %d has no %d free interrupt entries in a row; %d of %d are in use",
        unit,
        count,
        used,
        ENTRIES);
  }

  private boolean isFree(int index) {
    return entry(index).equals(InterruptEntry.ABSENT);
  }

  /** The entry as it is in memory. */
  public InterruptEntry entry(int index) {
    long at = addressOf(index);
    return new InterruptEntry(memory.readWord(at), memory.readWord(at + Long.BYTES));
  }

  /** Machine address of an entry. */
  public long addressOf(int index) {
    return base + (long) index * InterruptEntry.BYTES;
  }

  /**
   * Replaces an entry by one 16-byte store, and has the unit forget the old one.
   *
   * @throws Refusal EIO the unit does not forget it; the new entry is in memory all the same
   */
  public void write(int index, InterruptEntry entry) {
    InterruptEntry before = entry(index);
    store(index, entry);
    account(before, entry, index);
    if (!before.equals(entry)) {
      invalidations.interruptEntry(index);
    }
  }

  private void store(int index, InterruptEntry entry) {
    long at = addressOf(index);
    memory.writeWord(at + Long.BYTES, entry.hi());
    memory.writeWord(at, entry.lo());
  }

  private void account(InterruptEntry before, InterruptEntry after, int index) {
    boolean wasFree = before.equals(InterruptEntry.ABSENT);
    boolean isFree = after.equals(InterruptEntry.ABSENT);
    if (wasFree && !isFree) {
      used++;
      lowestFree = index == lowestFree ? index + 1 : lowestFree;
    } else if (!wasFree && isFree) {
      used--;
      lowestFree = Math.min(lowestFree, index);
    }
  }

  /**
   * Frees an entry: nothing may refer to it any more. Where the unit does not forget it, messages
   * may go where they went, so that nobody is given this entry again.
   */
  public void free(int index) {
    try {
      write(index, InterruptEntry.ABSENT);
    } catch (Refusal disobedience) {
      store(index, RETIRED);
    }
  }

  /** The indexes of the entries in use, ascending. */
  public List<Integer> inUse() {
    List<Integer> indexes = new ArrayList<>();
    for (int index = 0; index < ENTRIES && indexes.size() < used; index++) {
      if (entry(index).isPresent()) {
        indexes.add(index);
      }
    }
    return indexes;
  }

  /** The entries themselves are memory. */
  @Override
  public void digest(StateDigest digest) {
    digest.section("interrupt-table").put(base).put(extended).put(lowestFree).put(used);
  }
}
