package io.hypercalld.core.p2m;

import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.memory.WordProgression;
import java.util.Optional;

/**
 * Checks what is to be mapped, cuts it into leaves, and has marks in their way resolved before they
 * are written. Confined to the machine thread.
 */
final class LeafCutter {
  private final P2mGeometry geometry;
  private final int largestLevel;
  private final TableTree tree;
  private final EntryFormat format;
  private final LeafWriter writer;
  private final TypeRecalculation recalculation;

  LeafCutter(
      P2mSettings settings,
      TableTree tree,
      EntryFormat format,
      LeafWriter writer,
      TypeRecalculation recalculation) {
    this.geometry = settings.geometry();
    this.largestLevel = settings.largestLevel();
    this.tree = tree;
    this.format = format;
    this.writer = writer;
    this.recalculation = recalculation;
  }

  /** What a run of guest frames is to become. */
  record Mapping(Mfn mfn, P2mType type, P2mAccess access) {
    boolean hasNothing() {
      return EntryFormat.isEmpty(type, mfn.isValid());
    }

    Mapping from(long frames) {
      return mfn.isValid() ? new Mapping(mfn.plus(frames), type, access) : this;
    }
  }

  /** Writes one leaf of the size, or as many of the granule as it takes. */
  void set(long gfn, PageSize size, Mapping mapping) {
    if (geometry.hasSuperpages()) {
      write(new LeafSpan(gfn, 1, size.level()), mapping);
      return;
    }
    setPages(gfn, size.frames(), mapping);
  }

  /** Changes the granule around a guest frame. */
  void setGranule(long gfn, Mapping mapping) {
    long inside = gfn & (geometry.granuleFrames() - 1);
    write(new LeafSpan(gfn - inside, 1, 1), mapping.from(-inside), P2mUpdate.CHANGE_TYPE);
  }

  /** Writes leaves as large as fit; a refused part does not keep the rest from being written. */
  void setRun(long gfn, long frames, Mapping mapping) {
    requireWhole(gfn, frames);
    Optional<Refusal> refused = Optional.empty();
    long done = 0;
    while (done < frames) {
      int level = largestLevel(gfn + done, frames - done, mapping.from(done));
      long leaves = leavesInTable(gfn + done, level, frames - done);
      try {
        write(new LeafSpan(gfn + done, leaves, level), mapping.from(done));
        done += leaves << geometry.order(level);
      } catch (Refusal refusal) {
        refused = Optional.of(refusal);
        done += (writer.kept() + 1L) << geometry.order(level);
      }
    }
    if (refused.isPresent()) {
      throw refused.get();
    }
  }

  /** Writes leaves of the granule up to the first that is refused. */
  void setPages(long gfn, long frames, Mapping mapping) {
    requireWhole(gfn, frames);
    long done = 0;
    while (done < frames) {
      long leaves = leavesInTable(gfn + done, 1, frames - done);
      write(new LeafSpan(gfn + done, leaves, 1), mapping.from(done));
      done += leaves << geometry.granuleOrder();
    }
  }

  /** Writes one page that the hypervisor shares with the guest. */
  void setSpecial(long gfn, Mfn mfn) {
    LeafSpan span = new LeafSpan(gfn, 1, 1);
    requireReachable(span);
    writeRaising(span, format.special(mfn));
  }

  void write(LeafSpan span, Mapping mapping) {
    write(span, mapping, mapping.hasNothing() ? P2mUpdate.UNMAP : P2mUpdate.MAP);
  }

  private void write(LeafSpan span, Mapping mapping, P2mUpdate update) {
    P2mUpdates updates = tree.counters().updates();
    try {
      writeLeaves(span, mapping);
      updates.done(update, 1);
    } catch (Refusal refusal) {
      updates.refused(update, refusal.errno());
      throw refusal;
    }
  }

