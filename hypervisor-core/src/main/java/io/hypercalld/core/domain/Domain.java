package io.hypercalld.core.domain;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.FrameAllocator;
import io.hypercalld.core.notice.Notices;
import io.hypercalld.core.p2m.P2mTable;
import io.hypercalld.core.transaction.Transaction;
import java.util.Optional;

/**
 * A virtual machine. Confined to the machine thread.
 *
 * <p>Created and destroyed by its {@link DomainTable}; what other modules keep for it are its
 * facets.
 */
public final class Domain implements Digestible {
  private final Relinquishment relinquishment = new Relinquishment();
  private final CallCounters calls = new CallCounters();
  private final DomainId id;
  private final DomainSettings settings;
  private final DomainTable domains;
  private final ToolstackNotes notes;
  private final RunState run;
  private final DomainMemory memory;
  private final IoPermissions permissions;
  private final PortMap ports = new PortMap();
  private final LogDirty logDirty;
  private final Optional<P2mTable> p2m;
  private final Optional<MemoryFeatures> features;
  private final Facets facets;
  private DomainState state = DomainState.ALIVE;
  private String name = "";
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
    this.notes = new ToolstackNotes(settings.handle());
    this.run = new RunState(this::started, this::ended, this::tell);
    this.memory = new DomainMemory(this, allocator, domains, steps);
    this.p2m = memory.paging().map(Paging::p2m);
    this.features =
        memory.paging().map(_ -> new MemoryFeatures(this, allocator, domains.sharedFrames()));
    this.permissions = new IoPermissions(id);
    this.logDirty = new LogDirty(this, memory.paging());
    this.facets = new Facets(settings.type());
    p2m.ifPresent(table -> table.announcements().watch(P2mNotice.of(id, domains.notices())));
  }

  /** Where is said what happens to it. */
  public Notices notices() {
    return domains.notices();
  }

  void tell(DomainNotice kind) {
    notices().tell(kind, new DomainNotice.Of(this));
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

  /** Whether a vCPU of it could run now. */
  public boolean isRunning() {
    return state == DomainState.ALIVE && run.isRunning();
  }

  /** Ends it because of what it did; the first reason to end wins. */
  public void crash(String reason) {
    run.crash(reason);
  }

  /** Whether and why its vCPUs run. */
  public RunState run() {
    return run;
  }

  /** Its frames and what they are kept in. */
  public DomainMemory memory() {
    return memory;
  }

  private void started() {
    facets.started();
  }

  private void ended(int code) {
    notes.noteStateChange();
    if (code == ShutdownReason.SUSPEND.code()) {
      notes.suspendPort().ifPresent(facets::suspended);
    }
  }

  /** The frames charged to it. */
  public Reservation reservation() {
    return memory.reservation();
  }

  /**
   * Allocates vCPUs up to the number; those that it has stay.
   *
   * @throws Refusal where somebody who keeps something for each has no more
   */
  public void addVcpus(int count) {
    facets.vcpusAdded(Math.max(run.vcpus(), count));
    run.addVcpus(count);
  }

  /**
   * Its P2M.
   *
   * @throws IllegalStateException for a PV domain, which has none
   */
  public P2mTable p2m() {
    if (p2m.isEmpty()) {
      throw new IllegalStateException(id + " has no P2M");
    }
    return p2m.get();
  }

  /** Its P2M, unless it is PV. */
  public Optional<P2mTable> findP2m() {
    return p2m;
  }

  /** Its P2M and the M2P kept together, unless it is PV. */
  public Optional<PhysicalMap> physicalMap() {
    return memory.physicalMap();
  }

  /**
   * What can be done with its memory besides mapping it.
   *
   * @throws IllegalStateException for a PV domain
   */
  public MemoryFeatures features() {
    return features.orElseThrow(() -> new IllegalStateException(id + " has no P2M"));
  }

  /** Another domain that has a struct. */
  Domain peer(DomainId other) {
    return domains.byId(other);
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
    return facets.find(type);
  }

  /** What other modules keep for it. */
  public Facets facets() {
    return facets;
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

  /** From here on it gets nothing any more; no effect where it is dying already. */
  void beginDying() {
    if (state != DomainState.ALIVE) {
      return;
    }
    state = DomainState.DYING;
    tell(DomainNotice.DYING);
    memory.reservation().close();
    relinquishment.then(memory.grantMappings()::relinquish);
    facets.relinquishBy(relinquishment);
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
    digest.put(facets);
  }
}
