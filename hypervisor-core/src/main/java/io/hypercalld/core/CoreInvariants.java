package io.hypercalld.core;

import com.google.errorprone.annotations.FormatMethod;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.domain.SharedFrames;
import io.hypercalld.core.memory.FrameTable;
import io.hypercalld.core.memory.FrameUse;
import io.hypercalld.core.memory.MemoryMap;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.memory.PagingPool;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mLookup;
import io.hypercalld.core.p2m.P2mRun;
import io.hypercalld.core.p2m.P2mTable;
import io.hypercalld.core.p2m.P2mType;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.agrona.collections.Long2LongCounterMap;

/**
 * Checks that what the core keeps in several places agrees. Confined to the machine thread; used
 * for one check and thrown away.
 *
 * <p>Frames against the allocator, frames against their owners' counts, P2M against M2P both ways,
 * tables against the pools they come from.
 */
public final class CoreInvariants {
  /** Types whose frame is the domain's own, where there is one. */
  private static final Set<P2mType> OWN_RAM =
      P2mType.RAM.stream()
          .filter(type -> type != P2mType.RAM_SHARED)
          .collect(Collectors.toUnmodifiableSet());

  private final List<String> violations = new ArrayList<>();
  private final Long2LongCounterMap guestFrames = new Long2LongCounterMap(0);
  private final Long2LongCounterMap tableFrames = new Long2LongCounterMap(0);
  private final ExpectedReferences expected;
  private final Hypervisor hypervisor;
  private final FrameTable frames;
  private long sharedFrames;

  public CoreInvariants(Hypervisor hypervisor) {
    this.hypervisor = hypervisor;
    this.expected = new ExpectedReferences(hypervisor);
    this.frames = hypervisor.frames();
  }

  /** Every violation as a sentence; empty where all is well. */
  public List<String> violations() {
    checkFrames();
    checkShared();
    hypervisor.domains().all().forEach(this::checkDomain);
    return List.copyOf(violations);
  }

  private void checkFrames() {
    long free = 0;
    long end = hypervisor.memory().map().highTop() >>> PageSize.SHIFT_4K;
    for (long mfn = 0; mfn < end; ) {
      long next = Math.min(end, frames.blockEnd(mfn));
      if (frames.use(mfn) != FrameUse.FREE) {
        checkTaken(mfn, next - mfn);
      } else {
        free += ramFrames(mfn, next);
      }
      mfn = next;
    }
    if (free != hypervisor.allocator().freeFrames()) {
      report(
          "%d frames are free, the allocator counts %d", free, hypervisor.allocator().freeFrames());
    }
  }

  private long ramFrames(long from, long to) {
    long low = hypervisor.memory().map().lowTop() >>> PageSize.SHIFT_4K;
    long high = MemoryMap.FOUR_GIB >>> PageSize.SHIFT_4K;
    return Math.max(0, Math.min(to, low) - from) + Math.max(0, to - Math.max(from, high));
  }

  private void checkShared() {
    SharedFrames shared = hypervisor.domains().sharedFrames();
    violations.addAll(shared.audit(hypervisor.domains()));
    long mapped =
        hypervisor.domains().all().stream()
            .filter(domain -> domain.findP2m().isPresent())
            .mapToLong(domain -> domain.features().sharing().sharedPages())
            .sum();
    if (shared.count() != sharedFrames || shared.count() + shared.saved() != mapped) {
      report(
          "%d frames are shared, %d are said to be, %d guest frames map them",
          sharedFrames, shared.count(), mapped);
    }
  }

  private void checkTaken(long mfn, long count) {
    int owner = frames.owner(mfn);
    if (owner == DomainId.COW.value()) {
      sharedFrames += count;
    }
    if (owner == FrameTable.NO_OWNER || owner == DomainId.COW.value()) {
      return;
    }
    Optional<Domain> domain = hypervisor.domains().find(new DomainId(owner));
    if (domain.isEmpty()) {
      report("frame 0x%x is owned by domain %d, which does not exist", mfn, owner);
      return;
    }
    checkReferences(mfn, count);
    if (frames.use(mfn) == FrameUse.GUEST_RAM) {
      guestFrames.addAndGet(owner, count);
      checkMapped(domain.get(), mfn, count);
    } else if (frames.use(mfn) == FrameUse.P2M_TABLE) {
      tableFrames.addAndGet(owner, count);
    }
  }

