package io.hypercalld.iommu.virtual;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainFacet;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.guest.Emulation.Answer;
import io.hypercalld.core.guest.Emulation.Completed;
import io.hypercalld.core.guest.Emulation.MmioAccess;
import io.hypercalld.core.interrupt.DomainInterrupts;
import io.hypercalld.core.interrupt.InterruptRouter;
import io.hypercalld.iommu.driver.DomainIommu;
import io.hypercalld.iommu.driver.PciDevice;
import io.hypercalld.iommu.driver.UnitDriver;
import io.hypercalld.iommu.unit.MemoryRequest;
import io.hypercalld.iommu.unit.UnitObserver;
import io.hypercalld.iommu.unit.UnitSettings;
import io.hypercalld.iommu.vtd.FaultRecord;
import io.hypercalld.iommu.vtd.Invalidation;
import io.hypercalld.iommu.vtd.PasidPrefix;
import java.util.Optional;

/**
 * The virtual IOMMU that a domain has or may be given: one at most. Confined to the machine thread.
 */
public final class VirtualIommu implements DomainFacet {
  private final Domain domain;
  private final VirtualIommus host;
  private ViommuApi api = ViommuApi.V4;
  private Optional<VirtualUnit> unit = Optional.empty();
  private Optional<Shadows> shadows = Optional.empty();
  private Optional<VirtualDevices> virtualDevices = Optional.empty();
  private Optional<VirtualInterrupts> interrupts = Optional.empty();

  VirtualIommu(Domain domain, VirtualIommus host) {
    this.domain = domain;
    this.host = host;
  }

  /** Which generation of the hypercall the domain's toolstack speaks. */
  public ViommuApi api() {
    return api;
  }

  /** Has the toolstack speak another generation from now on. */
  public void choose(ViommuApi generation) {
    api = generation;
  }

  /** The unit that the guest sees. */
  public Optional<VirtualUnit> unit() {
    return unit;
  }

  /**
   * The unit that the guest sees.
   *
   * @throws Refusal ENODEV it sees none
   */
  public VirtualUnit requireUnit() {
    return unit.orElseThrow(() -> Refusal.of(Errno.ENODEV, "%s has no virtual IOMMU", domain.id()));
  }

  /**
   * Gives the guest a unit.
   *
   * @throws Refusal EINVAL a PV, a dying or the hardware domain; E2BIG it has one, of v2 EINVAL;
   *     ENODEV v3, and the host allows none; EOPNOTSUPP it is to translate and the domain was
   *     created without IOMMU, or to nest and a unit of the machine cannot
   */
  public void create(VirtualUnitSettings wanted) {
    create(wanted, host.silicon(wanted));
  }

  /**
   * Gives the guest a unit of given silicon, such as one that a recorded driver has met.
   *
   * @throws Refusal as {@link #create(VirtualUnitSettings)}
   */
  public void create(VirtualUnitSettings wanted, UnitSettings silicon) {
    host.requireAllowed(api);
    if (!domain.type().isTranslated() || domain.isHardwareDomain() || domain.isDying()) {
      throw Refusal.of(Errno.EINVAL, "%s can have no virtual IOMMU", domain.id());
    }
    requireNone();
    if (wanted.l2() && domain.findFacet(DomainIommu.class).isEmpty()) {
      throw Refusal.of(Errno.EOPNOTSUPP, "%s has no IOMMU to shadow with", domain.id());
    }
    if (wanted.l1()) {
      requireNesting();
    }
    VirtualUnit made =
        new VirtualUnit(
            wanted, host.silicon(domain, silicon), new GuestMessages(domain), new Follower());
    unit = Optional.of(made);
    virtualDevices = Optional.of(new VirtualDevices(made.silicon()));
    interrupts = Optional.of(new VirtualInterrupts(made, host.isAsShipped()));
    interrupts.ifPresent(this::routeBy);
    shadows = wanted.l2() ? Optional.of(new Shadows(domain, host, made)) : Optional.empty();
  }

  /** Refuses a second one, E2BIG or what the generation has for it. */
  void requireNone() {
    if (unit.isPresent()) {
      throw Refusal.of(api.whenSecond(), "%s has a virtual IOMMU already", domain.id());
    }
  }

  /** First-level tables of a guest need a second stage, below every device that it has. */
  private void requireNesting() {
    if (host.driver().units().stream().noneMatch(UnitDriver::nests)) {
      throw Refusal.of(
          Errno.EOPNOTSUPP, "no unit of the machine nests: ECAP.SMTS, NEST or SLTS is clear");
    }
    host.driver().devices().ownedBy(domain.id()).forEach(Shadows::requireNesting);
  }

  /** Passes on what the guest has its unit do; shadows there are only once there is a unit. */
  private final class Follower implements UnitObserver {
    @Override
    public void invalidated(Invalidation.OfCaches command) {
      virtualDevices.ifPresent(VirtualDevices::forget);
      if (command instanceof Invalidation.OfInterrupts entries) {
        host.remapped(domain, message -> message.isRemappable() && entries.covers(message.index()));
      }
      shadows.ifPresent(present -> present.invalidated(command));
    }

