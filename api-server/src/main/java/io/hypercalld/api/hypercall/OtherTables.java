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
import io.hypercalld.iommu.hypercall.PciDeviceReset;
import io.hypercalld.iommu.hypercall.PrepareMsix;
import io.hypercalld.iommu.hypercall.ReleaseMsix;
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

  /** Those of which nothing is there. */
  public static List<List<Operation<?>>> unbuilt() {
    return List.of(
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
