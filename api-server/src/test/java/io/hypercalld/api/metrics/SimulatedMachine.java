package io.hypercalld.api.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.api.machine.DeviceDma;
import io.hypercalld.api.machine.Machine;
import io.hypercalld.api.platform.PlatformSource;
import io.hypercalld.core.bits.HexBytes;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.hypercall.CreateDomain;
import io.hypercalld.core.hypercall.DestroyDomain;
import io.hypercalld.core.hypercall.GuestFrames;
import io.hypercalld.core.hypercall.Hypercall;
import io.hypercalld.core.hypercall.MaxMem;
import io.hypercalld.core.hypercall.Outcome;
import io.hypercalld.core.hypercall.PopulatePhysmap;
import io.hypercalld.iommu.driver.PciDevice;
import io.hypercalld.iommu.hypercall.AssignDevice;
import io.hypercalld.iommu.hypercall.DeassignDevice;
import io.hypercalld.iommu.pci.Sbdf;
import io.hypercalld.iommu.unit.DmaOutcome;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/** The default machine and a few things that are done to it. */
final class SimulatedMachine implements AutoCloseable {
  static final DomainId GUEST = new DomainId(1);

  private static final long HVM_HAP_IOMMU = 0x23;

  private final Machine machine = new Machine(PlatformSource.named("two-socket").load().platform());

  Machine machine() {
    return machine;
  }

  /** Virtual functions in order of address. */
  List<Sbdf> virtualFunctions() {
    return machine.driver().devices().all().stream()
        .map(PciDevice::function)
        .filter(function -> function.physicalFunction().isPresent())
        .map(function -> function.sbdf())
        .toList();
  }

  Outcome call(Hypercall arguments) {
    return machine.call(DomainId.DOM0, arguments);
  }

  private void mustSucceed(Hypercall arguments) {
    assertThat(call(arguments)).isInstanceOf(Outcome.Success.class);
  }

  void create(DomainId id) {
    mustSucceed(
        new CreateDomain(
            id,
            0,
            new UUID(0, id.value()),
            HVM_HAP_IOMMU,
            0,
            1,
            1023,
            -1,
            -1,
            2,
            new CreateDomain.Altp2m(0, 0),
            0,
            0,
            Optional.of(new CreateDomain.Arch(0x3ff, 0))));
  }

  /** Gives a domain so many extents of 2 MiB from guest frame 0 on. */
  void populate(DomainId id, int extents) {
    mustSucceed(new MaxMem(id, new Word(extents * 2048L)));
    for (int extent = 0; extent < extents; extent++) {
      assertThat(
              call(new PopulatePhysmap(
                      id,
                      GuestFrames.consecutive(new io.hypercalld.core.p2m.Gfn(extent * 512L), 1),
                      Optional.empty(),
                      9,
                      new Word(0)))
                  .ret())
          .isEqualTo(1);
    }
  }

  void destroy(DomainId id) {
    mustSucceed(new DestroyDomain(id));
  }

  void assign(DomainId id, Sbdf device) {
    mustSucceed(new AssignDevice(id, device, 0, 0));
  }

  void deassign(DomainId id, Sbdf device) {
    mustSucceed(new DeassignDevice(id, device, 0, 0));
  }

  DmaOutcome write(Sbdf device, long iova) {
    HexBytes data = new HexBytes(new byte[] {1, 2, 3, 4});
    return machine
        .execute(new DeviceDma(device, new Word(iova), data.length(), Optional.of(data)))
        .outcome();
  }

  @Override
  public void close() {
    machine.close();
  }
}
