package io.hypercalld.api.hypercall;

import static io.hypercalld.core.errno.Errno.E2BIG;
import static io.hypercalld.core.errno.Errno.EACCES;
import static io.hypercalld.core.errno.Errno.EAGAIN;
import static io.hypercalld.core.errno.Errno.EBUSY;
import static io.hypercalld.core.errno.Errno.EDOM;
import static io.hypercalld.core.errno.Errno.EEXIST;
import static io.hypercalld.core.errno.Errno.EFAULT;
import static io.hypercalld.core.errno.Errno.EILSEQ;
import static io.hypercalld.core.errno.Errno.EINVAL;
import static io.hypercalld.core.errno.Errno.ENODATA;
import static io.hypercalld.core.errno.Errno.ENOENT;
import static io.hypercalld.core.errno.Errno.ENOMEM;
import static io.hypercalld.core.errno.Errno.ENOSPC;
import static io.hypercalld.core.errno.Errno.ENOSYS;
import static io.hypercalld.core.errno.Errno.ENXIO;
import static io.hypercalld.core.errno.Errno.EOPNOTSUPP;
import static io.hypercalld.core.errno.Errno.EOVERFLOW;
import static io.hypercalld.core.errno.Errno.EPERM;
import static io.hypercalld.core.errno.Errno.ERANGE;
import static io.hypercalld.core.errno.Errno.ESRCH;
import static io.hypercalld.core.errno.Errno.EXDEV;

import io.hypercalld.core.hypercall.ControlCalls;
import io.hypercalld.core.hypercall.DeviceModelCalls;
import io.hypercalld.core.hypercall.FramedDeviceModelOp;
import io.hypercalld.core.hypercall.GetMemType;
import io.hypercalld.core.hypercall.Hypercall;
import io.hypercalld.core.hypercall.LogDirtyCalls;
import io.hypercalld.core.hypercall.ModifiedMemory;
import io.hypercalld.core.hypercall.NrVcpus;
import io.hypercalld.core.hypercall.PinMemoryCacheattr;
import io.hypercalld.core.hypercall.RemoteShutdown;
import io.hypercalld.core.hypercall.SetMemType;
import io.hypercalld.core.hypercall.TrackDirtyVram;
import io.hypercalld.ioreq.DeviceModels;
import io.hypercalld.ioreq.hypercall.CreateIoreqServer;
import io.hypercalld.ioreq.hypercall.DestroyIoreqServer;
import io.hypercalld.ioreq.hypercall.GetIoreqServerInfo;
import io.hypercalld.ioreq.hypercall.InjectEvent;
import io.hypercalld.ioreq.hypercall.InjectMsi;
import io.hypercalld.ioreq.hypercall.InterruptCalls;
import io.hypercalld.ioreq.hypercall.IoServerCalls;
import io.hypercalld.ioreq.hypercall.MapIoRange;
import io.hypercalld.ioreq.hypercall.MapMemType;
import io.hypercalld.ioreq.hypercall.RelocateMemory;
import io.hypercalld.ioreq.hypercall.SetIoreqServerState;
import io.hypercalld.ioreq.hypercall.SetIsaIrqLevel;
import io.hypercalld.ioreq.hypercall.SetPciIntxLevel;
import io.hypercalld.ioreq.hypercall.SetPciLinkRoute;
import io.hypercalld.ioreq.hypercall.UnmapIoRange;
import java.util.ArrayList;
import java.util.List;

/**
 * The operations of {@code dm_op}, and of {@code hvm_op} those on memory types. Immutable.
 *
 * @see "xen/include/public/hvm/dm_op.h and hvm_op.h"
 */
public final class DeviceModelTable {
  private static final String CALL = "dm_op";

  private DeviceModelTable() {}

  /** All of them. */
  public static List<Operation<?>> of(ControlCalls control, DeviceModels models) {
    List<Operation<?>> operations = new ArrayList<>();
    operations.addAll(servers(models.serverCalls()));
    operations.addAll(memory(control, models));
    operations.addAll(interrupts(models.interruptCalls()));
    operations.add(
        op("framed", FramedDeviceModelOp.class, control.deviceModelFrames()::framed)
            .refusing(ENODATA, E2BIG, ESRCH, EPERM, EINVAL, EFAULT, EOPNOTSUPP, ENOSYS)
            .partly("what is well framed is executed by its name only"));
    return operations;
  }

