package io.hypercalld.core.p2m;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.FrameRun;
import io.hypercalld.core.memory.MachineMemory;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.memory.PagingPool;
import io.hypercalld.core.p2m.LeafCutter.Mapping;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * A domain's table from guest frames to machine frames, in pages of its paging pool: with x86's
 * geometry four levels of 512 entries. Confined to the machine thread.
 *
 * <p>Leaves of 2 MiB and 1 GiB are split when a part of them changes and never put together again;
 * a larger leaf replaces what was below it only where a caller sets one. Whoever changes an entry
 * has what lazy changes left undone there done first.
 *
 * @see "xen/arch/x86/mm/p2m-ept.c, ept_set_entry; xen/arch/x86/mm/p2m.c"
 */
public final class P2mTable implements Digestible {
  /** Bits of a guest frame number that x86's four levels translate. */
  public static final int GFN_BITS = 36;

  private final P2mCounters counters = new P2mCounters();
  private final Announcements announcements = new Announcements();
  private final IoreqRules ioreq = new IoreqRules();
  private final BulkTypes types = new BulkTypes(ioreq);
  private final P2mSettings settings;
  private final P2mGeometry geometry;
  private final EntryFormat format;
  private final TableTree tree;
  private final P2mWalker walker;
  private final P2mReader reader;
  private final LeafCutter cutter;
  private final TypeRecalculation recalculation;
  private final P2mTypes bulk;

  /**
   * An empty table.
   *
   * @throws Refusal ENOMEM where the pool has no page for the root
   */
  public P2mTable(MachineMemory memory, PagingPool pool, P2mSettings settings) {
    this.settings = settings;
    this.geometry = settings.geometry();
    this.format = new EntryFormat(settings, ioreq);
    this.tree = new TableTree(memory, pool, geometry, counters);
    this.reader = new P2mReader(tree, types);
    this.walker = new P2mWalker(memory, tree, reader);
    this.recalculation = new TypeRecalculation(tree, format, types, announcements);
    this.bulk = new P2mTypes(tree, format, types, recalculation, announcements);
    LeafWriter writer = new LeafWriter(tree, format, announcements);
    this.cutter = new LeafCutter(settings, tree, format, writer, recalculation);
  }

  /**
   * Writes one leaf with the default access, splitting larger ones that are in its way and
   * replacing smaller ones. Where the geometry has no leaf of the size, as many as it takes.
   *
   * @param mfn its first frame; {@link Mfn#INVALID} with a type that has none
   * @param type {@link P2mType#INVALID} or {@link P2mType#MMIO_DM} to unmap
   * @throws Refusal EINVAL for a frame that is not aligned or out of reach, or a leaf too large or
   *     too small; ENOMEM where the paging pool has too few pages; what an observer answers.
   *     Nothing changed, save that marks may have been resolved
   */
  public void set(Gfn gfn, Mfn mfn, PageSize size, P2mType type) {
    set(gfn, mfn, size, type, format.defaultAccess());
  }

  /**
   * As {@link #set(Gfn, Mfn, PageSize, P2mType)} with an access that is not the default.
   *
   * @throws Refusal as there
   */
  public void set(Gfn gfn, Mfn mfn, PageSize size, P2mType type, P2mAccess access) {
    cutter.set(gfn.value(), size, new Mapping(mfn, type, access));
  }

  /**
   * Maps one page that the hypervisor shares with the guest, as {@link P2mType#RAM_RW}.
   *
   * @throws Refusal as {@link #set}
   */
  public void setSpecial(Gfn gfn, Mfn mfn) {
    cutter.setSpecial(gfn.value(), mfn);
  }

  /**
   * Writes as few leaves as alignment and count allow. Where some are refused the others stay, as
   * in Xen, and the last refusal is thrown.
   *
   * @throws Refusal as {@link #set}
   */
  public void setRun(Gfn first, Mfn mfn, long frames, P2mType type) {
    cutter.setRun(first.value(), frames, new Mapping(mfn, type, format.defaultAccess()));
  }

