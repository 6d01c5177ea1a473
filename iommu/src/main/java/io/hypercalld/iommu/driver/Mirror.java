package io.hypercalld.iommu.driver;

import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.p2m.DmaPermission;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mRun;
import io.hypercalld.core.p2m.P2mTable;
import io.hypercalld.core.p2m.SyncHook;
import java.util.Optional;

/**
 * Both sides of a separate table: what it says, and what the domain's memory says it should. Reads
 * only. Confined to the machine thread.
 */
public final class Mirror {
  private final Domain domain;
  private final DmaTable table;
  private final Optional<IdentityMap> identity;
  private final long end;

  /**
   * The mirror of a domain.
   *
   * @param identity present for a PV domain
   * @param end first machine frame number that no frame has
   */
  Mirror(Domain domain, DmaTable table, Optional<IdentityMap> identity, long end) {
    this.domain = domain;
    this.table = table;
    this.identity = identity;
    this.end = end;
  }

  /** How many levels the table has. */
  public int levels() {
    return table.levels();
  }

  /** Machine address of the table's root. */
  public long root() {
    return table.rootFor(table.levels());
  }

  /** What the table maps at or first after a frame; a run may go on in the next one. */
  public Optional<DmaRun> mapped(Gfn from) {
    return table.nextRun(from.value());
  }

  /** What the table should map there. */
  public Optional<DmaRun> expected(Gfn from) {
    return identity.isPresent()
        ? identity.get().nextRun(from.value(), end)
        : expectedOf(domain.p2m(), from);
  }

  private static Optional<DmaRun> expectedOf(P2mTable p2m, Gfn from) {
    Optional<P2mRun> next = p2m.nextRun(from);
    while (next.isPresent()) {
      P2mRun run = next.get();
      long frames = run.count() << run.order();
      DmaPermission permission = p2m.storedDma(run.gfn());
      if (permission != DmaPermission.NONE) {
        return Optional.of(new DmaRun(run.gfn(), run.mfn(), frames, permission));
      }
      next = p2m.nextRun(run.gfn().plus(frames));
    }
    return Optional.empty();
  }

  /** The hook whose being off kept the last change of the frame from the table. */
  public Optional<SyncHook> missedAt(Gfn dfn) {
    return identity.isPresent()
        ? identity.get().missedAt(dfn.value())
        : domain.p2m().announcements().missedAt(dfn);
  }
}
