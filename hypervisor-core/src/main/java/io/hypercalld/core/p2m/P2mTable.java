package io.hypercalld.core.p2m;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.MachineMemory;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.memory.PagingPool;
import io.hypercalld.core.p2m.TableTree.Branch;
import io.hypercalld.core.p2m.TableTree.Junction;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A domain's table from guest frames to machine frames: four levels of 512 entries, in pages of its
 * paging pool. Confined to the machine thread.
 *
 * <p>Guest frames are below 2^36. Leaves of 2 MiB and 1 GiB are split when a part of them changes
 * and never put together again; a larger leaf replaces what was below it only where a caller sets
 * one.
 *
 * @see "xen/arch/x86/mm/p2m-ept.c, ept_set_entry"
 */
/*
 * How a leaf is written. Walk down to the entry that decides: the one at the leaf's level, or above
 * it the first that is no table (the junction). The tables still missing are made complete first,
 * with 512 copies of the junction's leaf where there was one, and hooked up by a single store, so a
 * walker never sees a half-made table and taking it back is a single store too. Everything that can
 * fail comes before that store, except observers: they are told after it, and where one refuses, the
 * junction's old entry goes back. Tables that a larger leaf replaced are freed last.
 */
public final class P2mTable implements Digestible {
  /** Bits of a guest frame number that four levels translate. */
  public static final int GFN_BITS = 36;

  private static final long LEVEL_MASK = Long.BYTES - 1;
  private static final int ORDER_PER_LEVEL = PageSize.SIZE_2M.order();
  private static final PageSize[] LARGEST_FIRST = {
    PageSize.SIZE_1G, PageSize.SIZE_2M, PageSize.SIZE_4K
  };

  private final P2mCounters counters = new P2mCounters();
  private final List<P2mObserver> observers = new ArrayList<>();
  private final MachineMemory memory;
  private final P2mSettings settings;
  private final EntryFormat format;
  private final TableTree tree;
  private final long root;
  private long maxMappedGfn;

  /**
   * An empty table.
   *
   * @throws Refusal ENOMEM where the pool has no page for the root
   */
  public P2mTable(MachineMemory memory, PagingPool pool, P2mSettings settings) {
    this.memory = memory;
    this.settings = settings;
    this.format = new EntryFormat(settings, P2mAccess.RWX);
    this.tree = new TableTree(memory, pool, counters);
    this.root = tree.root();
  }

  /**
   * Writes one leaf, splitting larger ones that are in its way and replacing smaller ones.
   *
   * @param mfn its first frame; {@link Mfn#INVALID} with a type that has none
   * @param type {@link P2mType#INVALID} or {@link P2mType#MMIO_DM} to unmap
   * @throws Refusal EINVAL for a frame that is not aligned or out of reach, or a leaf too large;
   *     ENOMEM where the paging pool has too few pages; what an observer answers. Nothing changed
   */
  public void set(Gfn gfn, Mfn mfn, PageSize size, P2mType type) {
    setLeaves(gfn.value(), mfn.value(), 1, size, type);
  }

  /**
   * Maps one page that the hypervisor shares with the guest, as {@link P2mType#RAM_RW}.
   *
   * @throws Refusal as {@link #set}
   */
  public void setSpecial(Gfn gfn, Mfn mfn) {
    requireReachable(gfn.value(), 1, PageSize.SIZE_4K);
    long entry = format.specialLeaf(P2mType.RAM_RW) | P2mEntry.MFN.of(mfn.value());
    writeRaising(gfn.value(), 1, PageSize.SIZE_4K, new Leaves(entry, 0));
  }

  /**
   * Writes as few leaves as alignment and count allow. Where some are refused the others stay, as
   * in Xen, and the last refusal is thrown.
   *
   * @throws Refusal as {@link #set}
   */
  public void setRun(Gfn first, Mfn mfn, long frames, P2mType type) {
    Optional<Refusal> refused = Optional.empty();
    long done = 0;
    while (done < frames) {
      long gfn = first.value() + done;
      long frame = mfn.isValid() ? mfn.value() + done : mfn.value();
      PageSize size = largestLeaf(gfn, frame, frames - done);
      long leaves = observers.isEmpty() ? leavesInTable(gfn, size, frames - done) : 1;
      try {
        setLeaves(gfn, frame, leaves, size, type);
      } catch (Refusal refusal) {
        refused = Optional.of(refusal);
      }
      done += leaves << size.order();
    }
    if (refused.isPresent()) {
      throw refused.get();
    }
  }

