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
import io.hypercalld.iommu.unit.UnitObserver;
import java.util.Optional;

/**
 * The virtual IOMMU that a domain has or may be given: one at most. Confined to the machine thread.
 */
public final class VirtualIommu implements DomainFacet {
  private final Domain domain;
  private final VirtualIommus host;
  private ViommuApi api = ViommuApi.V4;
  private Optional<VirtualUnit> unit = Optional.empty();

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
   * @throws Refusal EINVAL a PV or a dying domain; E2BIG it has one, of v2 EINVAL; ENODEV v3, and
   *     the host allows none; ENOSYS it is to translate
   */
  public void create(VirtualUnitSettings wanted) {
    host.requireAllowed(api);
    if (!domain.type().isTranslated() || domain.isDying()) {
      throw Refusal.of(Errno.EINVAL, "%s can have no virtual IOMMU", domain.id());
    }
    if (unit.isPresent()) {
      throw Refusal.of(api.whenSecond(), "%s has a virtual IOMMU already", domain.id());
    }
    if (wanted.l2()) {
      throw Refusal.of(Errno.ENOSYS, "a virtual IOMMU that translates is not built yet");
    }
    unit =
        Optional.of(
            new VirtualUnit(
                wanted,
                host.silicon(domain, wanted),
                new GuestMessages(domain),
                UnitObserver.NONE));
  }

  /**
   * Takes the guest's unit away.
   *
   * @throws Refusal ENODEV it has none
   */
  public void destroy() {
    requireUnit();
    unit = Optional.empty();
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
    unit = Optional.empty();
    return true;
  }

  @Override
  public void digest(StateDigest digest) {
    digest.section("virtual-iommu").put(api.name()).put(unit.isPresent());
    unit.ifPresent(digest::put);
  }
}
