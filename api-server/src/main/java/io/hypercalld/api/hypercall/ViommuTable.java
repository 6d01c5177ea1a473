package io.hypercalld.api.hypercall;

import static io.hypercalld.core.errno.Errno.E2BIG;
import static io.hypercalld.core.errno.Errno.EINVAL;
import static io.hypercalld.core.errno.Errno.ENODEV;
import static io.hypercalld.core.errno.Errno.ENOMEM;
import static io.hypercalld.core.errno.Errno.ENOSYS;
import static io.hypercalld.core.errno.Errno.EPERM;
import static io.hypercalld.core.errno.Errno.ESRCH;

import io.hypercalld.iommu.virtual.ViommuCalls;
import io.hypercalld.iommu.virtual.ViommuOp;
import java.util.List;

/** The hypercall that makes virtual IOMMUs. Immutable. */
public final class ViommuTable {
  private ViommuTable() {}

  /**
   * Of {@code domctl}.
   *
   * @see "spec/documents.md S1-D1 to S1-D4"
   */
  public static List<Operation<?>> domctl(ViommuCalls calls) {
    return List.of(
        DomctlTable.versioned(
            Operation.of("domctl", "viommu_op", ViommuOp.class, calls::viommuOp)
                .refusing(ESRCH, EPERM, ENOSYS, ENODEV, EINVAL, E2BIG, ENOMEM)));
  }
}
