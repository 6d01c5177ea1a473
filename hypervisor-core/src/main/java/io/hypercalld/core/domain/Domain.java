package io.hypercalld.core.domain;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.FrameAllocator;
import io.hypercalld.core.memory.FrameRun;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.memory.PagingPool;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mTable;
import io.hypercalld.core.p2m.P2mType;
import io.hypercalld.core.p2m.SyncHook;
import io.hypercalld.core.transaction.Transaction;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Stream;

/**
 * A virtual machine. Confined to the machine thread.
 *
 * <p>Created and destroyed by its {@link DomainTable}; what other modules keep for it are its
 * facets.
 */
public final class Domain implements Digestible {
  private final Relinquishment relinquishment = new Relinquishment();
  private final CallCounters calls = new CallCounters();
  private final List<DomainFacet> facets = new ArrayList<>();
  private final DomainId id;
  private final DomainSettings settings;
  private final DomainTable domains;
  private final RunState run = new RunState();
  private final DomainMemory memory;
  private final IoPermissions permissions;
  private final PortMap ports = new PortMap();
  private final ToolstackNotes notes;
  private final LogDirty logDirty;
  private final Optional<MemoryFeatures> features;
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
      DomainTable domains,
      Transaction steps) {
    this.id = id;
    this.settings = settings;
    this.domains = domains;
    this.memory = new DomainMemory(this, allocator, domains, steps);
    this.features =
        memory.paging().map(_ -> new MemoryFeatures(this, allocator, domains.sharedFrames()));
    this.permissions = new IoPermissions(id);
    this.notes = new ToolstackNotes(settings.handle());
    this.logDirty = new LogDirty(this, memory.paging());
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
    return notes.handle();
  }

  /** What is kept about it for the tools that manage it. */
  public ToolstackNotes notes() {
    return notes;
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
    shutDown(ShutdownReason.CRASH.code());
  }

  /** Ends it for a reason of its own, of 8 bits; the first one wins. */
  public void shutDown(int code) {
    if (!run.isShutDown()) {
      run.shutDown(code);
      notes.noteStateChange();
    }
  }

  /** Takes its end back; no effect where it has not ended. */
  public void resume() {
    crashReason = "";
    run.resume();
  }

  /** Frames charged to it, without those that are not counted. */
  public long totalPages() {
    return memory.reservation().totalPages();
  }

  public long maxPages() {
    return memory.reservation().maxPages();
  }

  public Reservation reservation() {
    return memory.reservation();
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

  /**
   * Allocates vCPUs up to the number; those that it has stay.
   *
   * @throws Refusal where somebody who keeps something for each has no more
   */
  public void addVcpus(int count) {
    facets.forEach(facet -> facet.vcpusAdded(Math.max(run.vcpus(), count)));
    run.addVcpus(count);
  }

  /** Keeps a vCPU from running until an event is answered; counted. */
  public void pauseVcpu(int vcpu) {
    run.pauseVcpu(vcpu);
  }

  /** Takes one pause of the vCPU back; no effect where there is none. */
  public void unpauseVcpu(int vcpu) {
    run.unpauseVcpu(vcpu);
  }

  /** Whether an event that is not answered yet keeps the vCPU from running. */
  public boolean isVcpuPaused(int vcpu) {
    return run.isVcpuPaused(vcpu);
  }

  void start() {
    run.startAll();
  }

  /** The page that it shares with the hypervisor. */
  public Mfn sharedInfo() {
    return memory.sharedInfo();
  }

  /** The pages that the hypervisor made for it. */
  public SpecialPages specialPages() {
    return memory.specialPages();
  }

  /** What it grants to others. */
  public GrantTable grantTable() {
    return memory.grantTable();
  }

  /** What it has mapped of others' grants. */
  public GrantMappings grantMappings() {
    return memory.grantMappings();
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
    return memory.paging().map(Paging::p2m);
  }

  /** Its P2M and the M2P kept together, unless it is PV. */
  public Optional<PhysicalMap> physicalMap() {
    return memory.physicalMap();
  }

  /** Its guest frames that are populated when they are touched. It is to have a P2M. */
  public PopulateOnDemand populateOnDemand() {
    return features().populateOnDemand();
  }

  /** Its pages that a pager keeps. It is to have a P2M. */
  public MemoryPaging memoryPaging() {
    return features().paging();
  }

  /** What a monitor restricts. It is to have a P2M. */
  public MemoryAccess memoryAccess() {
    return features().access();
  }

  /** Its event rings. It is to have a P2M. */
  public VmEvents vmEvents() {
    return features().events();
  }

  /** Its part in shared frames. It is to have a P2M. */
  public MemorySharing sharing() {
    return features().sharing();
  }

  private MemoryFeatures features() {
    return features.orElseThrow(() -> new IllegalStateException(id + " has no P2M"));
  }

  /** Another domain that has a struct. */
  Domain peer(DomainId other) {
    return domains.byId(other);
  }

  /** The pool of its P2M's tables, unless it is PV. */
  public Optional<PagingPool> pagingPool() {
    return memory.paging().map(Paging::pool);
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

  /** Tells that the device model chose another type for a page. */
  public void retyped(Gfn gfn, P2mType type) {
    facets.forEach(facet -> facet.retyped(gfn, type));
  }

  /** Frames to which what other modules keep for it refers, once for each reference. */
  public Stream<Mfn> referencedFrames() {
    return facets.stream().flatMap(DomainFacet::referencedFrames);
  }

  /** Whether devices reach its memory by themselves. */
  public boolean hasDevices() {
    return facets.stream().anyMatch(DomainFacet::hasDevices);
  }

  /** Whether it was granted memory or ports of devices. */
  public boolean hasIoCapabilities() {
    return permissions.any();
  }

  /** Which of the machine's device memory, ports and interrupts it may have. */
  public IoPermissions ioPermissions() {
    return permissions;
  }

  /** The machine's ports as it sees them. */
  public PortMap portMap() {
    return ports;
  }

  /** Which of its pages were written, where somebody wants to know. */
  public LogDirty logDirty() {
    return logDirty;
  }

  /**
   * Why no device may be given to it, as a device cannot fault its pages in; empty where one may.
   */
  public Optional<String> deviceVeto() {
    return logDirty.isEnabled()
        ? Optional.of("its dirty pages are logged")
        : features.flatMap(MemoryFeatures::deviceVeto);
  }

  /**
   * Tells of frames that became a PV domain's to write.
   *
   * @throws Refusal where somebody cannot follow; the frames are to be taken back
   */
  public void gained(FrameRun frames, SyncHook hook) {
    if (!type().isTranslated()) {
      facets.forEach(facet -> facet.framesGained(frames, hook));
    }
  }

  /** Tells of frames that are about to cease to be a PV domain's to write. */
  public void losing(FrameRun frames, SyncHook hook) {
    if (!type().isTranslated()) {
      facets.forEach(facet -> facet.framesLost(frames, hook));
    }
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
    memory.reservation().close();
    relinquishment.then(memory.grantMappings()::relinquish);
    facets.reversed().forEach(facet -> relinquishment.then(facet::relinquish));
    features.ifPresent(own -> relinquishment.then(own::relinquish));
    memory.relinquishBy(relinquishment);
  }

  /**
   * Gives back some of what it holds: one step of bounded length.
   *
   * @return whether nothing is left; the domain is then dead
   */
  boolean relinquish() {
    if (state != DomainState.DEAD && relinquishment.step()) {
      state = DomainState.DEAD;
      notes.noteStateChange();
    }
    return state == DomainState.DEAD;
  }

  /** Whether it is dead and nobody refers to it any more. */
  boolean isGone() {
    return state == DomainState.DEAD && !memory.isHeld() && deviceModels == 0;
  }

  /** Frees a frame of its own to which nobody refers any more. */
  void freed(Mfn frame) {
    memory.freed(frame);
  }

  /**
   * Gives back what was kept for the dead.
   *
   * @return the domain that it referred to, which may be gone now, too
   */
  Optional<Domain> dissolve() {
    memory.paging().ifPresent(Paging::free);
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
        .put(run)
        .put(relinquishment)
        .put(memory)
        .put(permissions)
        .put(ports)
        .put(notes)
        .put(logDirty);
    features.ifPresent(digest::put);
    facets.forEach(digest::put);
  }
}
