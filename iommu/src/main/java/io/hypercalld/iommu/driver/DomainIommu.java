package io.hypercalld.iommu.driver;

import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainFacet;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.p2m.P2mChange;
import io.hypercalld.core.p2m.P2mObserver;
import io.hypercalld.iommu.vtd.SecondStageEntry;
import java.util.Optional;

/**
 * What a domain has of the IOMMU: the table its devices go through, kept equal to its P2M. Confined
 * to the machine thread.
 *
 * <p>The table is the P2M itself, where every unit understands it and nobody objected, or a
 * separate one that follows each change of the P2M.
 *
 * @see "xen/include/xen/iommu.h, struct domain_iommu"
 */
public final class DomainIommu implements DomainFacet, P2mObserver {
  private final Domain domain;
  private final VtdDriver driver;
  private final Optional<DmaTable> separate;
  private final ReservedRegions reservedRegions;
  private boolean tablesGone;

  /** The IOMMU side of a new domain; {@code separate} is empty where the P2M is shared. */
  DomainIommu(Domain domain, VtdDriver driver, Optional<DmaTable> separate) {
    this.domain = domain;
    this.driver = driver;
    this.separate = separate;
    this.reservedRegions = new ReservedRegions(domain);
  }

  /** Whether devices go through the P2M itself. */
  public boolean sharesP2m() {
    return separate.isEmpty();
  }

  /** What the separate table has cost so far; empty where the P2M is shared. */
  public Optional<TableCounters> tableCounters() {
    return separate.map(DmaTable::counters);
  }

  ReservedRegions reservedRegions() {
    return reservedRegions;
  }

  /** What a context entry of one of the domain's devices points at. */
  AddressSpace addressSpace() {
    AddressSpace.Root root = separate.isPresent() ? separate.get()::rootFor : this::sharedRoot;
    return new AddressSpace(domain.id(), root);
  }

  /** The P2M has four levels; a unit that walks fewer starts at what its first entry leads to. */
  private long sharedRoot(int levels) {
    long table = domain.p2m().root();
    for (int level = DmaTable.LEVELS; level > levels; level--) {
      long entry = driver.memory().readWord(table);
      if (!SecondStageEntry.isPresent(entry)) {
        throw Refusal.of(
            Errno.ENOMEM, "the P2M of %s has no table for the lowest 512 GiB", domain.id());
      }
      table = SecondStageEntry.target(entry);
    }
    return table;
  }

  @Override
  public void changed(P2mChange change) {
    FlushSet flush = new FlushSet();
    separate.ifPresentOrElse(table -> mirror(table, flush, change), () -> note(flush, change));
    flush(flush);
  }

  private static void mirror(DmaTable table, FlushSet flush, P2mChange change) {
    long dfn = change.gfn().value();
    switch (change.permission()) {
      case NONE -> table.unmap(flush, dfn, change.size());
      case READ, READ_WRITE ->
          table.map(flush, dfn, change.mfn(), change.size(), change.permission());
    }
  }

  private static void note(FlushSet flush, P2mChange change) {
    if (change.replacesMapping()) {
      flush.modified(change.gfn().value(), change.size());
    } else {
      flush.added(change.gfn().value(), change.size());
    }
  }

  /**
   * Tells every unit, then frees what nothing can remember any more. A unit that does not obey
   * leaves the domain with mappings that should be gone: the domain is crashed, and the frames
   * stay.
   */
  private void flush(FlushSet changes) {
    try {
      driver.units().forEach(unit -> unit.flush(domain.id(), changes));
      changes.freed().forEach(driver::freeFrame);
    } catch (Refusal failure) {
      domain.crash("IOTLB flush failed: " + failure.reason());
    }
  }

  /** Takes back one device, then the separate table. */
  @Override
  public boolean relinquish() {
    if (driver.assignment().releaseOne(domain.id())) {
      return false;
    }
    if (!tablesGone) {
      tablesGone = true;
      separate.ifPresent(DmaTable::destroy);
    }
    return true;
  }

  @Override
  public void digest(StateDigest digest) {
    digest.section("domain-iommu").put(sharesP2m()).put(tablesGone).put(reservedRegions);
    separate.ifPresent(digest::put);
  }
}