  /**
   * Maps frames by leaves of 4 KiB, consecutive to consecutive. Where one is refused those before
   * it stay.
   *
   * @throws Refusal as {@link #set}
   */
  public void setPages(Gfn first, Mfn mfn, long frames, P2mType type) {
    long done = 0;
    while (done < frames) {
      long gfn = first.value() + done;
      long pages = observers.isEmpty() ? leavesInTable(gfn, PageSize.SIZE_4K, frames - done) : 1;
      setLeaves(gfn, mfn.value() + done, pages, PageSize.SIZE_4K, type);
      done += pages;
    }
  }

  /** Whether somebody follows the table, so that each leaf is written on its own. */
  public boolean isObserved() {
    return !observers.isEmpty();
  }

  /** Whether nothing is mapped in a range; numbers out of reach map nothing. */
  public boolean isUnmapped(Gfn first, long frames) {
    if (first.value() >>> GFN_BITS != 0 || first.value() > maxMappedGfn) {
      return true;
    }
    if (frames == 1) {
      return !P2mEntry.isValid(tree.descend(first.value(), 1).entry());
    }
    P2mReader reader = new P2mReader(memory, root);
    return !reader.seek(first.value()) || reader.gfn() >= first.value() + frames;
  }

  /** Tables that {@link #set} of a 4 KiB leaf would take from the pool. */
  public int tablesMissing(Gfn gfn) {
    return tree.descend(gfn.value(), 1).level() - 1;
  }

  /** What is mapped at the guest frame; any number may be asked. */
  public P2mLookup lookup(Gfn gfn) {
    long frame = gfn.value();
    if (Long.compareUnsigned(frame, maxMappedGfn) > 0) {
      return beyond(frame);
    }
    long found = walk(frame);
    int level = (int) (found & LEVEL_MASK);
    long inside = frame & ((1L << (ORDER_PER_LEVEL * (level - 1))) - 1);
    return new P2mLookup(memory.readWord(found - level), inside, level);
  }

  // Address of the entry where the walk ends, its level in the bits that are zero in an address of
  // a word. Apart from its caller, so that the caller is small enough to be inlined; and level by
  // level, as shifts by constants make it a third faster than a loop.
  private long walk(long gfn) {
    long at = root + P2mEntry.offset(gfn, 4);
    long entry = memory.readWord(at);
    if (!P2mEntry.isTable(entry)) {
      return ended(at, 4);
    }
    at = P2mEntry.target(entry) + P2mEntry.offset(gfn, 3);
    entry = memory.readWord(at);
    if (!P2mEntry.isTable(entry)) {
      return ended(at, 3);
    }
    at = P2mEntry.target(entry) + P2mEntry.offset(gfn, 2);
    entry = memory.readWord(at);
    if (!P2mEntry.isTable(entry)) {
      return ended(at, 2);
    }
    return ended(P2mEntry.target(entry) + P2mEntry.offset(gfn, 1), 1);
  }

  private long ended(long at, int level) {
    counters.entryReads += TableTree.ROOT_LEVEL + 1 - level;
    return at + level;
  }

  /** Above everything ever mapped: the largest aligned region around the frame that is, too. */
  private P2mLookup beyond(long gfn) {
    int level = TableTree.ROOT_LEVEL;
    while (level > 1) {
      long start = gfn & (-1L << (ORDER_PER_LEVEL * (level - 1)));
      if (Long.compareUnsigned(start, maxMappedGfn) > 0) {
        break;
      }
      level--;
    }
    return new P2mLookup(P2mEntry.EMPTY, 0, level);
  }

  /** The walk to a guest frame, entry by entry, root first; no step for one out of reach. */
  public List<P2mStep> explain(Gfn gfn) {
    return new P2mReader(memory, root).explain(gfn.value());
  }