  private static List<Operation<?>> servers(IoServerCalls calls) {
    return List.of(
        op("create_ioreq_server", CreateIoreqServer.class, calls::create)
            .refusing(ESRCH, EPERM, EINVAL, ENOSPC),
        op("get_ioreq_server_info", GetIoreqServerInfo.class, calls::info)
            .refusing(ESRCH, EPERM, EINVAL, ENOENT, ENOMEM),
        op("map_io_range_to_ioreq_server", MapIoRange.class, calls::map)
            .refusing(ESRCH, EPERM, EINVAL, ENOENT, EEXIST, ENOMEM),
        op("unmap_io_range_from_ioreq_server", UnmapIoRange.class, calls::unmap)
            .refusing(ESRCH, EPERM, EINVAL, ENOENT, ENOMEM),
        op("set_ioreq_server_state", SetIoreqServerState.class, calls::setState)
            .refusing(ESRCH, EPERM, EINVAL, ENOENT),
        op("destroy_ioreq_server", DestroyIoreqServer.class, calls::destroy)
            .refusing(ESRCH, EPERM, EINVAL, ENOENT));
  }

  private static List<Operation<?>> memory(ControlCalls control, DeviceModels models) {
    DeviceModelCalls model = control.deviceModel();
    LogDirtyCalls logDirty = control.logDirty();
    return List.of(
        op("map_mem_type_to_ioreq_server", MapMemType.class, models.memoryTypeCalls()::map)
            .refusing(ESRCH, EPERM, EINVAL, EOPNOTSUPP, ENOENT, EBUSY, ENOMEM),
        op("set_mem_type", SetMemType.class, model::setMemType)
            .refusing(ESRCH, EPERM, EINVAL, EOPNOTSUPP, EAGAIN, ENOMEM),
        op("pin_memory_cacheattr", PinMemoryCacheattr.class, model::pinMemoryCacheattr)
            .refusing(ESRCH, EPERM, EINVAL, ENOENT, EBUSY, ENOSPC),
        op("relocate_memory", RelocateMemory.class, models.relocationCalls()::relocate)
            .refusing(
                ESRCH, EPERM, EINVAL, EACCES, EXDEV, ENOENT, ENXIO, EILSEQ, EOVERFLOW, EDOM,
                ENOMEM),
        op("track_dirty_vram", TrackDirtyVram.class, logDirty::trackDirtyVram)
            .refusing(ESRCH, EPERM, EINVAL),
        op("modified_memory", ModifiedMemory.class, logDirty::modifiedMemory)
            .refusing(ESRCH, EPERM, EINVAL),
        op("nr_vcpus", NrVcpus.class, model::nrVcpus).refusing(ESRCH, EPERM, EINVAL),
        op("remote_shutdown", RemoteShutdown.class, model::remoteShutdown)
            .refusing(ESRCH, EPERM, EINVAL),
        Operation.of("hvm_op", "get_mem_type", GetMemType.class, model::getMemType)
            .refusing(ESRCH, EPERM, EINVAL));
  }

  private static List<Operation<?>> interrupts(InterruptCalls calls) {
    return List.of(
        op("set_pci_intx_level", SetPciIntxLevel.class, calls::setPciIntxLevel)
            .refusing(ESRCH, EPERM, EINVAL),
        op("set_isa_irq_level", SetIsaIrqLevel.class, calls::setIsaIrqLevel)
            .refusing(ESRCH, EPERM, EINVAL),
        op("set_pci_link_route", SetPciLinkRoute.class, calls::setPciLinkRoute)
            .refusing(ESRCH, EPERM, EINVAL),
        op("inject_event", InjectEvent.class, calls::injectEvent)
            .refusing(ESRCH, EPERM, EINVAL, EBUSY),
        op("inject_msi", InjectMsi.class, calls::injectMsi)
            .refusing(ESRCH, EPERM, EINVAL, ERANGE, EBUSY));
  }

  private static <A extends Hypercall> Operation<A> op(
      String op, Class<A> arguments, Operation.Execution<A> execution) {
    return Operation.of(CALL, op, arguments, execution);
  }
}
