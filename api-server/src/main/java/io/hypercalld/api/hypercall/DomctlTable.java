package io.hypercalld.api.hypercall;

import static io.hypercalld.api.hypercall.Operation.missing;
import static io.hypercalld.core.errno.Errno.E2BIG;
import static io.hypercalld.core.errno.Errno.EADDRINUSE;
import static io.hypercalld.core.errno.Errno.EBADF;
import static io.hypercalld.core.errno.Errno.EBUSY;
import static io.hypercalld.core.errno.Errno.EEXIST;
import static io.hypercalld.core.errno.Errno.EFAULT;
import static io.hypercalld.core.errno.Errno.EINVAL;
import static io.hypercalld.core.errno.Errno.EIO;
import static io.hypercalld.core.errno.Errno.ENODEV;
import static io.hypercalld.core.errno.Errno.ENOMEM;
import static io.hypercalld.core.errno.Errno.EOPNOTSUPP;
import static io.hypercalld.core.errno.Errno.EOVERFLOW;
import static io.hypercalld.core.errno.Errno.EPERM;
import static io.hypercalld.core.errno.Errno.ESRCH;

import io.hypercalld.core.hypercall.CreateDomain;
import io.hypercalld.core.hypercall.DestroyDomain;
import io.hypercalld.core.hypercall.DomainCalls;
import io.hypercalld.core.hypercall.GetPageFrameTypes;
import io.hypercalld.core.hypercall.GetPagingMempoolSize;
import io.hypercalld.core.hypercall.Hypercall;
import io.hypercalld.core.hypercall.MaxMem;
import io.hypercalld.core.hypercall.MaxVcpus;
import io.hypercalld.core.hypercall.PauseDomain;
import io.hypercalld.core.hypercall.QueryDomain;
import io.hypercalld.core.hypercall.SetPagingMempoolSize;
import io.hypercalld.core.hypercall.SetTarget;
import io.hypercalld.core.hypercall.UnpauseDomain;
import io.hypercalld.iommu.hypercall.AssignDevice;
import io.hypercalld.iommu.hypercall.DeassignDevice;
import io.hypercalld.iommu.hypercall.DeviceCalls;
import io.hypercalld.iommu.hypercall.GetDeviceGroup;
import io.hypercalld.iommu.hypercall.TestAssignDevice;
import java.util.List;

/**
 * {@code domctl}: domains, and what is given to them. Immutable.
 *
 * @see "xen/include/public/domctl.h"
 */
public final class DomctlTable {
  private static final String CALL = "domctl";

  private DomctlTable() {}

  private static <A extends Hypercall> Operation<A> op(
      String op, Class<A> arguments, Operation.Execution<A> execution) {
    return Operation.of(CALL, op, arguments, execution).refusing(ESRCH, EPERM);
  }

  /** The operations, carried out by these. */
  public static List<Operation<?>> of(DomainCalls domains, DeviceCalls devices) {
    return List.of(
        op("createdomain", CreateDomain.class, domains::createDomain)
            .refusing(EPERM, EEXIST, EINVAL, EOPNOTSUPP, ESRCH, ENODEV, ENOMEM)
            .partly(),
        op("destroydomain", DestroyDomain.class, domains::destroyDomain)
            .refusing(ESRCH, EPERM, EINVAL),
        op("pausedomain", PauseDomain.class, domains::pauseDomain)
            .refusing(ESRCH, EPERM, EINVAL, EOVERFLOW),
        op("unpausedomain", UnpauseDomain.class, domains::unpauseDomain)
            .refusing(ESRCH, EPERM, EINVAL),
        op("getdomaininfo", QueryDomain.class, domains::queryDomain),
        op("max_mem", MaxMem.class, domains::maxMem),
        op("max_vcpus", MaxVcpus.class, domains::maxVcpus).refusing(ESRCH, EPERM, EINVAL, ENOMEM),
        op("getpageframeinfo", GetPageFrameTypes.class, domains::getPageFrameTypes)
            .refusing(ESRCH, EPERM, E2BIG, EFAULT),
        op("set_target", SetTarget.class, domains::setTarget)
            .refusing(ESRCH, EPERM, EINVAL, EOPNOTSUPP),
        op("get_paging_mempool_size", GetPagingMempoolSize.class, domains::getPagingMempoolSize)
            .refusing(ESRCH, EPERM, EOPNOTSUPP),
        op("set_paging_mempool_size", SetPagingMempoolSize.class, domains::setPagingMempoolSize)
            .refusing(ESRCH, EPERM, EOPNOTSUPP, EINVAL, ENOMEM),
        op("assign_device", AssignDevice.class, devices::assignDevice)
            .refusing(
                ESRCH, EPERM, EOPNOTSUPP, EINVAL, ENODEV, EBUSY, EADDRINUSE, EBADF, ENOMEM, EIO)
            .partly(),
        op("deassign_device", DeassignDevice.class, devices::deassignDevice)
            .refusing(ESRCH, EPERM, EOPNOTSUPP, EINVAL, ENODEV, EIO),
        op("test_assign_device", TestAssignDevice.class, devices::testAssignDevice)
            .refusing(ESRCH, EPERM, EOPNOTSUPP, EINVAL, ENODEV),
        op("get_device_group", GetDeviceGroup.class, devices::getDeviceGroup)
            .refusing(ESRCH, EPERM, ENODEV),
        missing(CALL, "shadow_op"),
        missing(CALL, "bind_pt_irq"),
        missing(CALL, "unbind_pt_irq"),
        missing(CALL, "memory_mapping"),
        missing(CALL, "ioport_mapping"),
        missing(CALL, "iomem_permission"),
        missing(CALL, "ioport_permission"),
        missing(CALL, "irq_permission"),
        missing(CALL, "viommu_op"),
        missing(CALL, "getvcpuinfo"),
        missing(CALL, "setdomainhandle"),
        missing(CALL, "setdebugging"),
        missing(CALL, "resumedomain"),
        missing(CALL, "sendtrigger"),
        missing(CALL, "subscribe"),
        missing(CALL, "set_access_required"),
        missing(CALL, "audit_p2m"),
        missing(CALL, "set_broken_page_p2m"),
        missing(CALL, "soft_reset"),
        missing(CALL, "gsi_permission"),
        missing(CALL, "get_domain_state"));
  }
}
