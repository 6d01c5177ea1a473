package io.hypercalld.api.hypercall;

import static io.hypercalld.api.hypercall.Operation.missing;
import static io.hypercalld.core.errno.Errno.EAGAIN;
import static io.hypercalld.core.errno.Errno.EBUSY;
import static io.hypercalld.core.errno.Errno.EINVAL;
import static io.hypercalld.core.errno.Errno.EIO;
import static io.hypercalld.core.errno.Errno.ENODEV;
import static io.hypercalld.core.errno.Errno.ENOMEM;
import static io.hypercalld.core.errno.Errno.ENOSYS;
import static io.hypercalld.core.errno.Errno.EPERM;
import static io.hypercalld.core.errno.Errno.ESRCH;

import io.hypercalld.core.hypercall.AddPhysmap;
import io.hypercalld.core.hypercall.Dom0VpCalls;
import io.hypercalld.core.hypercall.ExposeP2m;
import io.hypercalld.core.hypercall.IoRemap;
import io.hypercalld.core.hypercall.MachToPhys;
import io.hypercalld.core.hypercall.PhysToMach;
import io.hypercalld.core.hypercall.ZapPhysmap;
import io.hypercalld.iommu.hypercall.DeviceCalls;
import io.hypercalld.iommu.hypercall.PciDeviceAdd;
import io.hypercalld.iommu.hypercall.PciDeviceRemove;
import io.hypercalld.iommu.hypercall.PciDeviceReset;
import io.hypercalld.iommu.hypercall.PrepareMsix;
import io.hypercalld.iommu.hypercall.ReleaseMsix;
import java.util.ArrayList;
import java.util.List;

/** The hypercalls that have few operations. Immutable. */
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
    operations.add(
        Operation.of(
                "physdev_op", "pci_device_reset", PciDeviceReset.class, devices::pciDeviceReset)
            .refusing(EPERM, ENODEV, EINVAL));
    operations.add(
        Operation.of("physdev_op", "prepare_msix", PrepareMsix.class, devices::prepareMsix)
            .refusing(EPERM, ENODEV, EINVAL, EBUSY));
    operations.add(
        Operation.of("physdev_op", "release_msix", ReleaseMsix.class, devices::releaseMsix)
            .refusing(EPERM, ENODEV, EINVAL, EBUSY));
    return operations;
  }

  /**
   * {@code dom0vp_op}.
   *
   * @see "spec/documents.md S3-D4; xen/include/public/arch-ia64.h, IA64_DOM0VP_*"
   */
  public static List<Operation<?>> dom0vp(Dom0VpCalls calls) {
    String call = "dom0vp_op";
    return List.of(
        Operation.of(call, "phystomach", PhysToMach.class, calls::physToMach).refusing(ESRCH),
        Operation.of(call, "machtophys", MachToPhys.class, calls::machToPhys).refusing(ESRCH),
        Operation.of(call, "ioremap", IoRemap.class, calls::ioRemap)
            .refusing(ESRCH, EPERM, EINVAL, ENOMEM),
        Operation.of(call, "zap_physmap", ZapPhysmap.class, calls::zapPhysmap)
            .refusing(ESRCH, ENOSYS, EINVAL, ENOMEM),
        Operation.of(call, "add_physmap", AddPhysmap.class, calls::addPhysmap)
            .refusing(ESRCH, EPERM, EINVAL, ENOMEM),
        Operation.of(call, "expose_p2m", ExposeP2m.class, calls::exposeP2m)
            .refusing(ESRCH, EINVAL, ENOSYS, ENOMEM, EAGAIN),
        missing(call, "add_physmap_with_gmfn"),
        missing(call, "add_io_space"),
        missing(call, "expose_foreign_p2m"),
        missing(call, "unexpose_foreign_p2m"),
        missing(call, "get_memmap"));
  }
}