  /** The first run of leaves that ends after {@code from}, beginning with the leaf around it. */
  public Optional<P2mRun> nextRun(Gfn from) {
    return new P2mReader(memory, root).nextRun(from.value());
  }

  /** Frames of all tables, found by reading them, the root's first. */
  public List<Mfn> tableFrames() {
    List<Mfn> found = new ArrayList<>();
    new P2mReader(memory, root).collectTables(root, TableTree.ROOT_LEVEL, found);
    return found;
  }

  /** Machine address of the root table. */
  public long root() {
    return root;
  }

  /**
   * The pointer that hardware is given: root, walk length, memory type, accessed and dirty bits.
   *
   * @see "SDM Vol. 3, 26.6.11, extended-page-table pointer"
   */
  public long eptp() {
    return EptPointer.of(root, TableTree.ROOT_LEVEL);
  }

  /** The highest guest frame ever mapped, 0 where none was; it never falls. */
  public Gfn maxMappedGfn() {
    return new Gfn(maxMappedGfn);
  }

  /** Tables in use, the root included. */
  public long tables() {
    return tree.tables();
  }

  public P2mSettings settings() {
    return settings;
  }

  public P2mCounters counters() {
    return counters;
  }

  /**
   * Adds an observer; they are told in the order of registration. Those before the one that refuses
   * do not hear that it did, so one that may refuse is to come first.
   */
  public void observe(P2mObserver observer) {
    observers.add(observer);
  }

  /** Removes an observer. */
  public void forget(P2mObserver observer) {
    observers.remove(observer);
  }

  /**
   * Gives tables back to the pool while the domain is dying; nobody is told, as nobody looks.
   *
   * @param limit most tables in this step
   * @return whether only the root is left, empty
   */
  public boolean relinquish(int limit) {
    return tree.relinquish(limit);
  }

  /** Gives the last table back; the P2M is not to be used any more. */
  public void free() {
    tree.freeRoot();
  }

  private void setLeaves(long gfn, long mfn, long count, PageSize size, P2mType type) {
    requireReachable(gfn, count, size);
    boolean hasFrame = mfn != Mfn.INVALID.value();
    if (hasFrame && ((mfn & (size.frames() - 1)) != 0 || mfn >= P2mEntry.MFN.max())) {
      throw Refusal.of(Errno.EINVAL, "frame 0x%x cannot be a leaf of %s", mfn, size);
    }
    Leaves leaves = leaves(mfn, hasFrame, size, type);
    if (type == P2mType.INVALID) {
      write(gfn, count, size, leaves);
    } else {
      writeRaising(gfn, count, size, leaves);
    }
  }

  private Leaves leaves(long mfn, boolean hasFrame, PageSize size, P2mType type) {
    if (EntryFormat.isEmpty(type, hasFrame)) {
      return Leaves.EMPTY;
    }
    long entry = format.leaf(type, size.level());
    return hasFrame
        ? new Leaves(entry | P2mEntry.MFN.of(mfn), P2mEntry.MFN.of(size.frames()))
        : new Leaves(entry | P2mEntry.MFN.mask(), 0);
  }

  private void requireReachable(long gfn, long count, PageSize size) {
    if (gfn >>> GFN_BITS != 0 || (gfn + count * size.frames() - 1) >>> GFN_BITS != 0) {
      throw Refusal.of(Errno.EINVAL, "guest frame 0x%x is beyond 2^%d", gfn, GFN_BITS);
    }
    if ((gfn & (size.frames() - 1)) != 0 || size.compareTo(settings.largestLeaf()) > 0) {
      throw Refusal.of(Errno.EINVAL, "no leaf of %s fits at guest frame 0x%x", size, gfn);
    }
  }

  /** Before anybody is told, as look-ups end at the highest guest frame. */
  private void writeRaising(long gfn, long count, PageSize size, Leaves leaves) {
    long before = maxMappedGfn;
    maxMappedGfn = Math.max(before, gfn + count * size.frames() - 1);
    try {
      write(gfn, count, size, leaves);
    } catch (Refusal refusal) {
      maxMappedGfn = before;
      throw refusal;
    }
  }

