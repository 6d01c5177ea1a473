package io.hypercalld.iommu.driver;

import io.hypercalld.core.Hypervisor;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.hypercall.DecreaseReservation;
import io.hypercalld.core.hypercall.GuestFrames;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mTable;
import io.hypercalld.core.p2m.P2mType;
import io.hypercalld.core.transaction.Transaction;
import io.hypercalld.iommu.pci.Sbdf;
import io.hypercalld.iommu.platform.ReservedRegion;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.LongStream;

/**
 * The memory that some devices must always reach (RMRR). Confined to the machine thread.
 *
 * @see "xen/drivers/passthrough/vtd/dmar.c"
 */
public final class DeviceRegions implements Digestible {
  private final VtdDriver driver;
  private final Hypervisor hypervisor;
  private final List<ReservedRegion> regions;

  /** Those that firmware names. */
  DeviceRegions(VtdDriver driver, Hypervisor hypervisor, List<ReservedRegion> firmware) {
    this.driver = driver;
    this.hypervisor = hypervisor;
    this.regions = new ArrayList<>(firmware);
  }

  /** The regions that the device must always reach. */
  List<ReservedRegion> of(Sbdf sbdf) {
    return regions.stream().filter(region -> region.devices().contains(sbdf)).toList();
  }

  /**
   * Takes up a region that firmware forgot, for devices that change hands from now on. It may
   * overlap others: who is given both is found out then.
   *
   * @throws Refusal EFAULT it ends before it begins; EIO some of it is RAM; ENODEV a device is not
   *     known
   * @see "Xen's command line option rmrr"
   */
  public void add(ReservedRegion region) {
    if (Long.compareUnsigned(region.base(), region.limit()) > 0) {
      throw Refusal.of(Errno.EFAULT, "a region from 0x%x to 0x%x", region.base(), region.limit());
    }
    boolean used =
        hypervisor.memory().map().usable().stream()
            .anyMatch(ram -> ram.start() <= region.limit() && region.base() < ram.end());
    if (used) {
      throw Refusal.of(
          Errno.EIO, "0x%x-0x%x is not reserved by firmware", region.base(), region.limit());
    }
    region.devices().forEach(driver.inventory()::require);
    regions.add(region);
  }

  /** Gives all of them to the hardware domain, whose RAM there makes way. */
  void provideToHardwareDomain() {
    regions.forEach(this::provideToHardwareDomain);
  }

  private void provideToHardwareDomain(ReservedRegion region) {
    P2mTable p2m = hypervisor.domains().byId(DomainId.DOM0).p2m();
    long first = region.base() >>> PageSize.SHIFT_4K;
    Gfn[] inTheWay =
        LongStream.range(first, first + region.pages())
            .mapToObj(Gfn::new)
            .filter(gfn -> p2m.lookup(gfn).type() == P2mType.RAM_RW)
            .toArray(Gfn[]::new);
    DecreaseReservation makeWay =
        new DecreaseReservation(
            DomainId.DOM0, GuestFrames.of(inTheWay), Optional.empty(), 0, new Word(0));
    hypervisor.memoryCalls().decreaseReservation(DomainId.DOM0, makeWay);
    Transaction.run(
        steps -> {
          driver.iommuOf(DomainId.DOM0).reservedRegions().acquire(steps, region, true);
          return region;
        });
  }

  @Override
  public void digest(StateDigest digest) {
    digest.put(regions.toString());
  }
}
