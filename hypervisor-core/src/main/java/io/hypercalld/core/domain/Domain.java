package io.hypercalld.core.domain;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.FrameAllocator;
import io.hypercalld.core.memory.FrameUse;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.memory.PagingPool;
import io.hypercalld.core.p2m.P2mTable;
import io.hypercalld.core.transaction.Transaction;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/**
 * A virtual machine. Confined to the machine thread.
 *
 * <p>Created and destroyed by its {@link DomainTable}; what other modules keep for it are its
 * facets.
 */
public final class Domain implements Digestible {
  /** Most P2M tables freed between two continuations. */
  private static final int TABLES_PER_STEP = 64;

  private final Relinquishment relinquishment = new Relinquishment();
  private final CallCounters calls = new CallCounters();
  private final List<DomainFacet> facets = new ArrayList<>();
  private final DomainId id;
  private final DomainSettings settings;
  private final FrameAllocator allocator;
  private final Reservation reservation;
  private final RunState run = new RunState();
  private final long sharedInfo;
  private final Optional<Paging> paging;
  private final Optional<PhysicalMap> physicalMap;
  private DomainState state = DomainState.ALIVE;
  private String name = "";
  private String crashReason = "";
  private Optional<Domain> target = Optional.empty();
  private int deviceModels;

  /**
   * A domain without memory or vCPUs, not paused.
   *
   * @throws Refusal ENOMEM; the steps take back what was allocated
   */
  Domain(
      DomainId id,
      DomainSettings settings,
      FrameAllocator allocator,
      Host host,
      Transaction steps) {
    this.id = id;
    this.settings = settings;
    this.allocator = allocator;
    this.reservation = new Reservation(allocator, id.value());
    this.sharedInfo = allocator.allocate(PageSize.SIZE_4K, id.value(), FrameUse.SPECIAL);
    steps.onFailure(() -> allocator.free(sharedInfo));
    if (settings.type().isTranslated()) {
      Paging own = new Paging(allocator, id, settings, host);
      steps.onFailure(
          () -> {
            own.relinquish(Integer.MAX_VALUE);
            own.free();
          });
      this.paging = Optional.of(own);
      this.physicalMap = Optional.of(new PhysicalMap(this, own.p2m(), allocator.frames()));
    } else {
      this.paging = Optional.empty();
      this.physicalMap = Optional.empty();
    }
  }

  public DomainId id() {
    return id;
  }

  /** A name for people; empty where none was given. */
  public String name() {
    return name;
  }

  public void rename(String newName) {
    name = newName;
  }

  public UUID handle() {
    return settings.handle();
  }

  public DomainType type() {
    return settings.type();
  }

  public DomainSettings settings() {
    return settings;
  }

  public DomainState state() {
    return state;
  }

  /** Whether destruction has begun. */
  public boolean isDying() {
    return state != DomainState.ALIVE;
  }

  /** Whether it may do everything, as dom0 may. */
  public boolean isControlDomain() {
    return id.equals(DomainId.DOM0);
  }

  /** Whether the machine's hardware is its own unless given to others. */
  public boolean isHardwareDomain() {
    return id.equals(DomainId.DOM0);
  }

  /** Whether it was created as the xenstore domain. */
  public boolean isXenstoreDomain() {
    return settings.has(DomainFlag.XS_DOMAIN);
  }

  /** Whether {@code set_target} made it the other's device model. */
  public boolean isDeviceModelOf(Domain other) {
    return target.isPresent() && target.get() == other;
  }

  /** The domain whose device model it is. */
  public Optional<Domain> target() {
    return target;
  }

  /**
   * Makes it the device model of another domain, whose struct then stays as long as this one's.
   *
   * @throws Refusal EINVAL where it is one already
   */
  public void serve(Domain other) {
    if (target.isPresent()) {
      throw Refusal.of(Errno.EINVAL, "%s is the device model of %s", id, target.get().id);
    }
    target = Optional.of(other);
    other.deviceModels++;
  }

  /** Whether it was created with hardware-assisted paging. */
  public boolean hasHap() {
    return settings.has(DomainFlag.HAP);
  }

  /** Whether it was created with the IOMMU flag. */
  public boolean hasIommu() {
    return settings.has(DomainFlag.IOMMU);
  }

  /** How often the toolstack paused it without unpausing it. */
  public int controllerPauses() {
    return run.controllerPauses();
  }

  /** Whether the toolstack paused it at least once more than it unpaused it. */
  public boolean isPausedByController() {
    return run.controllerPauses() > 0;
  }

  /** Whether a vCPU of it could run now. */
  public boolean isRunning() {
    return state == DomainState.ALIVE && run.isRunning();
  }

  /**
   * One more pause by the toolstack.
   *
   * @throws Refusal EOVERFLOW
   */
  public void pause() {
    run.pause();
  }

  /**
   * One pause less.
   *
   * @throws Refusal EINVAL where it is not paused
   */
  public void unpause() {
    run.unpause();
  }

