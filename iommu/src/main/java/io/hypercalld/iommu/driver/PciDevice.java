package io.hypercalld.iommu.driver;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.iommu.pci.PciFunction;
import io.hypercalld.iommu.pci.Sbdf;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * A PCI function that the hypervisor knows: whose it is and what may be done with it. Confined to
 * the machine thread.
 *
 * @see "xen/include/xen/pci.h, struct pci_dev"
 */
public final class PciDevice implements Digestible {
  /** What a device is in use for. */
  public enum State {
    DOM0,
    ASSIGNED,
    QUARANTINED,
    HIDDEN,
    BROKEN
  }

  private final PciFunction function;
  private final Optional<UnitDriver> unit;
  private final FaultRate faultRate = new FaultRate();
  DomainId owner = DomainId.DOM0;
  Optional<Sbdf> guestAddress = Optional.empty();
  Optional<QuarantineTable> quarantineTable = Optional.empty();
  Optional<IoContext> ioContext = Optional.empty();
  Optional<PasidView> pasids = Optional.empty();
  boolean quarantined;
  boolean broken;
  boolean msiXPrepared;
  boolean keepsTranslations;

  PciDevice(PciFunction function, Optional<UnitDriver> unit) {
    this.function = function;
    this.unit = unit;
  }

  public Sbdf sbdf() {
    return function.sbdf();
  }

  public PciFunction function() {
    return function;
  }

  /** The unit that translates its requests; empty where no unit covers it. */
  public Optional<UnitDriver> unit() {
    return unit;
  }

  /**
   * The unit that translates its requests.
   *
   * @throws Refusal ENODEV no unit covers it
   */
  UnitDriver requireUnit() {
    return unit.orElseThrow(() -> Refusal.of(Errno.ENODEV, "no remapping unit covers %s", sbdf()));
  }

  /** How fast its requests fault since it last changed hands. */
  public FaultRate faultRate() {
    return faultRate;
  }

  public DomainId owner() {
    return owner;
  }

  /** Where the owning guest sees the device; empty while it has no guest. */
  public Optional<Sbdf> guestAddress() {
    return guestAddress;
  }

  /** Whether the driver has it keep translations by itself. */
  public boolean keepsTranslations() {
    return keepsTranslations;
  }

  /** The pseudo domain id of its private quarantine table; empty while it has none. */
  public Optional<DomainId> quarantineTag() {
    return quarantineTable.map(QuarantineTable::tag);
  }

  /** What its requests go through instead of its owner's own table. */
  public Optional<IoContext> ioContext() {
    return ioContext;
  }

  /** What its requests go through by PASID, instead of its owner's own table alone. */
  public Optional<PasidView> pasids() {
    return pasids;
  }

  /** Whose domain-ids tag what its unit remembers of its requests, while somebody has it. */
  public Set<DomainId> tags() {
    return pasids
        .map(view -> view.tags(owner))
        .or(() -> ioContext.map(context -> Set.of(context.tag())))
        .orElseGet(() -> Set.of(owner));
  }

  /** The domain-id that its requests carry inside its unit; empty where they all fault. */
  public OptionalInt domainId() {
    if (unit.isEmpty() || !unit.get().contextEntry(sbdf().sourceId()).isPresent()) {
      return OptionalInt.empty();
    }
    return OptionalInt.of(unit.get().contextEntry(sbdf().sourceId()).domainId());
  }

  public State state() {
    if (broken) {
      return State.BROKEN;
    }
    if (owner.equals(DomainId.DOM0)) {
      return State.DOM0;
    }
    if (owner.equals(DomainId.IO)) {
      return State.QUARANTINED;
    }
    return owner.equals(DomainId.XEN) ? State.HIDDEN : State.ASSIGNED;
  }

  @Override
  public void digest(StateDigest digest) {
    digest
        .put(sbdf().toString())
        .put(owner.value())
        .put(guestAddress.map(Sbdf::toString).orElse(""))
        .put(quarantined)
        .put(broken)
        .put(msiXPrepared)
        .put(keepsTranslations)
        .put(ioContext.map(context -> context.tag().value()).orElse(-1))
        .put(faultRate);
    quarantineTable.ifPresent(digest::put);
    pasids.ifPresent(view -> view.digest(digest, owner));
  }
}
