package io.hypercalld.api.hypercall;

import static io.hypercalld.api.hypercall.Operation.missing;
import static io.hypercalld.core.errno.Errno.EAGAIN;
import static io.hypercalld.core.errno.Errno.EBUSY;
import static io.hypercalld.core.errno.Errno.EINVAL;
import static io.hypercalld.core.errno.Errno.EIO;
import static io.hypercalld.core.errno.Errno.ENODEV;
import static io.hypercalld.core.errno.Errno.ENOMEM;
import static io.hypercalld.core.errno.Errno.EOPNOTSUPP;
import static io.hypercalld.core.errno.Errno.EPERM;
import static io.hypercalld.core.errno.Errno.ESRCH;

import io.hypercalld.core.hypercall.ControlCalls;
import io.hypercalld.core.hypercall.DeviceModelCalls;
import io.hypercalld.core.hypercall.GetMemType;
import io.hypercalld.core.hypercall.LogDirtyCalls;
import io.hypercalld.core.hypercall.ModifiedMemory;
import io.hypercalld.core.hypercall.NrVcpus;
import io.hypercalld.core.hypercall.RemoteShutdown;
import io.hypercalld.core.hypercall.SetMemType;
import io.hypercalld.core.hypercall.TrackDirtyVram;
import io.hypercalld.iommu.hypercall.DeviceCalls;
import io.hypercalld.iommu.hypercall.PciDeviceAdd;
import io.hypercalld.iommu.hypercall.PciDeviceRemove;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** The hypercalls of which little or nothing is there yet. Immutable. */
public final class OtherTables {
  private static final String DM_OP = "dm_op";

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

  /**
   * What there is of {@code dm_op} and {@code hvm_op}.
   *
   * @see "xen/include/public/hvm/dm_op.h and hvm_op.h"
   */
  public static List<Operation<?>> deviceModel(ControlCalls control) {
    DeviceModelCalls model = control.deviceModel();
    LogDirtyCalls logDirty = control.logDirty();
    return List.of(
        Operation.of(DM_OP, "track_dirty_vram", TrackDirtyVram.class, logDirty::trackDirtyVram)
            .refusing(ESRCH, EPERM, EINVAL),
        Operation.of(DM_OP, "modified_memory", ModifiedMemory.class, logDirty::modifiedMemory)
            .refusing(ESRCH, EPERM, EINVAL),
        Operation.of(DM_OP, "set_mem_type", SetMemType.class, model::setMemType)
            .refusing(ESRCH, EPERM, EINVAL, EOPNOTSUPP, EAGAIN, ENOMEM),
        Operation.of(DM_OP, "nr_vcpus", NrVcpus.class, model::nrVcpus)
            .refusing(ESRCH, EPERM, EINVAL),
        Operation.of(DM_OP, "remote_shutdown", RemoteShutdown.class, model::remoteShutdown)
            .refusing(ESRCH, EPERM, EINVAL),
        Operation.of("hvm_op", "get_mem_type", GetMemType.class, model::getMemType)
            .refusing(ESRCH, EPERM, EINVAL));
  }

  /** Those of which nothing is there. */
  public static List<List<Operation<?>>> unbuilt() {
    return List.of(
        allMissing(
            DM_OP,
            "create_ioreq_server",
            "get_ioreq_server_info",
            "map_io_range_to_ioreq_server",
            "unmap_io_range_from_ioreq_server",
            "set_ioreq_server_state",
            "destroy_ioreq_server",
            "set_pci_intx_level",
            "set_isa_irq_level",
            "set_pci_link_route",
            "inject_event",
            "inject_msi",
            "map_mem_type_to_ioreq_server",
            "pin_memory_cacheattr",
            "relocate_memory"),
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