  /** Whether it has shut down, for the reason {@link #shutdownCode}. */
  public boolean isShutDown() {
    return run.isShutDown();
  }

  /** A {@link ShutdownReason}'s number, or another one that a guest chose; 255 while it has not. */
  public int shutdownCode() {
    return run.shutdownCode();
  }

  /** Why it crashed, for people; empty where it did not. */
  public String crashReason() {
    return crashReason;
  }

  /** Ends it because of what it did; the first reason to end wins. */
  public void crash(String reason) {
    if (!run.isShutDown()) {
      crashReason = reason;
    }
    run.shutDown(ShutdownReason.CRASH.code());
  }

  /** Ends it for a reason of its own, of 8 bits; the first one wins. */
  public void shutDown(int code) {
    run.shutDown(code);
  }

  /** Takes its end back; no effect where it has not ended. */
  public void resume() {
    crashReason = "";
    run.resume();
  }

  /** Frames charged to it, without those that are not counted. */
  public long totalPages() {
    return reservation.totalPages();
  }

  public long maxPages() {
    return reservation.maxPages();
  }

  public Reservation reservation() {
    return reservation;
  }

  /** The number of vCPUs that it was created for. */
  public int maxVcpus() {
    return settings.maxVcpus();
  }

  /** vCPUs allocated so far. */
  public int vcpus() {
    return run.vcpus();
  }

  /** vCPUs started so far. */
  public int onlineVcpus() {
    return run.onlineVcpus();
  }

  /** Allocates vCPUs up to the number; those that it has stay. */
  public void addVcpus(int count) {
    run.addVcpus(count);
  }

  void start() {
    run.startAll();
  }

  /** The page that it shares with the hypervisor. */
  public Mfn sharedInfo() {
    return new Mfn(sharedInfo);
  }

  /**
   * Its P2M.
   *
   * @throws IllegalStateException for a PV domain, which has none
   */
  public P2mTable p2m() {
    return findP2m().orElseThrow(() -> new IllegalStateException(id + " has no P2M"));
  }

  /** Its P2M, unless it is PV. */
  public Optional<P2mTable> findP2m() {
    return paging.map(Paging::p2m);
  }

  /** Its P2M and the M2P kept together, unless it is PV. */
  public Optional<PhysicalMap> physicalMap() {
    return physicalMap;
  }

  /** The pool of its P2M's tables, unless it is PV. */
  public Optional<PagingPool> pagingPool() {
    return paging.map(Paging::pool);
  }

  public CallCounters calls() {
    return calls;
  }

  /**
   * The facet of the class.
   *
   * @throws IllegalStateException where it has none
   */
  public <F extends DomainFacet> F facet(Class<F> type) {
    return findFacet(type)
        .orElseThrow(() -> new IllegalStateException(id + " has no " + type.getSimpleName()));
  }

  public <F extends DomainFacet> Optional<F> findFacet(Class<F> type) {
    return facets.stream().filter(type::isInstance).map(type::cast).findFirst();
  }

  void attach(DomainFacet facet) {
    facets.add(facet);
  }

  /** From here on it gets nothing any more; no effect where it is dying already. */
  void beginDying() {
    if (state != DomainState.ALIVE) {
      return;
    }
    state = DomainState.DYING;
    reservation.close();
    facets.reversed().forEach(facet -> relinquishment.then(facet::relinquish));
    paging.ifPresent(own -> relinquishment.then(() -> own.relinquish(TABLES_PER_STEP)));
    relinquishment.then(
        () -> {
          allocator.free(sharedInfo);
          return true;
        });
    relinquishment.then(reservation::relinquish);
  }

  /**
   * Gives back some of what it holds: one step of bounded length.
   *
   * @return whether nothing is left; the domain is then dead
   */
  boolean relinquish() {
    if (relinquishment.step()) {
      state = DomainState.DEAD;
    }
    return state == DomainState.DEAD;
  }

  /** Whether it is dead and nobody refers to it any more. */
  boolean isGone() {
    return state == DomainState.DEAD && reservation.totalPages() == 0 && deviceModels == 0;
  }

  /**
   * Gives back what was kept for the dead.
   *
   * @return the domain that it referred to, which may be gone now, too
   */
  Optional<Domain> dissolve() {
    paging.ifPresent(Paging::free);
    Optional<Domain> served = target;
    target = Optional.empty();
    served.ifPresent(other -> other.deviceModels--);
    return served;
  }

  @Override
  public void digest(StateDigest digest) {
    digest
        .section("domain")
        .put(id.value())
        .put(name)
        .put(settings)
        .put(state.name())
        .put(target.isPresent() ? target.get().id.value() : -1)
        .put(deviceModels)
        .put(sharedInfo)
        .put(run)
        .put(relinquishment)
        .put(reservation);
    paging.ifPresent(digest::put);
    facets.forEach(digest::put);
  }
}
