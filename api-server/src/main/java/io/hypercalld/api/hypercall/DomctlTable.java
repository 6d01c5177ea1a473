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
import static io.hypercalld.core.errno.Errno.ENOENT;
import static io.hypercalld.core.errno.Errno.ENOMEM;
import static io.hypercalld.core.errno.Errno.ENOSPC;
import static io.hypercalld.core.errno.Errno.ENOSYS;
import static io.hypercalld.core.errno.Errno.EOPNOTSUPP;
import static io.hypercalld.core.errno.Errno.EOVERFLOW;
import static io.hypercalld.core.errno.Errno.EPERM;
import static io.hypercalld.core.errno.Errno.ESRCH;
import static io.hypercalld.core.errno.Errno.EXDEV;

import io.hypercalld.core.Hypervisor;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.hypercall.AuditP2m;
import io.hypercalld.core.hypercall.ControlCalls;
import io.hypercalld.core.hypercall.CreateDomain;
import io.hypercalld.core.hypercall.DestroyDomain;
import io.hypercalld.core.hypercall.DomainCalls;
import io.hypercalld.core.hypercall.GetDomainState;
import io.hypercalld.core.hypercall.GetPageFrameTypes;
import io.hypercalld.core.hypercall.GetPagingMempoolSize;
import io.hypercalld.core.hypercall.GetVcpuInfo;
import io.hypercalld.core.hypercall.GsiPermission;
import io.hypercalld.core.hypercall.Hypercall;
import io.hypercalld.core.hypercall.IoCapabilityCalls;
import io.hypercalld.core.hypercall.IomemPermission;
import io.hypercalld.core.hypercall.IoportMapping;
import io.hypercalld.core.hypercall.IoportPermission;
import io.hypercalld.core.hypercall.IrqPermission;
import io.hypercalld.core.hypercall.LifecycleCalls;
import io.hypercalld.core.hypercall.MaxMem;
import io.hypercalld.core.hypercall.MaxVcpus;
import io.hypercalld.core.hypercall.MemoryMapping;
import io.hypercalld.core.hypercall.PauseDomain;
import io.hypercalld.core.hypercall.QueryDomain;
import io.hypercalld.core.hypercall.ResumeDomain;
import io.hypercalld.core.hypercall.SendTrigger;
import io.hypercalld.core.hypercall.SetBrokenPageP2m;
import io.hypercalld.core.hypercall.SetDebugging;
import io.hypercalld.core.hypercall.SetDomainHandle;
import io.hypercalld.core.hypercall.SetPagingMempoolSize;
import io.hypercalld.core.hypercall.SetTarget;
import io.hypercalld.core.hypercall.ShadowOp;
import io.hypercalld.core.hypercall.Subscribe;
import io.hypercalld.core.hypercall.UnpauseDomain;
import io.hypercalld.iommu.hypercall.AssignDevice;
import io.hypercalld.iommu.hypercall.DeassignDevice;
import io.hypercalld.iommu.hypercall.DeviceCalls;
import io.hypercalld.iommu.hypercall.GetDeviceGroup;
import io.hypercalld.iommu.hypercall.TestAssignDevice;
import java.util.ArrayList;
import java.util.List;

/**
 * {@code domctl}: domains, and what is given to them. Immutable.
 *
 * @see "xen/include/public/domctl.h"
 */
public final class DomctlTable {
  private static final String CALL = "domctl";

  /** {@code XEN_DOMCTL_INTERFACE_VERSION}. */
  private static final Word VERSION = new Word(0x18);

  /** The version of those that will not change any more. */
  private static final Word STABLE_VERSION = new Word(0);

  private DomctlTable() {}

  private static <A extends Hypercall> Operation<A> op(
      String op, Class<A> arguments, Operation.Execution<A> execution) {
    return Operation.of(CALL, op, arguments, execution).refusing(ESRCH, EPERM);
  }

  /** The operations, carried out by these. */
  public static List<Operation<?>> of(Hypervisor hypervisor, DeviceCalls devices) {
    ControlCalls control = hypervisor.controlCalls();
    List<Operation<?>> operations = new ArrayList<>();
    of(hypervisor.domainCalls(), devices).forEach(one -> operations.add(versioned(one)));
    lifecycle(control.lifecycle()).forEach(one -> operations.add(versioned(one)));
    pages(control).forEach(one -> operations.add(versioned(one)));
    capabilities(control.ioCapabilities()).forEach(one -> operations.add(versioned(one)));
    operations.add(
        op("get_domain_state", GetDomainState.class, control.lifecycle()::getDomainState)
            .refusing(ESRCH, EPERM, EINVAL, ENOENT)
            .partly("nobody is told of a change by VIRQ_DOM_EXC")
            .versioned(STABLE_VERSION));
    return operations;
  }

  // What is not there is said to be so, whatever it is given.
  static Operation<?> versioned(Operation<?> operation) {
    return operation.level() == Level.NONE ? operation : operation.versioned(VERSION);
  }

