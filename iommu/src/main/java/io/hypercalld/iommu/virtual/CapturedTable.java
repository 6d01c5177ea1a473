package io.hypercalld.iommu.virtual;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.TreeMap;

/**
 * What a guest's table said when it was last looked at, as runs. Confined to the machine thread.
 *
 * <p>Neighbours that go on are one run.
 */
final class CapturedTable implements Digestible {
  private final TreeMap<Long, GuestRun> runs = new TreeMap<>();
  private final ReverseMap reverse = new ReverseMap();

  /** Every run, ascending. */
  Collection<GuestRun> all() {
    return Collections.unmodifiableCollection(runs.values());
  }

  /** Replaces what lies from one frame to before another. */
  void replace(long from, long to, List<GuestRun> now) {
    for (GuestRun old : overlapping(from, to)) {
      remove(old);
      if (old.dfn() < from) {
        add(old.within(old.dfn(), from));
      }
      if (old.end() > to) {
        add(old.within(to, old.end()));
      }
    }
    now.forEach(this::join);
  }

  private void join(GuestRun run) {
    GuestRun whole = run;
    var before = runs.lowerEntry(run.dfn());
    if (before != null && before.getValue().continuesWith(whole)) {
      remove(before.getValue());
      whole = joined(before.getValue(), whole);
    }
    var after = runs.get(run.end());
    if (after != null && whole.continuesWith(after)) {
      remove(after);
      whole = joined(whole, after);
    }
    add(whole);
  }

  private static GuestRun joined(GuestRun first, GuestRun second) {
    return new GuestRun(
        first.dfn(), first.gfn(), first.frames() + second.frames(), first.permission());
  }

  private void add(GuestRun run) {
    runs.put(run.dfn(), run);
    reverse.add(run);
  }

  private void remove(GuestRun run) {
    runs.remove(run.dfn());
    reverse.remove(run);
  }

  private List<GuestRun> overlapping(long from, long to) {
    Long start = runs.floorKey(from);
    List<GuestRun> found = new ArrayList<>();
    for (GuestRun run : runs.subMap(start == null ? from : start, true, to, false).values()) {
      if (run.end() > from) {
        found.add(run);
      }
    }
    return found;
  }

  /** What lies from one frame to before another, cut to that. */
  List<GuestRun> within(long from, long to) {
    return overlapping(from, to).stream().map(run -> run.within(from, to)).toList();
  }

  /** What leads to guest frames of a range, cut to those. */
  List<GuestRun> leadingTo(long gfn, long frames) {
    List<GuestRun> found = new ArrayList<>();
    for (long dfn : reverse.near(gfn, frames)) {
      GuestRun run = Objects.requireNonNull(runs.get(dfn));
      long shift = run.dfn() - run.gfn();
      long from = Math.max(run.dfn(), gfn + shift);
      long to = Math.min(run.end(), gfn + frames + shift);
      if (from < to) {
        found.add(run.within(from, to));
      }
    }
    return found;
  }

  @Override
  public void digest(StateDigest digest) {
    digest.put(runs.size());
    runs.values().forEach(run -> digest.put(run.toString()));
  }
}
