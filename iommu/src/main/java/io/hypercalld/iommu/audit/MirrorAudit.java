package io.hypercalld.iommu.audit;

import io.hypercalld.core.Hypervisor;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.memory.FrameTable;
import io.hypercalld.core.memory.FrameUse;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.SyncHook;
import io.hypercalld.iommu.driver.DmaRun;
import io.hypercalld.iommu.driver.DomainIommu;
import io.hypercalld.iommu.driver.Mirror;
import io.hypercalld.iommu.driver.PciDevice;
import io.hypercalld.iommu.driver.VtdDriver;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/** I9: what a domain's devices reach through a table of their own against what is the domain's. */
final class MirrorAudit {
  /** Enough to see what is wrong; a table that was never mirrored differs everywhere. */
  private static final int MOST_PER_DOMAIN = 64;

  private final Hypervisor hypervisor;
  private final VtdDriver driver;

  MirrorAudit(Hypervisor hypervisor, VtdDriver driver) {
    this.hypervisor = hypervisor;
    this.driver = driver;
  }

  void check(List<Violation> found) {
    for (Domain domain : hypervisor.domains().all()) {
      Optional<Mirror> mirror = domain.findFacet(DomainIommu.class).flatMap(DomainIommu::mirror);
      if (mirror.isPresent() && !domain.isDying()) {
        compare(domain, mirror.get(), found);
      }
    }
  }

  private void compare(Domain domain, Mirror mirror, List<Violation> found) {
    long at = 0;
    int most = found.size() + MOST_PER_DOMAIN;
    Optional<DmaRun> mapped = mirror.mapped(new Gfn(0));
    Optional<DmaRun> expected = mirror.expected(new Gfn(0));
    while (found.size() < most && (mapped.isPresent() || expected.isPresent())) {
      long start = Math.max(at, Math.min(startOf(mapped), startOf(expected)));
      Optional<DmaRun> now = mapped.filter(run -> run.covers(start));
      Optional<DmaRun> due = expected.filter(run -> run.covers(start));
      if (!agree(now, due, start)) {
        found.add(new Violation("I9", describe(domain, mirror, new Difference(start, now, due))));
      }
      at = Math.min(boundary(mapped, start), boundary(expected, start));
      Gfn next = new Gfn(at);
      mapped = mapped.filter(run -> run.end() > next.value()).or(() -> mirror.mapped(next));
      expected = expected.filter(run -> run.end() > next.value()).or(() -> mirror.expected(next));
    }
  }

  /** Where the two sides differ: what is mapped and what should be. */
  private record Difference(long dfn, Optional<DmaRun> now, Optional<DmaRun> due) {}

  private static long startOf(Optional<DmaRun> run) {
    return run.map(each -> each.dfn().value()).orElse(Long.MAX_VALUE);
  }

  /** The next frame after {@code from} at which a run begins or ends. */
  private static long boundary(Optional<DmaRun> run, long from) {
    if (run.isEmpty()) {
      return Long.MAX_VALUE;
    }
    return run.get().dfn().value() > from ? run.get().dfn().value() : run.get().end();
  }

  private static boolean agree(Optional<DmaRun> now, Optional<DmaRun> due, long dfn) {
    if (now.isEmpty() || due.isEmpty()) {
      return now.isEmpty() && due.isEmpty();
    }
    return now.get().at(dfn).equals(due.get().at(dfn))
        && now.get().permission() == due.get().permission();
  }

  private String describe(Domain domain, Mirror mirror, Difference difference) {
    Gfn dfn = new Gfn(difference.dfn());
    String reached =
        difference
            .now()
            .map(run -> "reach " + frame(run.at(dfn.value())) + " through guest frame " + dfn)
            .orElse("cannot reach guest frame " + dfn);
    String due =
        difference
            .due()
            .map(run -> "it has " + frame(run.at(dfn.value())) + " there")
            .orElse("it has nothing there");
    String why =
        mirror
            .missedAt(dfn)
            .map(SyncHook::toString)
            .map(hook -> "hook " + hook + " is off")
            .orElse("no hook was missed");
    return "%s of %s %s, but %s: %s".formatted(devices(domain), domain.id(), reached, due, why);
  }

  private String devices(Domain domain) {
    String names =
        driver.devices().ownedBy(domain.id()).stream()
            .map(PciDevice::sbdf)
            .map(Object::toString)
            .collect(Collectors.joining(", "));
    return names.isEmpty() ? "future devices" : names;
  }

  private String frame(Mfn mfn) {
    FrameTable frames = hypervisor.frames();
    if (!frames.contains(mfn.value())) {
      return "frame %s (no RAM)".formatted(mfn);
    }
    if (frames.use(mfn.value()) == FrameUse.FREE) {
      return "frame %s (free)".formatted(mfn);
    }
    int owner = frames.owner(mfn.value());
    return owner == FrameTable.NO_OWNER
        ? "frame %s (the hypervisor's)".formatted(mfn)
        : "frame %s (%s's)".formatted(mfn, new DomainId(owner));
  }
}