  /**
   * Maps frames by the smallest leaves, consecutive to consecutive. Where one is refused those
   * before it stay.
   *
   * @throws Refusal as {@link #set}
   */
  public void setPages(Gfn first, Mfn mfn, long frames, P2mType type) {
    cutter.setPages(first.value(), frames, new Mapping(mfn, type, format.defaultAccess()));
  }

  /**
   * Writes leaves of one size, as many as {@link #leavesAtOnce} allows, consecutive to consecutive.
   *
   * @throws Refusal as {@link #set}
   */
  public void setLeaves(Gfn first, FrameRun run, PageSize size, P2mType type) {
    LeafSpan span = new LeafSpan(first.value(), run.count() >>> size.order(), size.level());
    cutter.write(span, new Mapping(new Mfn(run.mfn()), type, format.defaultAccess()));
  }

  /**
   * How many leaves of the size, at most so many, one store can bring from a guest frame on: as far
   * as a table goes. None where there is no such leaf.
   */
  public long leavesAtOnce(Gfn first, PageSize size, long most) {
    return cutter.leavesAtOnce(first.value(), size, most);
  }

  /** The access of everything that is mapped without naming one; at first all is allowed. */
  public P2mAccess defaultAccess() {
    return format.defaultAccess();
  }

  /** Changes the access of what will be mapped; what is mapped keeps its own. */
  public void setDefaultAccess(P2mAccess access) {
    format.setDefaultAccess(access);
  }

  /**
   * Gives one page, of the granule's size, another type and the default access, splitting a larger
   * leaf.
   *
   * @throws Refusal EBUSY where it is not of the type {@code from} now; as {@link #set}
   */
  public void changeType(Gfn gfn, P2mType from, P2mType to) {
    P2mLookup found = lookup(gfn);
    if (found.type() != from) {
      counters.updates().refused(P2mUpdate.CHANGE_TYPE, Errno.EBUSY);
      throw Refusal.of(Errno.EBUSY, "guest frame %s is %s, not %s", gfn, found.type(), from);
    }
    cutter.setGranule(gfn.value(), new Mapping(found.storedMfn(), to, format.defaultAccess()));
  }

  /**
   * Gives one page another access and leaves its type; nothing is stored where nothing is mapped.
   *
   * @throws Refusal as {@link #set}
   */
  public void changeAccess(Gfn gfn, P2mAccess access) {
    P2mLookup found = lookup(gfn);
    cutter.setGranule(gfn.value(), new Mapping(found.storedMfn(), found.type(), access));
  }

  /** Types as they are changed in bulk, and what decides them. */
  public P2mTypes types() {
    return bulk;
  }

  /** Who is told of changes, and of which. */
  public Announcements announcements() {
    return announcements;
  }

  /**
   * Does what marks say must be done before a guest frame is used.
   *
   * @return whether anything was done
   * @throws Refusal ENOMEM no page to split a leaf; what an observer answers. What was done stays
   */
  public boolean resolve(Gfn gfn) {
    return gfn.value() >>> geometry.gfnBits() == 0 && recalculation.resolve(gfn.value());
  }

  /** Whether entries are marked: look-ups then cost more, and types change when touched. */
  public boolean hasMarks() {
    return tree.marks > 0;
  }

  /** Leaves of the type that are stored, whatever their size; what waits to be changed counts. */
  public long entries(P2mType type) {
    long sum = 0;
    for (int level = 1; level <= geometry.levels(); level++) {
      sum += tree.census().of(type, level);
    }
    return sum;
  }

  /** Leaves of all the types, as {@link #entries(P2mType)}. */
  public long entries(Set<P2mType> wanted) {
    return wanted.stream().mapToLong(this::entries).sum();
  }

  /** As {@link #entries(P2mType)}, only those that map {@code 1 << order} frames of 4 KiB. */
  public long entries(P2mType type, int order) {
    for (int level = 1; level <= geometry.levels(); level++) {
      if (geometry.order(level) == order) {
        return tree.census().of(type, level);
      }
    }
    return 0;
  }

