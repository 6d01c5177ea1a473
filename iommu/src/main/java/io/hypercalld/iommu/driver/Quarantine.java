package io.hypercalld.iommu.driver;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.FrameRun;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.p2m.DmaPermission;
import io.hypercalld.core.transaction.Transaction;
import io.hypercalld.iommu.platform.ReservedRegion;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * Where a device goes between two owners, so that what is still in flight reaches nobody's memory.
 * Confined to the machine thread.
 *
 * <p>{@link Mode#BASIC} leaves it without a context entry: its DMA faults. A device with reserved
 * regions keeps those, through a table of its own that is made when the device is first given away
 * and owns a domain-id of its unit from then on. With {@link Mode#SCRATCH_PAGE} every device gets
 * such a table, through which it also reaches one page that is nobody's: its DMA does not fault.
 *
 * @see "xen/drivers/passthrough/pci.c, iommu_quarantine"
 */
public final class Quarantine implements Digestible {
  /** What becomes of a device that is taken from a guest. */
  public enum Mode {
    /** It goes back to the hardware domain. */
    OFF,
    BASIC,
    SCRATCH_PAGE;

    /** As the policy spells it: {@code scratch-page}. */
    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
  }

  private static final int FIRST_PSEUDO_ID = 0x8000;
  private static final int PSEUDO_IDS = 0x8000;

  private Mode mode;
  private final VtdDriver driver;
  private int cursor;

  Quarantine(Mode mode, VtdDriver driver) {
    this.mode = mode;
    this.driver = driver;
  }

  /** Who owns the device once it has been taken from {@code owner}. */
  DomainId nextOwner(PciDevice device) {
    boolean quarantine = device.quarantined || mode != Mode.OFF;
    return quarantine && !device.owner().equals(DomainId.IO) ? DomainId.IO : DomainId.DOM0;
  }

  /**
   * Gives the device its private table, if it needs one and has none.
   *
   * @throws Refusal ENODEV no unit covers it; ENOSPC no pseudo domain id, EBUSY no domain-id of the
   *     unit, ENOMEM no frame is free
   */
  void prepare(Transaction steps, PciDevice device) {
    List<ReservedRegion> regions = driver.reservedRegionsOf(device.sbdf());
    boolean needed =
        switch (mode) {
          case OFF -> false;
          case BASIC -> !regions.isEmpty();
          case SCRATCH_PAGE -> DeviceContexts.isRequester(device.function());
        };
    if (!needed || device.quarantineTable.isPresent()) {
      return;
    }
    UnitDriver unit = device.requireUnit();
    DomainId tag = pseudoId(unit);
    unit.domainIds().claim(steps, tag);
    QuarantineTable table =
        mode == Mode.BASIC
            ? reservedOnly(steps, tag, regions)
            : scratch(steps, tag, unit.levels(), regions);
    int before = cursor;
    device.quarantineTable = Optional.of(table);
    cursor = tag.value() - FIRST_PSEUDO_ID + 1;
    steps.onFailure(
        () -> {
          device.quarantineTable = Optional.empty();
          cursor = before;
        });
  }

  private QuarantineTable reservedOnly(
      Transaction steps, DomainId tag, List<ReservedRegion> regions) {
    DmaTable table = driver.newTable(tag, DmaPolicy.usual());
    steps.onFailure(table::destroy);
    for (ReservedRegion region : regions) {
      Mfn first = Mfn.containing(region.base());
      FrameRun identity = new FrameRun(first.value(), region.pages());
      table.mapUnseen(identity, first, DmaPermission.READ_WRITE);
    }
    return new QuarantineTable.ReservedOnly(tag, table);
  }

  private QuarantineTable scratch(
      Transaction steps, DomainId tag, int levels, List<ReservedRegion> regions) {
    ScratchTable table = new ScratchTable(steps, driver.memory(), driver.allocator(), tag, levels);
    regions.forEach(table::add);
    return new QuarantineTable.Scratch(tag, table);
  }

  /** Removes what the device wrote during its last stay. */
  void clean(PciDevice device) {
    device.quarantineTable.ifPresent(QuarantineTable::clean);
  }

  /** What becomes of devices that are taken from guests. */
  public Mode mode() {
    return mode;
  }

  /** Has other things become of devices from now on; none may be in quarantine. */
  void choose(Mode other) {
    if (other != mode) {
      driver.devices().all().forEach(this::discard);
      mode = other;
    }
  }

  /** Takes the device's private table back: when no context entry points at it. */
  void discard(PciDevice device) {
    device.quarantineTable.ifPresent(
        quarantine -> {
          quarantine.destroy();
          device.requireUnit().domainIds().forget(quarantine.tag());
          device.quarantineTable = Optional.empty();
        });
  }

  /** What the device's requests go through in quarantine; empty where they all fault. */
  Optional<AddressSpace> addressSpace(PciDevice device) {
    return device.quarantineTable.map(QuarantineTable::addressSpace);
  }

  /** The next pseudo id that the unit does not know; taken in turn, so that none is soon reused. */
  private DomainId pseudoId(UnitDriver unit) {
    for (int i = 0; i < PSEUDO_IDS; i++) {
      DomainId candidate = new DomainId(FIRST_PSEUDO_ID + (cursor + i) % PSEUDO_IDS);
      if (unit.domainIdOf(candidate).isEmpty() && !driver.ioContexts().uses(candidate)) {
        return candidate;
      }
    }
    throw Refusal.of(Errno.ENOSPC, "iommu %d has no pseudo domain id left", unit.index());
  }

  @Override
  public void digest(StateDigest digest) {
    digest.section("quarantine").put(mode.name()).put(cursor);
  }
}