  private void checkReferences(long mfn, long count) {
    long allocation = frames.isAllocated(mfn) ? 1 : 0;
    boolean alike = count == 1 || !expected.isAnyIn(mfn, count);
    if (!alike || frames.references(mfn) != allocation + expected.of(mfn)) {
      report(
          "frame 0x%x has %d references, %d of them of its allocation, and %d users",
          mfn, frames.references(mfn), allocation, expected.of(mfn));
    }
    if (frames.references(mfn) == 0) {
      report("frame 0x%x of domain %d has no reference", mfn, frames.owner(mfn));
    }
  }

  private void checkMapped(Domain domain, long first, long count) {
    Optional<P2mTable> p2m = domain.findP2m();
    long gfn = frames.m2p(first);
    if (p2m.isEmpty() || gfn < 0 || domain.isDying()) {
      return;
    }
    long done = 0;
    while (done < count) {
      P2mLookup found = p2m.get().lookup(new Gfn(gfn + done));
      if (found.storedMfn().value() != first + done) {
        report(
            "frame 0x%x says that %s maps it at 0x%x, which it does not",
            first + done, domain.id(), gfn + done);
        return;
      }
      long leaf = 1L << found.order();
      done += leaf - ((gfn + done) & (leaf - 1));
    }
  }

  private void checkDomain(Domain domain) {
    int id = domain.id().value();
    long owned = guestFrames.get(id);
    if (owned != domain.reservation().totalPages()) {
      report(
          "%s owns %d frames and is charged for %d",
          domain.id(), owned, domain.reservation().totalPages());
    }
    if (domain.findP2m().isPresent() && domain.memory().pagingPool().isPresent()) {
      checkTables(domain, domain.findP2m().get(), domain.memory().pagingPool().get());
      checkRuns(domain, domain.findP2m().get());
      checkFeatures(domain);
    }
  }

  private void checkFeatures(Domain domain) {
    long foreign = domain.physicalMap().orElseThrow().foreign().count();
    if (foreign != expected.foreignFrames(domain)) {
      report(
          "%s has %d foreign pages and counts %d",
          domain.id(), expected.foreignFrames(domain), foreign);
    }
    if (!domain.features().populateOnDemand().isConsistent()) {
      report("%s keeps a frame to populate from that is in use", domain.id());
    }
  }

  private void checkTables(Domain domain, P2mTable p2m, PagingPool pool) {
    long owned = tableFrames.get(domain.id().value());
    if (owned != pool.totalPages()) {
      report("%s owns %d table pages, its pool has %d", domain.id(), owned, pool.totalPages());
    }
    List<Mfn> reached = p2m.tableFrames();
    p2m.violations().forEach(text -> report("%s: %s", domain.id(), text));
    if (reached.size() != p2m.tables() || pool.usedPages() < reached.size()) {
      report(
          "%s has %d tables, %d were reached, %d are in use",
          domain.id(), p2m.tables(), reached.size(), pool.usedPages());
    }
    for (Mfn table : reached) {
      if (frames.use(table.value()) != FrameUse.P2M_TABLE
          || frames.owner(table.value()) != domain.id().value()) {
        report("frame %s is a table of %s and not of its pool", table, domain.id());
      }
    }
  }

  private void checkRuns(Domain domain, P2mTable p2m) {
    Optional<P2mRun> next = p2m.nextRun(new Gfn(0));
    while (next.isPresent()) {
      P2mRun run = next.get();
      long end = run.gfn().value() + (run.count() << run.order());
      if (end - 1 > p2m.maxMappedGfn().value()) {
        report("%s maps 0x%x above its highest guest frame", domain.id(), end - 1);
      }
      if (P2mType.SMALL_ONLY.contains(run.type()) && run.order() > p2m.geometry().granuleOrder()) {
        report("%s has a leaf of %s at %s that is too large", domain.id(), run.type(), run.gfn());
      }
      if (OWN_RAM.contains(run.type()) && run.mfn().isValid()) {
        checkBack(domain, run);
      }
      next = p2m.nextRun(new Gfn(end));
    }
  }

  private void checkBack(Domain domain, P2mRun run) {
    long first = run.mfn().value();
    long end = first + (run.count() << run.order());
    for (long mfn = first; mfn < end; ) {
      if (!frames.contains(mfn) || frames.owner(mfn) != domain.id().value()) {
        report("%s maps frame 0x%x, which is not its own", domain.id(), mfn);
        return;
      }
      long gfn = run.gfn().value() + (mfn - first);
      if (frames.m2p(mfn) != gfn) {
        report(
            "%s maps frame 0x%x at 0x%x, the frame says 0x%x",
            domain.id(), mfn, gfn, frames.m2p(mfn));
        return;
      }
      mfn = frames.blockEnd(mfn);
    }
  }

  @FormatMethod
  private void report(String violation, Object... values) {
    violations.add(String.format(violation, values));
  }
}