  /**
   * Writes {@code count} leaves that share a table: more than one only where nobody observes, as
   * then nothing fails after the first store.
   */
  private void write(long gfn, long count, PageSize size, Leaves leaves) {
    Junction junction = tree.descend(gfn, size.level());
    if (junction.level() > size.level()) {
      if (P2mEntry.isValid(junction.entry()) || leaves.first != P2mEntry.EMPTY) {
        hookUp(junction, gfn, count, size, leaves);
      }
    } else if (size == PageSize.SIZE_4K && observers.isEmpty()) {
      tree.fill(junction.at(), count, leaves.first, leaves.step);
    } else {
      for (long i = 0; i < count; i++) {
        replace(junction.at() + i * Long.BYTES, gfn + i * size.frames(), size, leaves.at(i));
      }
    }
  }

  private void hookUp(Junction junction, long gfn, long count, PageSize size, Leaves leaves) {
    Branch branch = tree.grow(junction, gfn, size.level(), format);
    long before = tree.read(branch.leafAt());
    tree.fill(branch.leafAt(), count, leaves.first, leaves.step);
    tree.write(junction.at(), branch.entry());
    try {
      tell(gfn, size, before, leaves.first);
    } catch (Refusal refusal) {
      tree.write(junction.at(), junction.entry());
      tree.freeBelow(branch.entry(), junction.level());
      throw refusal;
    }
    if (P2mEntry.isValid(junction.entry())) {
      counters.splits += junction.level() - size.level();
    }
  }

  private void replace(long at, long gfn, PageSize size, long entry) {
    long before = tree.read(at);
    tree.write(at, entry);
    try {
      tell(gfn, size, before, entry);
    } catch (Refusal refusal) {
      tree.write(at, before);
      throw refusal;
    }
    if (TableTree.isTable(before, size.level())) {
      tree.freeBelow(before, size.level());
    }
  }

  private void tell(long gfn, PageSize size, long before, long now) {
    if (observers.isEmpty() || !changesDma(size.level(), before, now)) {
      return;
    }
    DmaPermission permission = dma(now);
    P2mChange change =
        new P2mChange(
            new Gfn(gfn),
            size,
            permission == DmaPermission.NONE
                ? Mfn.INVALID
                : P2mEntry.frameWithin(now, size.level(), gfn),
            permission,
            P2mEntry.isValid(before));
    observers.forEach(observer -> observer.changed(change));
  }

  private static boolean changesDma(int level, long before, long now) {
    if (TableTree.isTable(before, level)) {
      return true;
    }
    DmaPermission has = dma(now);
    return dma(before) != has
        || (has != DmaPermission.NONE && P2mEntry.mfn(before) != P2mEntry.mfn(now));
  }

  private static DmaPermission dma(long leaf) {
    return P2mEntry.isValid(leaf) ? P2mEntry.dma(leaf) : DmaPermission.NONE;
  }

  private PageSize largestLeaf(long gfn, long mfn, long frames) {
    long aligned = mfn == Mfn.INVALID.value() ? gfn : gfn | mfn;
    for (PageSize size : LARGEST_FIRST) {
      if (size.compareTo(settings.largestLeaf()) <= 0
          && (aligned & (size.frames() - 1)) == 0
          && frames >= size.frames()) {
        return size;
      }
    }
    return PageSize.SIZE_4K;
  }

  /** How many leaves of the size follow each other in one table, at most as the frames need. */
  private static long leavesInTable(long gfn, PageSize size, long frames) {
    long slot = (gfn >>> size.order()) & (TableTree.ENTRIES - 1);
    return Math.min(TableTree.ENTRIES - slot, frames >>> size.order());
  }

  /** Tables are machine memory; what they do not say is told here. */
  @Override
  public void digest(StateDigest digest) {
    digest.section("p2m").put(root).put(maxMappedGfn).put(tree.tables());
  }

  /** Entries of consecutive leaves: the first, and what is added from one to the next. */
  private record Leaves(long first, long step) {
    static final Leaves EMPTY = new Leaves(P2mEntry.EMPTY, 0);

    long at(long index) {
      return first + index * step;
    }
  }
}
