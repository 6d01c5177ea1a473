package io.hypercalld.core.p2m;

import static io.hypercalld.core.p2m.P2mEntry.A;
import static io.hypercalld.core.p2m.P2mEntry.ACCESS;
import static io.hypercalld.core.p2m.P2mEntry.D;
import static io.hypercalld.core.p2m.P2mEntry.EMT;
import static io.hypercalld.core.p2m.P2mEntry.IPAT;
import static io.hypercalld.core.p2m.P2mEntry.MFN;
import static io.hypercalld.core.p2m.P2mEntry.PW;
import static io.hypercalld.core.p2m.P2mEntry.R;
import static io.hypercalld.core.p2m.P2mEntry.SA_P2MT;
import static io.hypercalld.core.p2m.P2mEntry.SNP;
import static io.hypercalld.core.p2m.P2mEntry.SP;
import static io.hypercalld.core.p2m.P2mEntry.SUPPRESS_VE;
import static io.hypercalld.core.p2m.P2mEntry.W;
import static io.hypercalld.core.p2m.P2mEntry.X;

import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.memory.WordProgression;

/**
 * Makes the entries of one P2M. Confined to the machine thread.
 *
 * <p>Everything but the frame depends on type, access and the domain alone, so it is computed once
 * for each type with the default access.
 *
 * @see "xen/arch/x86/mm/p2m-ept.c, ept_p2m_type_to_flags and epte_get_entry_emt"
 */
final class EntryFormat {
  private static final P2mType[] TYPES = P2mType.values();
  private static final WordProgression NOTHING = new WordProgression(P2mEntry.EMPTY, 0);

  private final P2mSettings settings;
  private final IoreqRules ioreq;
  private final CachePins pins = new CachePins();
  private final long[] leaves = new long[TYPES.length];
  private P2mAccess defaultAccess = P2mAccess.RWX;
  private boolean ioCapabilities;
  private long table;

  EntryFormat(P2mSettings settings, IoreqRules ioreq) {
    this.settings = settings;
    this.ioreq = ioreq;
    compute();
  }

  P2mAccess defaultAccess() {
    return defaultAccess;
  }

  void setDefaultAccess(P2mAccess access) {
    defaultAccess = access;
    compute();
  }

  boolean hasIoCapabilities() {
    return ioCapabilities;
  }

  void setIoCapabilities(boolean granted) {
    ioCapabilities = granted;
    compute();
  }

  void setIoreq(P2mType type, IoreqRule rule) {
    ioreq.set(type, rule);
    compute();
  }

  CachePins pins() {
    return pins;
  }

  private void compute() {
    for (P2mType type : TYPES) {
      leaves[type.number()] = withoutFrame(type, defaultAccess);
    }
    table =
        R.mask()
            | W.mask()
            | X.mask()
            | A.mask()
            | ACCESS.of(defaultAccess.number())
            | SUPPRESS_VE.mask();
  }

  /**
   * Entries of leaves of the type from the frame on, which is {@link Mfn#INVALID} where there is
   * none.
   */
  WordProgression leaves(P2mType type, P2mAccess access, int level, Mfn mfn) {
    if (isEmpty(type, mfn.isValid())) {
      return NOTHING;
    }
    long entry = leaf(type, access) | (level > 1 ? SP.mask() : 0);
    if (!mfn.isValid()) {
      return new WordProgression(entry | MFN.mask(), 0);
    }
    long frames = 1L << settings.geometry().order(level);
    if (type == P2mType.MMIO_DIRECT) {
      entry = registers(entry, mfn, level);
    }
    return new WordProgression(entry | MFN.of(mfn.value()), MFN.of(frames));
  }

  /** Leaves as their guest frames are pinned to be cached, which is the same for all of them. */
  WordProgression pinned(WordProgression leaves, LeafSpan span) {
    return pins.isEmpty()
        ? leaves
        : new WordProgression(pinned(leaves.first(), span.gfn(), span.level()), leaves.step());
  }

  /** How many leaves from a guest frame on are pinned alike; at least one. */
  long pinnedAlike(long gfn, int level) {
    return pins.isEmpty()
        ? Long.MAX_VALUE
        : Math.max(1, pins.alike(gfn) >>> settings.geometry().order(level));
  }

  private long pinned(long entry, long gfn, int level) {
    if (pins.isEmpty() || hostDecides() || !P2mEntry.isValid(entry)) {
      return entry;
    }
    P2mType type = P2mEntry.type(entry);
    if (type == P2mType.MMIO_DIRECT || ignoresGuest(type)) {
      return entry;
    }
    return switch (pins.over(gfn, 1L << settings.geometry().order(level))) {
      case NONE -> entry;
      case SOME -> level > 1 ? P2mEntry.marked(entry, false) : cached(entry, gfn);
      case ALL -> cached(entry, gfn);
    };
  }

