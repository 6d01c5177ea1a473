package io.hypercalld.api.hypercall;

import static io.hypercalld.core.errno.Errno.EBUSY;
import static io.hypercalld.core.errno.Errno.EDOM;
import static io.hypercalld.core.errno.Errno.EEXIST;
import static io.hypercalld.core.errno.Errno.EFAULT;
import static io.hypercalld.core.errno.Errno.EINVAL;
import static io.hypercalld.core.errno.Errno.EIO;
import static io.hypercalld.core.errno.Errno.ENFILE;
import static io.hypercalld.core.errno.Errno.ENODEV;
import static io.hypercalld.core.errno.Errno.ENOMEM;
import static io.hypercalld.core.errno.Errno.ENOSPC;
import static io.hypercalld.core.errno.Errno.EOPNOTSUPP;
import static io.hypercalld.core.errno.Errno.EPERM;
import static io.hypercalld.core.errno.Errno.ESRCH;

import io.hypercalld.iommu.hypercall.BindPtIrq;
import io.hypercalld.iommu.hypercall.BindPtMsiIrq;
import io.hypercalld.iommu.hypercall.InterruptCalls;
import io.hypercalld.iommu.hypercall.MapPirq;
import io.hypercalld.iommu.hypercall.UnbindPtIrq;
import io.hypercalld.iommu.hypercall.UnbindPtMsiIrq;
import io.hypercalld.iommu.hypercall.UnmapPirq;
import java.util.List;

/** The hypercalls that concern interrupts of the machine. Immutable. */
public final class InterruptTable {
  private InterruptTable() {}

  /**
   * Of {@code domctl}.
   *
   * @see "xen/include/public/domctl.h"
   */
  public static List<Operation<?>> domctl(InterruptCalls calls) {
    return List.of(
        DomctlTable.versioned(
            Operation.of("domctl", "bind_pt_irq", BindPtIrq.class, calls::bindPtIrq)
                .refusing(ESRCH, EPERM, EINVAL, EBUSY, EOPNOTSUPP, ENOSPC, ENOMEM, EIO)),
        DomctlTable.versioned(
            Operation.of("domctl", "unbind_pt_irq", UnbindPtIrq.class, calls::unbindPtIrq)
                .refusing(ESRCH, EPERM, EINVAL, EOPNOTSUPP, EIO)));
  }

  /**
   * Of {@code dm_op}.
   *
   * @see "spec/documents.md S1-D16"
   */
  public static List<Operation<?>> deviceModel(InterruptCalls calls) {
    return List.of(
        Operation.of("dm_op", "bind_pt_msi_irq", BindPtMsiIrq.class, calls::bindPtMsiIrq)
            .refusing(ESRCH, EPERM, EINVAL, EBUSY, ENOSPC, ENOMEM, EIO),
        Operation.of("dm_op", "unbind_pt_msi_irq", UnbindPtMsiIrq.class, calls::unbindPtMsiIrq)
            .refusing(ESRCH, EPERM, EINVAL, EIO));
  }

  /**
   * Of {@code physdev_op}.
   *
   * @see "xen/include/public/physdev.h"
   */
  public static List<Operation<?>> physdev(InterruptCalls calls) {
    return List.of(
        Operation.of("physdev_op", "map_pirq", MapPirq.class, calls::mapPirq)
            .refusing(
                ESRCH,
                EPERM,
                EINVAL,
                EEXIST,
                EBUSY,
                EDOM,
                EOPNOTSUPP,
                ENOSPC,
                EFAULT,
                ENODEV,
                ENFILE,
                EIO),
        Operation.of("physdev_op", "unmap_pirq", UnmapPirq.class, calls::unmapPirq)
            .refusing(ESRCH, EPERM, EINVAL, EBUSY, EIO));
  }
}
