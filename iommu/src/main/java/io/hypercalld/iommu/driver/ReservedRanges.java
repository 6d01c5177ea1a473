package io.hypercalld.iommu.driver;

import io.hypercalld.core.hypercall.ReservedDeviceMemory;
import io.hypercalld.core.hypercall.ReservedDeviceMemoryMap.PciDevice;
import io.hypercalld.core.hypercall.ReservedDeviceMemoryMap.Range;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.iommu.pci.Sbdf;
import io.hypercalld.iommu.platform.ReservedRegion;
import java.util.List;
import java.util.stream.Stream;

/**
 * The reserved regions of firmware's tables, as a toolstack asks for them. Immutable.
 *
 * @see "xen/drivers/passthrough/vtd/dmar.c, intel_iommu_get_reserved_device_memory"
 */
record ReservedRanges(List<ReservedRegion> regions) implements ReservedDeviceMemory {
  @Override
  public List<Range> all() {
    return ranges(regions.stream());
  }

  @Override
  public List<Range> of(PciDevice device) {
    return ranges(regions.stream().filter(region -> names(region, device)));
  }

  private static boolean names(ReservedRegion region, PciDevice device) {
    return region.devices().stream().anyMatch(sbdf -> is(sbdf, device));
  }

  private static boolean is(Sbdf sbdf, PciDevice device) {
    int devfn = sbdf.device() << 3 | sbdf.function();
    return sbdf.segment() == device.seg() && sbdf.bus() == device.bus() && devfn == device.devfn();
  }

  private static List<Range> ranges(Stream<ReservedRegion> regions) {
    return regions
        .map(region -> new Range(new Gfn(region.base() >>> PageSize.SHIFT_4K), region.pages()))
        .toList();
  }
}
