package io.hypercalld.ioreq.server;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.ranges.NumberRange;
import io.hypercalld.core.ranges.RangeSet;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * What a server answers for, by kind. Confined to the machine thread.
 *
 * <p>Ranges that touch become one, in look-ups as well as in the count.
 *
 * @see "xen/common/ioreq.c, ioreq_server_map_io_range; xen/common/rangeset.c"
 */
public final class IoRanges implements Digestible {
  /** {@code MAX_NR_IO_RANGES}, of each kind. */
  public static final int MOST = 256;

  private final Map<RangeKind, RangeSet> sets = new EnumMap<>(RangeKind.class);

  private final List<RangeOwners> owners;
  private final int server;

  /**
   * None yet.
   *
   * @param owners of each kind, by its number: told of every change
   * @param server whose ranges they are
   */
  IoRanges(List<RangeOwners> owners, int server) {
    this.owners = owners;
    this.server = server;
    for (RangeKind kind : RangeKind.values()) {
      sets.put(kind, new RangeSet());
    }
  }

  /**
   * Adds a range.
   *
   * @throws Refusal EEXIST where some of it is there; ENOMEM where there would be too many
   */
  public void map(RangeKind kind, NumberRange range) {
    RangeSet set = of(kind);
    if (set.overlaps(range)) {
      throw Refusal.of(Errno.EEXIST, "some of %s is mapped already", range);
    }
    if (!joins(set, range)) {
      requireRoom(kind, set);
    }
    set.add(range);
    owners.get(kind.number()).give(range, server);
  }

  /**
   * Removes a range.
   *
   * @throws Refusal ENOENT where not all of it is in one range; ENOMEM where what remains would be
   *     too many
   */
  public void unmap(RangeKind kind, NumberRange range) {
    RangeSet set = of(kind);
    if (!set.contains(range)) {
      throw Refusal.of(Errno.ENOENT, "%s is not within one range", range);
    }
    if (range.first() != 0
        && range.last() != -1
        && set.contains(new NumberRange(range.first() - 1, range.last() + 1))) {
      requireRoom(kind, set);
    }
    set.remove(range);
    owners.get(kind.number()).take(range, server);
  }

  /** Removes all. */
  void clear() {
    sets.values().forEach(set -> set.remove(RangeOwners.EVERYTHING));
    owners.forEach(kind -> kind.take(RangeOwners.EVERYTHING, server));
  }

  private static boolean joins(RangeSet set, NumberRange range) {
    long before = range.first() == 0 ? 0 : range.first() - 1;
    long after = range.last() == -1 ? -1 : range.last() + 1;
    return set.overlaps(new NumberRange(before, after));
  }

  private static void requireRoom(RangeKind kind, RangeSet set) {
    if (set.ranges().size() >= MOST) {
      throw Refusal.of(Errno.ENOMEM, "%d ranges of kind %s are mapped", MOST, kind);
    }
  }

  /** Whether all of a range is within one range. */
  public boolean contains(RangeKind kind, NumberRange range) {
    return of(kind).contains(range);
  }

  /** Whether any of a range is mapped. */
  public boolean overlaps(RangeKind kind, NumberRange range) {
    return of(kind).overlaps(range);
  }

  /** The ranges of a kind, ascending. */
  public List<NumberRange> ranges(RangeKind kind) {
    return of(kind).ranges();
  }

  private RangeSet of(RangeKind kind) {
    RangeSet set = sets.get(kind);
    if (set == null) {
      throw new IllegalStateException("no set of kind " + kind);
    }
    return set;
  }

  @Override
  public void digest(StateDigest digest) {
    sets.values().forEach(digest::put);
  }
}