  private void writeLeaves(LeafSpan span, Mapping mapping) {
    requireReachable(span);
    if (mapping.mfn.isValid()) {
      requireFrames(span, mapping.mfn.value());
    }
    if (span.level() > 1 && P2mType.SMALL_ONLY.contains(mapping.type)) {
      throw Refusal.of(Errno.EINVAL, "a leaf of %s cannot be a large one", mapping.type);
    }
    WordProgression leaves =
        format.pinned(format.leaves(mapping.type, mapping.access, span.level(), mapping.mfn), span);
    if (mapping.type == P2mType.INVALID) {
      resolve(span);
      writer.write(span, leaves);
    } else {
      writeRaising(span, leaves);
    }
  }

  /** Raises before anybody is told, as look-ups end at the highest guest frame. */
  private void writeRaising(LeafSpan span, WordProgression leaves) {
    int order = geometry.order(span.level());
    resolve(span);
    long before = tree.highest;
    tree.highest = Math.max(before, span.gfn() + (span.count() << order) - 1);
    try {
      writer.write(span, leaves);
    } catch (Refusal refusal) {
      long end = span.gfn() + ((long) writer.kept() << order);
      tree.highest = writer.kept() > 0 ? Math.max(before, end - 1) : before;
      throw refusal;
    }
  }

  /** A lowest table is resolved as a whole, leaves above it one by one. */
  private void resolve(LeafSpan span) {
    long leaves = span.level() == 1 ? 1 : span.count();
    for (long i = 0; tree.marks > 0 && i < leaves; i++) {
      recalculation.resolve(span.gfn() + (i << geometry.order(span.level())));
    }
  }

  private void requireWhole(long gfn, long frames) {
    if ((frames & (geometry.granuleFrames() - 1)) != 0) {
      throw Refusal.of(
          Errno.EINVAL,
          "%d frames at guest frame 0x%x end inside a granule of %d",
          frames,
          gfn,
          geometry.granuleFrames());
    }
  }

  private void requireReachable(LeafSpan span) {
    int order = geometry.order(span.level());
    long gfn = span.gfn();
    int bits = geometry.gfnBits();
    if (gfn >>> bits != 0 || (gfn + (span.count() << order) - 1) >>> bits != 0) {
      throw Refusal.of(Errno.EINVAL, "guest frame 0x%x is beyond 2^%d", gfn, bits);
    }
    if ((gfn & ((1L << order) - 1)) != 0 || span.level() > largestLevel) {
      throw Refusal.of(
          Errno.EINVAL, "no leaf of %d frames fits at guest frame 0x%x", 1L << order, gfn);
    }
  }

  private void requireFrames(LeafSpan span, long mfn) {
    int order = geometry.order(span.level());
    if ((mfn & ((1L << order) - 1)) != 0
        || Long.compareUnsigned(mfn, P2mEntry.MFN.max() - (span.count() << order)) > 0) {
      throw Refusal.of(Errno.EINVAL, "frame 0x%x cannot be a leaf of %d frames", mfn, 1L << order);
    }
  }

  private int largestLevel(long gfn, long frames, Mapping mapping) {
    long aligned = mapping.mfn.isValid() ? gfn | mapping.mfn.value() : gfn;
    for (int level = P2mType.SMALL_ONLY.contains(mapping.type) ? 1 : largestLevel;
        level > 1;
        level--) {
      long size = 1L << geometry.order(level);
      if ((aligned & (size - 1)) == 0 && frames >= size) {
        return level;
      }
    }
    return 1;
  }

  long leavesAtOnce(long gfn, PageSize size, long most) {
    boolean fits = geometry.hasSuperpages() && (gfn & (size.frames() - 1)) == 0;
    return fits && size.level() <= largestLevel
        ? leavesInTable(gfn, size.level(), most << size.order())
        : 0;
  }

  /** How many leaves alike follow each other in one table, at most as the frames need. */
  private long leavesInTable(long gfn, int level, long frames) {
    int order = geometry.order(level);
    long slot = (gfn >>> order) & (geometry.entries() - 1);
    long inTable = Math.min(geometry.entries() - slot, frames >>> order);
    return Math.min(inTable, format.pinnedAlike(gfn, level));
  }
}
