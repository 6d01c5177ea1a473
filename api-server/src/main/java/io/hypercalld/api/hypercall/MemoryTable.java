package io.hypercalld.api.hypercall;

import static io.hypercalld.api.hypercall.Operation.missing;
import static io.hypercalld.core.errno.Errno.EACCES;
import static io.hypercalld.core.errno.Errno.EBUSY;
import static io.hypercalld.core.errno.Errno.EDOM;
import static io.hypercalld.core.errno.Errno.EFAULT;
import static io.hypercalld.core.errno.Errno.EILSEQ;
import static io.hypercalld.core.errno.Errno.EINVAL;
import static io.hypercalld.core.errno.Errno.EIO;
import static io.hypercalld.core.errno.Errno.ENOBUFS;
import static io.hypercalld.core.errno.Errno.ENOENT;
import static io.hypercalld.core.errno.Errno.ENOMEM;
import static io.hypercalld.core.errno.Errno.ENOSYS;
import static io.hypercalld.core.errno.Errno.ENXIO;
import static io.hypercalld.core.errno.Errno.EOPNOTSUPP;
import static io.hypercalld.core.errno.Errno.EOVERFLOW;
import static io.hypercalld.core.errno.Errno.EPERM;
import static io.hypercalld.core.errno.Errno.ESRCH;
import static io.hypercalld.core.errno.Errno.EXDEV;

import io.hypercalld.core.hypercall.AcquireResource;
import io.hypercalld.core.hypercall.AddToPhysmap;
import io.hypercalld.core.hypercall.AddToPhysmapBatch;
import io.hypercalld.core.hypercall.ClaimPages;
import io.hypercalld.core.hypercall.CurrentReservation;
import io.hypercalld.core.hypercall.DecreaseReservation;
import io.hypercalld.core.hypercall.Exchange;
import io.hypercalld.core.hypercall.GetVnumaInfo;
import io.hypercalld.core.hypercall.Hypercall;
import io.hypercalld.core.hypercall.IncreaseReservation;
import io.hypercalld.core.hypercall.MachineMemoryMap;
import io.hypercalld.core.hypercall.MachphysCompatMfnList;
import io.hypercalld.core.hypercall.MachphysMapping;
import io.hypercalld.core.hypercall.MaximumGpfn;
import io.hypercalld.core.hypercall.MaximumRamPage;
import io.hypercalld.core.hypercall.MaximumReservation;
import io.hypercalld.core.hypercall.MemoryCalls;
import io.hypercalld.core.hypercall.PopulatePhysmap;
import io.hypercalld.core.hypercall.QueryMemoryMap;
import io.hypercalld.core.hypercall.RemoveFromPhysmap;
import io.hypercalld.core.hypercall.ReservedDeviceMemoryMap;
import io.hypercalld.core.hypercall.SetMemoryMap;
import java.util.List;
import java.util.stream.Stream;

/**
 * {@code memory_op}: domains' memory. Immutable.
 *
 * @see "xen/include/public/memory.h"
 */
public final class MemoryTable {
  private static final String CALL = "memory_op";

  private MemoryTable() {}

  private static <A extends Hypercall> Operation<A> op(
      String op, Class<A> arguments, Operation.Execution<A> execution) {
    return Operation.of(CALL, op, arguments, execution);
  }

  /** The operations, carried out by these. */
  public static List<Operation<?>> of(MemoryCalls memory) {
    return Stream.of(reservations(memory), mappings(memory), maps(memory), unbuilt())
        .flatMap(List::stream)
        .toList();
  }

  // The first three answer how many extents were done; they are never refused.
  private static List<Operation<?>> reservations(MemoryCalls memory) {
    return List.of(
        op("populate_physmap", PopulatePhysmap.class, memory::populatePhysmap),
        op("increase_reservation", IncreaseReservation.class, memory::increaseReservation),
        op("decrease_reservation", DecreaseReservation.class, memory::decreaseReservation),
        op("current_reservation", CurrentReservation.class, memory::currentReservation)
            .refusing(ESRCH, EPERM, EINVAL),
        op("maximum_reservation", MaximumReservation.class, memory::maximumReservation)
            .refusing(ESRCH, EPERM, EINVAL),
        op("claim_pages", ClaimPages.class, memory::claimPages)
            .refusing(ESRCH, EINVAL, EPERM, ENOMEM),
        op("exchange", Exchange.class, memory::exchange)
            .refusing(EINVAL, EPERM, EFAULT, ESRCH, EOPNOTSUPP, ENOMEM));
  }

  private static List<Operation<?>> mappings(MemoryCalls memory) {
    return List.of(
        op("add_to_physmap", AddToPhysmap.class, memory::addToPhysmap)
            .refusing(
                ESRCH, EDOM, EPERM, EACCES, EINVAL, ENOSYS, EXDEV, ENXIO, ENOENT, EBUSY, ENOMEM,
                EOVERFLOW, EILSEQ),
        op("add_to_physmap_batch", AddToPhysmapBatch.class, memory::addToPhysmapBatch)
            .refusing(ESRCH, EDOM, EPERM, EACCES, EINVAL, EOPNOTSUPP, EFAULT, EILSEQ),
        op("remove_from_physmap", RemoveFromPhysmap.class, memory::removeFromPhysmap)
            .refusing(ESRCH, EINVAL, EPERM, EACCES, ENOENT, ENOMEM),
        op("acquire_resource", AcquireResource.class, memory::acquireResource)
            .refusing(EACCES, EINVAL, ESRCH, EPERM, ENOENT, EFAULT, ENOMEM, EIO, EBUSY));
  }

  private static List<Operation<?>> maps(MemoryCalls memory) {
    return List.of(
        op("maximum_gpfn", MaximumGpfn.class, memory::maximumGpfn).refusing(ESRCH, EPERM, EINVAL),
        op("maximum_ram_page", MaximumRamPage.class, memory::maximumRamPage)
            .refusing(ESRCH, EINVAL),
        op("machphys_mapping", MachphysMapping.class, memory::machphysMapping)
            .refusing(ESRCH, EINVAL),
        op("machphys_compat_mfn_list", MachphysCompatMfnList.class, memory::machphysCompatMfnList)
            .refusing(ESRCH, EINVAL, EOPNOTSUPP),
        op("get_vnumainfo", GetVnumaInfo.class, memory::vnumaInfo)
            .refusing(ESRCH, EINVAL, EPERM, EOPNOTSUPP),
        op("memory_map", QueryMemoryMap.class, memory::memoryMap).refusing(ESRCH, EINVAL, ENOSYS),
        op("set_memory_map", SetMemoryMap.class, memory::setMemoryMap)
            .refusing(ESRCH, EINVAL, EPERM, EFAULT),
        op("machine_memory_map", MachineMemoryMap.class, memory::machineMemoryMap)
            .refusing(ESRCH, EPERM, EINVAL),
        op(
                "reserved_device_memory_map",
                ReservedDeviceMemoryMap.class,
                memory::reservedDeviceMemoryMap)
            .refusing(ESRCH, EINVAL, ENOBUFS));
  }

  private static List<Operation<?>> unbuilt() {
    return List.of(
        // The table is no part of machine memory here: there are no frames to name.
        missing(CALL, "machphys_mfn_list"));
  }
}
