package io.hypercalld.iommu.driver;

import static io.hypercalld.core.p2m.DmaPermission.NONE;

import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.dma.DomainDma;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainFacet;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.FrameRun;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.p2m.DmaPermission;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mChange;
import io.hypercalld.core.p2m.P2mObserver;
import io.hypercalld.core.p2m.SyncHook;
import io.hypercalld.core.transaction.Transaction;
import io.hypercalld.iommu.vtd.SecondStageEntry;
import java.util.Optional;
import java.util.Set;

/**
 * What a domain has of the IOMMU: the table its devices go through, kept equal to its P2M. Confined
 * to the machine thread.
 *
 * <p>The table is the P2M itself, where every unit understands it and nobody objected, or a
 * separate one that follows each change of the P2M. A PV domain, which has no P2M, gets a table of
 * its frames with its first device and loses it with the last.
 *
 * @see "xen/include/xen/iommu.h, struct domain_iommu"
 */
public final class DomainIommu implements DomainFacet, P2mObserver {
  private final Domain domain;
  private final VtdDriver driver;
  private final ReservedRegions reservedRegions;
  private final DomainFlushes flushing;
  private final Optional<IdentityMap> identity;
  private DmaPolicy policy;
  private Optional<DmaTable> separate;
  private DeviceWatcher watcher = DeviceWatcher.NONE;
  private boolean tablesGone;

  /**
   * The IOMMU side of a new domain.
   *
   * @throws Refusal as {@link #choose}
   */
  DomainIommu(Domain domain, VtdDriver driver, DmaPolicy policy) {
    this.domain = domain;
    this.driver = driver;
    this.reservedRegions = new ReservedRegions(domain);
    this.policy = policy;
    this.flushing = new DomainFlushes(domain, driver, driver.policies().flush());
    this.identity =
        domain.type().isTranslated()
            ? Optional.empty()
            : Optional.of(new IdentityMap(driver.frames(), domain.id(), driver.profile().hooks()));
    this.separate = newTable(policy);
    domain.findP2m().ifPresent(p2m -> p2m.announcements().setHooks(driver.profile().hooks()));
  }

  private Optional<DmaTable> newTable(DmaPolicy wanted) {
    boolean shared =
        switch (wanted.tables()) {
          case SHARED_WHERE_POSSIBLE -> driver.sharing().isUsual(domain);
          case SEPARATE -> false;
          case SHARED -> {
            driver.sharing().whyNot(domain).ifPresent(DomainIommu::refuseSharing);
            yield true;
          }
        };
    boolean waits = identity.isPresent();
    return shared || waits ? Optional.empty() : Optional.of(driver.newTable(domain.id(), wanted));
  }

  private static void refuseSharing(String reason) {
    throw Refusal.of(Errno.EOPNOTSUPP, "the P2M cannot be shared: %s", reason);
  }

  /**
   * Has the domain's devices translate in another way from now on.
   *
   * @throws Refusal EBUSY something is mapped, or a device is assigned, already; EOPNOTSUPP the P2M
   *     is to be shared and cannot; ENOMEM no frame for a table. Nothing changed
   */
  public void choose(DmaPolicy wanted) {
    boolean mapped =
        domain.findP2m().filter(p2m -> !p2m.isUnmapped(new Gfn(0), Long.MAX_VALUE)).isPresent();
    if (mapped || hasDevices()) {
      throw Refusal.of(Errno.EBUSY, "%s has pages or devices already", domain.id());
    }
    Optional<DmaTable> chosen = newTable(wanted);
    separate.ifPresent(DmaTable::destroy);
    separate = chosen;
    policy = wanted;
  }

  /** How the domain's devices translate. */
  public DmaPolicy policy() {
    return policy;
  }

  /** Whether devices go through the P2M itself. */
  public boolean sharesP2m() {
    return separate.isEmpty() && identity.isEmpty();
  }

  /** The changes that reach a separate table. */
  public Set<SyncHook> hooks() {
    return identity.map(IdentityMap::hooks).orElseGet(() -> domain.p2m().announcements().hooks());
  }

  /** Has only these changes reach a separate table from now on. */
  public void setHooks(Set<SyncHook> on) {
    identity.ifPresent(map -> map.setHooks(on));
    domain.findP2m().ifPresent(p2m -> p2m.announcements().setHooks(on));
  }

  /** What the separate table has cost so far; empty where the P2M is shared. */
  public Optional<TableCounters> tableCounters() {
    return separate.map(DmaTable::counters);
  }

  /** The separate table beside what it follows; empty where there is none. */
  public Optional<Mirror> mirror() {
    return separate.map(table -> new Mirror(domain, table, identity, driver.endOfFrames()));
  }

  /** What units were told to forget on the domain's behalf. */
  public FlushCounters flushes() {
    return flushing.counters();
  }

  /** When units are told of what changed. */
  public DomainFlushes flushing() {
    return flushing;
  }

  /** Has somebody told of devices that come and go from now on. */
  public void watchDevices(DeviceWatcher by) {
    watcher = by;
  }

  DeviceWatcher watcher() {
    return watcher;
  }

  ReservedRegions reservedRegions() {
    return reservedRegions;
  }