  /**
   * Makes a change that observers hear of only where the hook is on; changes outside are always
   * announced. Within another hook's change that one counts.
   */
  public void during(SyncHook hook, Runnable change) {
    announcements.during(hook, change);
  }

  /** Whether nothing is mapped in a range; numbers out of reach map nothing. */
  public boolean isUnmapped(Gfn first, long frames) {
    if (first.value() >>> geometry.gfnBits() != 0 || first.value() > tree.highest) {
      return true;
    }
    if (frames == 1) {
      return !P2mEntry.isValid(tree.descend(first.value(), 1).entry());
    }
    return reader.isUnmapped(first.value(), first.value() + frames);
  }

  /**
   * How many leaves from a guest frame on, at most so many, map frame after frame alike, parts of a
   * larger one counted as leaves of 4 KiB: as far as one lowest table has them, or would. None
   * where nothing is mapped, while entries are marked, or where the geometry is not x86's.
   */
  public long leavesAlike(Gfn first, long most) {
    return reader.leavesAlike(first.value(), most);
  }

  /** Tables that {@link #set} of the smallest leaf would take from the pool. */
  public int tablesMissing(Gfn gfn) {
    return tree.descend(gfn.value(), 1).level() - 1;
  }

  /**
   * What is mapped at the guest frame, types as lazy changes make them; any number may be asked.
   */
  public P2mLookup lookup(Gfn gfn) {
    return walker.lookup(gfn.value());
  }

  /** What devices may do by the entry as it is stored: lazy changes are not made for them. */
  public DmaPermission storedDma(Gfn gfn) {
    return LeafWriter.dma(reader.stored(gfn.value()));
  }

  /** The same for many pages at a time. */
  public DmaView dmaView() {
    return new DmaView(tree);
  }

  /** Notes that a guest reached memory through what was found: its processor now knows the leaf. */
  public void touched(Gfn gfn, P2mLookup found) {
    counters.touched(gfn.value(), found.order());
  }

  /** The walk to a guest frame, entry by entry, root first; no step for one out of reach. */
  public List<P2mStep> explain(Gfn gfn) {
    return reader.explain(gfn.value());
  }

  /** The first run of leaves that ends after {@code from}, beginning with the leaf around it. */
  public Optional<P2mRun> nextRun(Gfn from) {
    return reader.nextRun(from.value());
  }

  /** Frames of all tables, the first of each, found by reading them, the root's first. */
  public List<Mfn> tableFrames() {
    return reader.tables();
  }

  /** Another number whenever anything may be mapped otherwise than before. */
  public long revision() {
    return tree.revision;
  }

  /** What its counts say that its tables do not; empty where all is well. */
  public List<String> violations() {
    return new P2mAudit(tree).violations();
  }

  /** Machine address of the root table. */
  public long root() {
    return tree.root();
  }

  /**
   * The pointer that hardware is given: root, walk length, memory type, accessed and dirty bits.
   *
   * @see "SDM Vol. 3, 26.6.11, extended-page-table pointer"
   */
  public long eptp() {
    return EptPointer.of(tree.root(), geometry.levels());
  }

  /** The highest guest frame ever mapped, 0 where none was; it never falls. */
  public Gfn maxMappedGfn() {
    return new Gfn(tree.highest);
  }

  /** Tables in use, the root included. */
  public long tables() {
    return tree.tables();
  }

  /** Bytes of all tables in use. */
  public long tableBytes() {
    return tree.tables() * geometry.tableBytes();
  }

  public P2mSettings settings() {
    return settings;
  }

  public P2mGeometry geometry() {
    return geometry;
  }

  public P2mCounters counters() {
    return counters;
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

  /** Tables are machine memory; what they do not say is told here. */
  @Override
  public void digest(StateDigest digest) {
    digest
        .section("p2m")
        .put(tree.root())
        .put(tree.highest)
        .put(tree.tables())
        .put(format.defaultAccess().name())
        .put(format.hasIoCapabilities())
        .put(ioreq)
        .put(format.pins())
        .put(types)
        .put(announcements);
  }
}
