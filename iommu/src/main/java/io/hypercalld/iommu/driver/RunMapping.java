package io.hypercalld.iommu.driver;

import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.p2m.DmaPermission;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Maps a run of a domain's pages in a context, as many at a time as follow each other in the
 * machine. Confined to the machine thread; used for one run and thrown away.
 */
final class RunMapping {
  private final List<DeviceMapping> together = new ArrayList<>();
  private final Domain domain;
  private final GuestContext context;
  private final PageRun run;
  private final DmaPermission permission;
  private long done;

  RunMapping(Domain domain, GuestContext context, PageRun run, DmaPermission permission) {
    this.domain = domain;
    this.context = context;
    this.run = run;
    this.permission = permission;
  }

  /** As {@link GuestContexts#map}: what comes before the page that is refused is mapped. */
  GuestContexts.Progress carryOut() {
    Optional<Refusal> end = Optional.empty();
    try {
      gather();
    } catch (Refusal refusal) {
      end = Optional.of(refusal);
    }
    try {
      mapTogether();
    } catch (Refusal refusal) {
      end = Optional.of(refusal);
    }
    return new GuestContexts.Progress(done, end);
  }

  private void gather() {
    for (long page = 0; page < run.count(); page++) {
      context.requireFree(run.dfn().plus(page));
      DeviceMapping next = GuestContexts.page(domain, run.gfn().plus(page), permission);
      if (!together.isEmpty() && !together.getLast().mfn().plus(1).equals(next.mfn())) {
        mapTogether();
      }
      together.add(next);
    }
  }

  private void mapTogether() {
    if (!together.isEmpty()) {
      context.map(run.dfn().plus(done), together, permission);
      done += together.size();
      together.clear();
    }
  }
}