  /**
   * Makes sure that there is a table for the domain's first device.
   *
   * @throws Refusal ENOMEM; a table that was begun is taken down
   */
  void provideTable(Transaction steps) {
    if (identity.isEmpty() || separate.isPresent()) {
      return;
    }
    DmaTable table = driver.newTable(domain.id(), policy);
    separate = Optional.of(table);
    steps.onFailure(
        () -> {
          separate = Optional.empty();
          table.destroy();
        });
    identity.get().fill(table, driver.endOfFrames());
  }

  /** Takes down what only devices need, once the last of them is gone. */
  void leftByDevice() {
    if (identity.isPresent() && !hasDevices()) {
      separate.ifPresent(DmaTable::destroy);
      separate = Optional.empty();
    }
  }

  /** What a context entry of one of the domain's devices points at. */
  AddressSpace addressSpace() {
    if (domain.facet(DomainDma.class).isUnchecked()) {
      return AddressSpace.untranslated(domain.id());
    }
    return separate
        .map(table -> new AddressSpace(domain.id(), table.levels(), table::rootFor))
        .orElseGet(() -> new AddressSpace(domain.id(), DmaTable.MOST_LEVELS, this::sharedRoot));
  }

  /** The P2M has four levels; a unit that walks fewer starts at what its first entry leads to. */
  private long sharedRoot(int levels) {
    long table = domain.p2m().root();
    for (int level = DmaTable.MOST_LEVELS; level > levels; level--) {
      long entry = driver.memory().readWord(table);
      if (!SecondStageEntry.isPresent(entry)) {
        throw Refusal.of(
            Errno.ENOMEM, "the P2M of %s has no table for the lowest 512 GiB", domain.id());
      }
      table = SecondStageEntry.target(entry);
    }
    return table;
  }

  /**
   * Follows a change of the P2M. Where that is refused the table is as it was, and a guest, whose
   * devices would see less than it does, is crashed.
   */
  @Override
  public void changed(P2mChange change) {
    FlushSet flush = new FlushSet();
    follow(
        () ->
            separate.ifPresentOrElse(
                table -> mirror(table, flush, change), () -> note(flush, change)));
    flushing.note(flush);
    tell(change);
  }

  @Override
  public void framesGained(FrameRun frames, SyncHook hook) {
    mirrorFrames(frames, hook, DmaPermission.READ_WRITE);
  }

  @Override
  public void framesLost(FrameRun frames, SyncHook hook) {
    mirrorFrames(frames, hook, DmaPermission.NONE);
  }

  private void mirrorFrames(FrameRun frames, SyncHook hook, DmaPermission permission) {
    if (separate.isEmpty() || identity.filter(map -> map.follows(frames, hook)).isEmpty()) {
      return;
    }
    Gfn first = new Gfn(frames.mfn());
    changed(
        new P2mChange(
            first, new Mfn(frames.mfn()), frames.count(), permission, permission == NONE));
  }

  private void tell(P2mChange change) {
    IommuNotice kind = change.permission() == NONE ? IommuNotice.UNMAP : IommuNotice.MAP;
    if (domain.notices().hears(kind)) {
      domain
          .notices()
          .tell(
              kind,
              new IommuNotice.Mapping(
                  domain.id(), change.gfn(), change.frames(), change.permission()));
    }
  }

  private void follow(Runnable change) {
    try {
      change.run();
    } catch (Refusal refusal) {
      if (!domain.isHardwareDomain()) {
        domain.crash("a DMA table cannot follow the P2M: " + refusal.reason());
      }
      throw refusal;
    }
  }

  private void mirror(DmaTable table, FlushSet flush, P2mChange change) {
    FrameRun dfns = new FrameRun(change.gfn().value(), change.frames());
    if (change.permission() == NONE) {
      table.unmap(flush, dfns);
      return;
    }
    if (!table.reaches(dfns.mfn() + dfns.count())) {
      deepen(table);
    }
    table.map(flush, dfns, change.mfn(), change.permission());
  }

  /** Puts a level on top, and has every device of the domain start there. */
  private void deepen(DmaTable table) {
    Transaction.run(
        steps -> {
          table.grow(steps);
          driver
              .devices()
              .ownedBy(domain.id())
              .forEach(device -> driver.contexts().pointAt(steps, device, domain.id()));
          return table;
        });
  }

  private static void note(FlushSet flush, P2mChange change) {
    if (change.replacesMapping()) {
      flush.modified(change.gfn().value(), change.frames());
    } else {
      flush.added(change.gfn().value(), change.frames());
    }
  }

  @Override
  public boolean hasDevices() {
    return !driver.devices().ownedBy(domain.id()).isEmpty();
  }

  /** Takes back one device, then the separate table. */
  @Override
  public boolean relinquish() {
    if (driver.assignment().releaseOne(domain.id())) {
      return false;
    }
    if (!tablesGone) {
      tablesGone = true;
      flushing.flush();
      driver.units().forEach(unit -> unit.domainIds().forget(domain.id()));
      separate.ifPresent(DmaTable::destroy);
    }
    return true;
  }

  @Override
  public void digest(StateDigest digest) {
    digest
        .section("domain-iommu")
        .put(policy.tables().name())
        .put(policy.leafSizes().stream().sorted().toList().toString())
        .put(policy.tableFrames().name())
        .put(sharesP2m())
        .put(tablesGone)
        .put(flushing)
        .put(reservedRegions);
    separate.ifPresent(digest::put);
    identity.ifPresent(digest::put);
  }
}
