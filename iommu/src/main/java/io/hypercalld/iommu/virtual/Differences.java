package io.hypercalld.iommu.virtual;

import io.hypercalld.core.p2m.DmaPermission;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Where a guest's table says something else than when it was last read. Stateless.
 *
 * <p>With caching mode all of it is a bug of the guest's: an invalidation is missing. Without, what
 * was absent may have become present unannounced.
 */
final class Differences {
  private Differences() {}

  /** The differences between two readings, ascending. */
  static List<Difference> between(List<GuestRun> before, List<GuestRun> now) {
    CapturedTable current = new CapturedTable();
    now.forEach(current::put);
    CapturedTable earlier = new CapturedTable();
    before.forEach(earlier::put);
    List<Difference> found = new ArrayList<>();
    before.forEach(run -> changed(run, current, found));
    now.forEach(run -> added(run, earlier, found));
    found.sort((one, other) -> Long.compare(one.dfn(), other.dfn()));
    return found;
  }

  private static void changed(GuestRun run, CapturedTable current, List<Difference> found) {
    long at = run.dfn();
    for (GuestRun there : current.within(run.dfn(), run.end())) {
      add(run, at, there.dfn(), Optional.empty(), found);
      if (!there.agreesWith(run)) {
        add(run, there.dfn(), there.end(), Optional.of(there), found);
      }
      at = there.end();
    }
    add(run, at, run.end(), Optional.empty(), found);
  }

  private static void add(
      GuestRun run, long from, long to, Optional<GuestRun> now, List<Difference> found) {
    if (from < to) {
      found.add(new Difference(Optional.of(run.within(from, to)), now));
    }
  }

  private static void added(GuestRun run, CapturedTable earlier, List<Difference> found) {
    long at = run.dfn();
    for (GuestRun there : earlier.within(run.dfn(), run.end())) {
      addNew(run, at, there.dfn(), found);
      at = there.end();
    }
    addNew(run, at, run.end(), found);
  }

  private static void addNew(GuestRun run, long from, long to, List<Difference> found) {
    if (from < to) {
      found.add(new Difference(Optional.empty(), Optional.of(run.within(from, to))));
    }
  }

  /**
   * Frames that lead elsewhere than they did.
   *
   * @param before where they led; empty where they led nowhere
   * @param now where the table leads them now
   */
  record Difference(Optional<GuestRun> before, Optional<GuestRun> now) {
    private GuestRun either() {
      return before.or(() -> now).orElseThrow();
    }

    long dfn() {
      return either().dfn();
    }

    long frames() {
      return either().frames();
    }

    DmaPermission permission() {
      return either().permission();
    }

    /** Whether devices may use what the guest has taken away or changed. */
    boolean isStale() {
      return before.isPresent();
    }
  }
}