  private long cached(long entry, long gfn) {
    return pins.at(gfn).map(type -> IPAT.set(EMT.put(entry, type.inEntry()))).orElse(entry);
  }

  /** A page that the hypervisor shares with the guest: its memory type is the host's choice. */
  WordProgression special(Mfn mfn) {
    long entry = IPAT.set(leaf(P2mType.RAM_RW, defaultAccess));
    return new WordProgression(entry | MFN.of(mfn.value()), 0);
  }

  /** An entry for the table at the machine address. */
  long table(long maddr) {
    return table | MFN.inPlace(maddr);
  }

  /**
   * A present leaf of the type, with the memory type it should have by now and no mark. Where parts
   * of it should have different ones it is left marked, and has to be split.
   */
  long refreshed(long leaf, P2mType type, int level, long gfn) {
    long kept = leaf & (MFN.mask() | SP.mask() | SUPPRESS_VE.mask() | A.mask());
    long fresh = leaf(type, P2mEntry.access(leaf)) | kept;
    if (!P2mEntry.hasFrame(leaf)) {
      return pinned(fresh, gfn, level);
    }
    Mfn mfn = new Mfn(P2mEntry.mfn(leaf));
    if (type == P2mType.MMIO_DIRECT) {
      return registers(fresh, mfn, level);
    }
    if (hostDecides()) {
      return fresh;
    }
    long frames = 1L << settings.geometry().order(level);
    return switch (settings.host().special(mfn, frames)) {
      case NONE -> pinned(fresh, gfn, level);
      case SOME -> level > 1 ? P2mEntry.marked(fresh, false) : IPAT.set(fresh);
      case ALL -> IPAT.set(fresh);
    };
  }

  /** Whether a mapping of the type without a frame is something, and not simply nothing. */
  static boolean isEmpty(P2mType type, boolean hasFrame) {
    return type == P2mType.INVALID || (!hasFrame && !P2mType.FRAMELESS.contains(type));
  }

  private long leaf(P2mType type, P2mAccess access) {
    return access == defaultAccess ? leaves[type.number()] : withoutFrame(type, access);
  }

  /** A device's registers, of which the hypervisor may keep the writes for itself. */
  private long registers(long entry, Mfn mfn, int level) {
    long frames = 1L << settings.geometry().order(level);
    return switch (settings.host().readOnlyMmio(mfn, frames)) {
      case NONE -> entry;
      case SOME -> level > 1 ? P2mEntry.marked(entry, false) : kept(entry);
      case ALL -> kept(entry);
    };
  }

  private static long kept(long entry) {
    return IPAT.set(D.clear(W.clear(entry)));
  }

  private long withoutFrame(P2mType type, P2mAccess access) {
    boolean readable = isReadable(type) && access.isReadable();
    boolean writable = isWritable(type) && access.isWritable();
    boolean executable = type.isExecutable() && access.isExecutable();
    long entry = SA_P2MT.of(type.number()) | ACCESS.of(access.number()) | SUPPRESS_VE.mask();
    entry |= (readable ? R.mask() : 0) | (executable ? X.mask() : 0);
    entry |= writable ? W.mask() | D.mask() : 0;
    entry |= readable || writable || executable ? A.mask() : 0;
    entry |= access == P2mAccess.R_PW ? PW.mask() : 0;
    entry |= settings.snoop() ? SNP.mask() : 0;
    return entry | memoryType(type);
  }

  private boolean isReadable(P2mType type) {
    return type.isReadable() && !ioreq.of(type).takesReads();
  }

  private boolean isWritable(P2mType type) {
    return type.isWritable() && !ioreq.of(type).takesWrites();
  }

  /*
   * The guest's and the host's MTRRs say write-back for all of RAM, so what is left of Xen's rule
   * is whether the guest's PAT counts: it does where a device may look at the memory too.
   */
  private long memoryType(P2mType type) {
    if (type == P2mType.MMIO_DIRECT) {
      return EMT.of(P2mEntry.EMT_UC);
    }
    return EMT.of(P2mEntry.EMT_WB) | (hostDecides() || ignoresGuest(type) ? IPAT.mask() : 0);
  }

  private static boolean ignoresGuest(P2mType type) {
    return P2mType.GRANT.contains(type) || type == P2mType.MAP_FOREIGN;
  }

  private boolean hostDecides() {
    return !settings.iommu() && !ioCapabilities;
  }
}