    @Override
    public void deviceInvalidated(Invalidation.DeviceTranslations command) {
      virtualDevices.ifPresent(VirtualDevices::forget);
      shadows.ifPresent(present -> present.deviceInvalidated(command));
    }

    @Override
    public void settled() {
      shadows.ifPresent(Shadows::settled);
    }

    @Override
    public void commanded() {
      virtualDevices.ifPresent(VirtualDevices::forget);
      host.remapped(domain, _ -> true);
      shadows.ifPresent(Shadows::commanded);
    }
  }

  /**
   * The emulated devices whose requests the unit translates.
   *
   * @throws Refusal ENODEV there is no unit
   */
  public VirtualDevices virtualDevices() {
    requireUnit();
    return virtualDevices.orElseThrow();
  }

  private void routeBy(InterruptRouter router) {
    domain.facet(DomainInterrupts.class).routeBy(router);
  }

  /**
   * The guest's interrupts on their way through the unit.
   *
   * @throws Refusal ENODEV there is no unit
   */
  public VirtualInterrupts interrupts() {
    requireUnit();
    return interrupts.orElseThrow();
  }

  /** How the domain's physical devices follow the guest's tables, where they do. */
  public Optional<ShadowReport> report() {
    return shadows.map(ShadowReport::new);
  }

  /** A physical device's request was blocked by the machine's unit. */
  void faulted(PciDevice device, FaultRecord record) {
    shadows.ifPresent(present -> new GuestFaults(present, requireUnit()).faulted(device, record));
  }

  /**
   * What was wrong with a request of a physical device that passed: it met what the guest has
   * changed and not had forgotten.
   */
  Optional<String> oracle(PciDevice device, PasidPrefix prefix, Word iova, Word maddr) {
    return shadows.flatMap(
        present -> new GuestFaults(present, requireUnit()).oracle(device, prefix, iova, maddr));
  }

  /** What the guest's tables make of a physical device's request; empty where none are in use. */
  Optional<GuestJudgement> judge(PciDevice device, MemoryRequest sent) {
    return shadows
        .filter(Shadows::areInUse)
        .flatMap(present -> present.walks().judge(device, sent));
  }

  /**
   * Takes the guest's unit away.
   *
   * @throws Refusal ENODEV it has none
   */
  public void destroy() {
    requireUnit();
    shadows.ifPresent(Shadows::end);
    shadows = Optional.empty();
    virtualDevices = Optional.empty();
    interrupts = Optional.empty();
    routeBy(InterruptRouter.NONE);
    host.remapped(domain, _ -> true);
    unit = Optional.empty();
  }

  /**
   * The record that goes with the domain when it is saved.
   *
   * @throws Refusal ENODEV there is no unit
   */
  public byte[] save() {
    return new SavedUnit(requireUnit()).encode();
  }

  /**
   * Has the guest's unit go on where a record says that it was.
   *
   * @throws Refusal ENODEV there is no unit; EINVAL the record is none of a unit like this one
   */
  public void load(byte[] record) {
    VirtualUnit present = requireUnit();
    present.load(new SavedUnit(present).decode(record));
  }

  /** The DMAR table that the guest's firmware passes on. */
  public byte[] dmar() {
    return GuestDmar.of(requireUnit());
  }

  /** A guest's access; empty where it is not to the register window. */
  Optional<Answer> access(MmioAccess access) {
    return unit.filter(present -> present.covers(access.gpa()))
        .map(present -> new Completed(access(present, access)));
  }

  private static long access(VirtualUnit present, MmioAccess access) {
    int offset = (int) (access.gpa() - present.settings().base().value());
    var place = new VirtualUnit.RegisterPlace(offset, access.size());
    if (access.writes()) {
      present.write(place, access.data());
      return 0;
    }
    return present.read(place);
  }

  /**
   * What the guest would read.
   *
   * @throws Refusal ENODEV no unit; EINVAL no register's place or size
   */
  public Word readRegister(Word offset, int size) {
    VirtualUnit present = requireUnit();
    return new Word(present.read(present.place(offset, size)));
  }

  /**
   * As if the guest wrote.
   *
   * @throws Refusal as {@link #readRegister}; ERANGE a value of more bytes
   */
  public void writeRegister(Word offset, int size, Word value) {
    VirtualUnit present = requireUnit();
    var place = present.place(offset, size);
    if (size == Integer.BYTES && value.value() >>> Integer.SIZE != 0) {
      throw Refusal.of(Errno.ERANGE, "%s does not fit 4 bytes", value);
    }
    present.write(place, value.value());
  }

  @Override
  public boolean relinquish() {
    if (unit.isPresent()) {
      destroy();
    }
    return true;
  }

  @Override
  public void digest(StateDigest digest) {
    digest.section("virtual-iommu").put(api.name()).put(unit.isPresent());
    unit.ifPresent(digest::put);
    shadows.ifPresent(digest::put);
    virtualDevices.ifPresent(digest::put);
  }
}
