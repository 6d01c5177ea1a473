package io.hypercalld.api.hypercall;

import static io.hypercalld.core.errno.Errno.E2BIG;
import static io.hypercalld.core.errno.Errno.EADDRINUSE;
import static io.hypercalld.core.errno.Errno.EBUSY;
import static io.hypercalld.core.errno.Errno.EFAULT;
import static io.hypercalld.core.errno.Errno.EINVAL;
import static io.hypercalld.core.errno.Errno.EIO;
import static io.hypercalld.core.errno.Errno.ENODEV;
import static io.hypercalld.core.errno.Errno.ENOENT;
import static io.hypercalld.core.errno.Errno.ENOMEM;
import static io.hypercalld.core.errno.Errno.ENOSPC;
import static io.hypercalld.core.errno.Errno.ENOSYS;
import static io.hypercalld.core.errno.Errno.EPERM;
import static io.hypercalld.core.errno.Errno.ESRCH;

import io.hypercalld.core.domain.DomainTable;
import io.hypercalld.core.hypercall.Continuations;
import io.hypercalld.core.hypercall.Hypercall;
import io.hypercalld.iommu.hypercall.AllocContext;
import io.hypercalld.iommu.hypercall.FreeContext;
import io.hypercalld.iommu.hypercall.IommuCalls;
import io.hypercalld.iommu.hypercall.LookupPage;
import io.hypercalld.iommu.hypercall.MapPages;
import io.hypercalld.iommu.hypercall.PvIommuCalls;
import io.hypercalld.iommu.hypercall.PvIommuOps;
import io.hypercalld.iommu.hypercall.QueryCapabilities;
import io.hypercalld.iommu.hypercall.ReattachDevice;
import io.hypercalld.iommu.hypercall.UnmapPages;
import java.util.List;

/**
 * {@code iommu_op}: domains that map their devices' memory themselves, in the generation that the
 * policy {@code iommuApi} of the caller names. Immutable.
 *
 * @see "spec/documents.md S1-D21, S1-D22"
 */
public final class IommuTable {
  private IommuTable() {}

  private static <A extends Hypercall> Operation<A> op(
      String op, Class<A> arguments, Operation.Execution<A> execution) {
    return Operation.of("iommu_op", op, arguments, execution);
  }

  /** The operations on these domains. */
  public static List<Operation<?>> of(DomainTable domains, Continuations continuations) {
    IommuCalls calls = new IommuCalls(domains);
    PvIommuCalls operations = new PvIommuCalls(domains, continuations);
    return List.of(
        op("query_capabilities", QueryCapabilities.class, calls::queryCapabilities)
            .refusing(ESRCH, EPERM, ENOSYS),
        op("alloc_context", AllocContext.class, calls::allocContext)
            .refusing(ESRCH, EPERM, ENOSYS, ENOSPC, ENOMEM),
        op("free_context", FreeContext.class, calls::freeContext)
            .refusing(ESRCH, EPERM, ENOSYS, EINVAL, EBUSY, EIO),
        op("reattach_device", ReattachDevice.class, calls::reattachDevice)
            .refusing(ESRCH, EPERM, ENOSYS, EINVAL, ENOENT, ENODEV, EBUSY, ENOMEM, EIO),
        op("map_pages", MapPages.class, calls::mapPages)
            .refusing(ESRCH, EPERM, ENOSYS, E2BIG, EINVAL, EADDRINUSE, ENOMEM),
        op("unmap_pages", UnmapPages.class, calls::unmapPages)
            .refusing(ESRCH, EPERM, ENOSYS, E2BIG, EINVAL, ENOENT),
        op("lookup_page", LookupPage.class, calls::lookupPage)
            .refusing(ESRCH, EPERM, ENOSYS, EINVAL, ENOENT),
        op("operations", PvIommuOps.class, operations::operations)
            .refusing(ESRCH, ENOSYS, EPERM, EINVAL, EFAULT));
  }
}
