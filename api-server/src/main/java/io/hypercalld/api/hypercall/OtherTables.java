package io.hypercalld.api.hypercall;

import static io.hypercalld.api.hypercall.Operation.missing;
import static io.hypercalld.core.errno.Errno.EBUSY;
import static io.hypercalld.core.errno.Errno.EINVAL;
import static io.hypercalld.core.errno.Errno.EIO;
import static io.hypercalld.core.errno.Errno.ENODEV;
import static io.hypercalld.core.errno.Errno.ENOMEM;
import static io.hypercalld.core.errno.Errno.EPERM;

import io.hypercalld.iommu.hypercall.DeviceCalls;
import io.hypercalld.iommu.hypercall.PciDeviceAdd;
import io.hypercalld.iommu.hypercall.PciDeviceRemove;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** The hypercalls of which little or nothing is there yet. Immutable. */
public final class OtherTables {
  private OtherTables() {}

  /**
   * {@code physdev_op}.
   *
   * @see "xen/include/public/physdev.h"
   */
  public static List<Operation<?>> physdev(DeviceCalls devices) {
    List<Operation<?>> operations = new ArrayList<>();
    operations.add(
        Operation.of("physdev_op", "pci_device_add", PciDeviceAdd.class, devices::pciDeviceAdd)
            .refusing(EPERM, ENODEV, EINVAL, EBUSY, ENOMEM, EIO));
    operations.add(
        Operation.of(
                "physdev_op", "pci_device_remove", PciDeviceRemove.class, devices::pciDeviceRemove)
            .refusing(EPERM, ENODEV, EINVAL, EBUSY));
    operations.addAll(allMissing("physdev_op", "pci_device_reset", "map_pirq", "unmap_pirq"));
    return operations;
  }

  /** Those of which nothing is there. */
  public static List<List<Operation<?>>> unbuilt() {
    return List.of(
        allMissing(
            "dm_op",
            "create_ioreq_server",
            "get_ioreq_server_info",
            "map_io_range_to_ioreq_server",
            "unmap_io_range_from_ioreq_server",
            "set_ioreq_server_state",
            "destroy_ioreq_server",
            "track_dirty_vram",
            "set_pci_intx_level",
            "set_isa_irq_level",
            "set_pci_link_route",
            "modified_memory",
            "set_mem_type",
            "inject_event",
            "inject_msi",
            "map_mem_type_to_ioreq_server",
            "nr_vcpus",
            "pin_memory_cacheattr",
            "relocate_memory"),
        allMissing("hvm_op", "get_mem_type", "set_param", "get_param"),
        allMissing(
            "event_channel_op", "alloc_unbound", "bind_interdomain", "send", "close", "status"),
        allMissing(
            "iommu_op",
            "query_capabilities",
            "alloc_context",
            "free_context",
            "reattach_device",
            "map_pages",
            "unmap_pages",
            "lookup_page"),
        allMissing(
            "dom0vp_op",
            "phystomach",
            "machtophys",
            "ioremap",
            "zap_physmap",
            "add_physmap",
            "expose_p2m"));
  }

  private static List<Operation<?>> allMissing(String call, String... ops) {
    return Stream.of(ops).<Operation<?>>map(op -> missing(call, op)).toList();
  }
}
