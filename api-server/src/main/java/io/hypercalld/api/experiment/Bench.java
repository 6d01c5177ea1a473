package io.hypercalld.api.experiment;

import io.hypercalld.api.machine.ComposeDomain;
import io.hypercalld.api.machine.DeviceDma;
import io.hypercalld.api.machine.FaultRule;
import io.hypercalld.api.machine.InjectFault;
import io.hypercalld.api.machine.Machine;
import io.hypercalld.api.machine.MemoryPolicies;
import io.hypercalld.api.platform.PlatformSource;
import io.hypercalld.core.bits.HexBytes;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.domain.DomainType;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.hypercall.Hypercall;
import io.hypercalld.core.hypercall.Outcome;
import io.hypercalld.iommu.driver.DriverPolicies;
import io.hypercalld.iommu.driver.PciDevice;
import io.hypercalld.iommu.driver.UnitDriver;
import io.hypercalld.iommu.hypercall.AssignDevice;
import io.hypercalld.iommu.hypercall.DeassignDevice;
import io.hypercalld.iommu.pci.Sbdf;
import io.hypercalld.iommu.unit.DmaSegment;
import java.util.List;
import java.util.Optional;

/**
 * A machine of an experiment's own for many small guests with devices. Confined to the thread that
 * runs the experiment.
 */
final class Bench implements AutoCloseable {
  private static final long GUEST_BYTES = 16 << 10;
  private static final int DMA_BYTES = 4;

  private final Machine machine;

  Bench(String platform, DriverPolicies policies) {
    this.machine = new Machine(PlatformSource.named(platform).load().platform(), policies);
  }

  Machine machine() {
    return machine;
  }

  List<UnitDriver> units() {
    return machine.driver().units();
  }

  UnitDriver unit(int index) {
    return units().get(index);
  }

  /** The virtual functions behind a unit, in order of address. */
  List<Sbdf> virtualFunctions(int unit) {
    return machine.driver().devices().all().stream()
        .filter(device -> device.function().isVirtual())
        .filter(device -> device.unit().filter(units().get(unit)::equals).isPresent())
        .map(PciDevice::sbdf)
        .toList();
  }

  /** A new guest of four pages. */
  Domain guest() {
    return machine.execute(
        new ComposeDomain(
            Optional.empty(),
            Optional.empty(),
            DomainType.PVH,
            GUEST_BYTES,
            1,
            MemoryPolicies.usual()));
  }

  /** Gives a device to a guest; answers why not where that is refused. */
  Optional<Errno> assign(Domain guest, Sbdf device) {
    return refusal(new AssignDevice(guest.id(), device, 0, 0));
  }

  Optional<Errno> deassign(DomainId owner, Sbdf device) {
    return refusal(new DeassignDevice(owner, device, 0, 0));
  }

  /** Gives a device to a guest, which must work. */
  void give(Domain guest, Sbdf device) {
    assign(guest, device)
        .ifPresent(
            errno -> {
              throw Refusal.of(errno, "the bench cannot give %s to %s", device, guest.id());
            });
  }

  private Optional<Errno> refusal(Hypercall call) {
    return machine.call(DomainId.DOM0, call) instanceof Outcome.Refused refused
        ? Optional.of(refused.errno())
        : Optional.empty();
  }

  void call(Hypercall call) {
    if (machine.call(DomainId.DOM0, call) instanceof Outcome.Refused refused) {
      throw Refusal.of(refused.errno(), "the bench is refused a call: %s", refused.detail());
    }
  }

  /** Where a device's read of an address arrives; empty where it does not. */
  Optional<Word> arrives(Sbdf device, long address) {
    var dma = new DeviceDma(device, new Word(address), DMA_BYTES, Optional.<HexBytes>empty());
    return machine.execute(dma).outcome().segments().getFirst().end()
            instanceof DmaSegment.Moved moved
        ? Optional.of(new Word(moved.maddr()))
        : Optional.empty();
  }

  void inject(FaultRule rule) {
    machine.execute(new InjectFault(rule));
  }

  @Override
  public void close() {
    machine.close();
  }
}