  private static List<Operation<?>> lifecycle(LifecycleCalls calls) {
    return List.of(
        op("resumedomain", ResumeDomain.class, calls::resumeDomain).refusing(ESRCH, EPERM, EINVAL),
        op("setdomainhandle", SetDomainHandle.class, calls::setDomainHandle),
        op("setdebugging", SetDebugging.class, calls::setDebugging).refusing(ESRCH, EPERM, EINVAL),
        op("subscribe", Subscribe.class, calls::subscribe),
        op("sendtrigger", SendTrigger.class, calls::sendTrigger)
            .refusing(ESRCH, EPERM, EINVAL, ENOSYS)
            .partly("no vCPU takes the interrupt and no guest sees the button"),
        op("getvcpuinfo", GetVcpuInfo.class, calls::getVcpuInfo).refusing(ESRCH, EPERM, ENOENT));
  }

  private static List<Operation<?>> pages(ControlCalls calls) {
    return List.of(
        op("getpageframeinfo", GetPageFrameTypes.class, calls.pages()::getPageFrameTypes)
            .refusing(ESRCH, EPERM, E2BIG, EFAULT),
        op("set_broken_page_p2m", SetBrokenPageP2m.class, calls.pages()::setBrokenPage)
            .refusing(ESRCH, EPERM, EINVAL, ENOMEM),
        op("audit_p2m", AuditP2m.class, calls.pages()::auditP2m).refusing(ESRCH, EPERM, EINVAL),
        op("shadow_op", ShadowOp.class, calls.logDirty()::shadowOp)
            .refusing(ESRCH, EPERM, EINVAL, EBUSY, EOPNOTSUPP, ENOMEM));
  }

  private static List<Operation<?>> capabilities(IoCapabilityCalls calls) {
    return List.of(
        op("iomem_permission", IomemPermission.class, calls::iomemPermission)
            .refusing(ESRCH, EPERM, EINVAL),
        op("ioport_permission", IoportPermission.class, calls::ioportPermission)
            .refusing(ESRCH, EPERM, EINVAL),
        op("irq_permission", IrqPermission.class, calls::irqPermission)
            .refusing(ESRCH, EPERM, EINVAL),
        op("gsi_permission", GsiPermission.class, calls::gsiPermission)
            .refusing(ESRCH, EPERM, EINVAL),
        op("memory_mapping", MemoryMapping.class, calls::memoryMapping)
            .refusing(ESRCH, EPERM, EINVAL, ENOMEM),
        op("ioport_mapping", IoportMapping.class, calls::ioportMapping)
            .refusing(ESRCH, EPERM, EOPNOTSUPP, EINVAL, EBUSY, ENOENT));
  }

  private static List<Operation<?>> of(DomainCalls domains, DeviceCalls devices) {
    return List.of(
        op("createdomain", CreateDomain.class, domains::createDomain)
            .refusing(EPERM, EEXIST, EINVAL, EOPNOTSUPP, ESRCH, ENODEV, ENOMEM),
        op("destroydomain", DestroyDomain.class, domains::destroyDomain)
            .refusing(ESRCH, EPERM, EINVAL),
        op("pausedomain", PauseDomain.class, domains::pauseDomain)
            .refusing(ESRCH, EPERM, EINVAL, EOVERFLOW),
        op("unpausedomain", UnpauseDomain.class, domains::unpauseDomain)
            .refusing(ESRCH, EPERM, EINVAL),
        op("getdomaininfo", QueryDomain.class, domains::queryDomain),
        op("max_mem", MaxMem.class, domains::maxMem),
        op("max_vcpus", MaxVcpus.class, domains::maxVcpus).refusing(ESRCH, EPERM, EINVAL, ENOMEM),
        op("set_target", SetTarget.class, domains::setTarget)
            .refusing(ESRCH, EPERM, EINVAL, EOPNOTSUPP),
        op("get_paging_mempool_size", GetPagingMempoolSize.class, domains::getPagingMempoolSize)
            .refusing(ESRCH, EPERM, EOPNOTSUPP),
        op("set_paging_mempool_size", SetPagingMempoolSize.class, domains::setPagingMempoolSize)
            .refusing(ESRCH, EPERM, EOPNOTSUPP, EINVAL, ENOMEM),
        op("assign_device", AssignDevice.class, devices::assignDevice)
            .refusing(
                ESRCH,
                EPERM,
                EOPNOTSUPP,
                ENOSYS,
                EINVAL,
                ENODEV,
                EBUSY,
                EXDEV,
                EADDRINUSE,
                EBADF,
                ENOMEM,
                ENOSPC,
                EIO),
        op("deassign_device", DeassignDevice.class, devices::deassignDevice)
            .refusing(ESRCH, EPERM, EOPNOTSUPP, ENOSYS, EINVAL, ENODEV, EIO),
        op("test_assign_device", TestAssignDevice.class, devices::testAssignDevice)
            .refusing(ESRCH, EPERM, EOPNOTSUPP, ENOSYS, EINVAL, ENODEV),
        op("get_device_group", GetDeviceGroup.class, devices::getDeviceGroup)
            .refusing(ESRCH, EPERM, EINVAL, ENODEV, EFAULT),
        missing(CALL, "soft_reset"));
  }
}
