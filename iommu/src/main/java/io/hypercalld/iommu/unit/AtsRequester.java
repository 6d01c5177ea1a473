package io.hypercalld.iommu.unit;

import io.hypercalld.core.memory.PageSize;
import io.hypercalld.iommu.pci.SourceId;
import io.hypercalld.iommu.vtd.DmaAccess;
import io.hypercalld.iommu.vtd.PageRequest;
import io.hypercalld.iommu.vtd.PasidPrefix;
import java.util.Optional;

/**
 * How a device with a TLB of its own reaches memory: by a translation that it keeps, or asks the
 * unit for. Confined to the machine thread.
 *
 * <p>What it keeps it uses unasked, until it is told to forget it. A page that it may not use it
 * does not try to use.
 *
 * @see "PCIe Address Translation Services §2"
 */
final class AtsRequester {
  private final RemappingUnit unit;
  private final SourceId device;
  private final Endpoint endpoint;

  AtsRequester(RemappingUnit unit, SourceId device, Endpoint endpoint) {
    this.unit = unit;
    this.device = device;
    this.endpoint = endpoint;
  }

  /** Whether the device would look into its TLB for such a request. */
  static boolean covers(DmaAccess access) {
    return access == DmaAccess.READ || access == DmaAccess.WRITE;
  }

  /**
   * Takes a read or write to its machine address.
   *
   * @param out how the last request ended that the device made for it
   * @return false where the device gave up by itself, since the page is not for it
   */
  boolean reach(PasidPrefix prefix, long iova, DmaAccess access, Translation out) {
    Optional<DeviceTlb.Kept> kept =
        endpoint.tlb().find(prefix, iova).filter(page -> access.isPermittedBy(page.permissions()));
    if (kept.isEmpty()) {
      unit.translate(device, prefix, iova, DmaAccess.TRANSLATION_REQUEST, out);
      if (out.outcome() != Translation.Outcome.MAPPED) {
        // Blocked, or translation is off: the address stands for itself.
        return true;
      }
      kept = keep(prefix, iova, out).filter(page -> access.isPermittedBy(page.permissions()));
    }
    if (kept.isEmpty()) {
      askForPage(prefix, iova, access);
      return false;
    }
    DmaAccess translated =
        access == DmaAccess.WRITE ? DmaAccess.TRANSLATED_WRITE : DmaAccess.TRANSLATED_READ;
    unit.translate(device, PasidPrefix.NONE, kept.get().maddr(iova), translated, out);
    return true;
  }

  private Optional<DeviceTlb.Kept> keep(PasidPrefix prefix, long iova, Translation out) {
    return out.permissions() == 0
        ? Optional.empty()
        : Optional.of(
            endpoint.tlb().keep(prefix, iova, out.maddr(), out.pageSize(), out.permissions()));
  }

  private void askForPage(PasidPrefix prefix, long iova, DmaAccess access) {
    if (endpoint.requestsPages()) {
      boolean writes = access == DmaAccess.WRITE;
      long page = iova & -PageSize.SIZE_4K.bytes();
      unit.requestPage(
          new PageRequest(device, prefix, page, !writes, writes, true, endpoint.nextGroup()));
    }
  }
}
