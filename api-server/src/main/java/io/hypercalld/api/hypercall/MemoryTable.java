package io.hypercalld.api.hypercall;

import static io.hypercalld.api.hypercall.Operation.missing;
import static io.hypercalld.core.errno.Errno.EACCES;
import static io.hypercalld.core.errno.Errno.EBUSY;
import static io.hypercalld.core.errno.Errno.EFAULT;
import static io.hypercalld.core.errno.Errno.EILSEQ;
import static io.hypercalld.core.errno.Errno.EINVAL;
import static io.hypercalld.core.errno.Errno.ENOENT;
import static io.hypercalld.core.errno.Errno.ENOMEM;
import static io.hypercalld.core.errno.Errno.ENOSYS;
import static io.hypercalld.core.errno.Errno.ENXIO;
import static io.hypercalld.core.errno.Errno.EOPNOTSUPP;
import static io.hypercalld.core.errno.Errno.EOVERFLOW;
import static io.hypercalld.core.errno.Errno.EPERM;
import static io.hypercalld.core.errno.Errno.ESRCH;
import static io.hypercalld.core.errno.Errno.EXDEV;

import io.hypercalld.core.hypercall.AddToPhysmap;
import io.hypercalld.core.hypercall.AddToPhysmapBatch;
import io.hypercalld.core.hypercall.CurrentReservation;
import io.hypercalld.core.hypercall.DecreaseReservation;
import io.hypercalld.core.hypercall.Hypercall;
import io.hypercalld.core.hypercall.IncreaseReservation;
import io.hypercalld.core.hypercall.MaximumGpfn;
import io.hypercalld.core.hypercall.MaximumReservation;
import io.hypercalld.core.hypercall.MemoryCalls;
import io.hypercalld.core.hypercall.PopulatePhysmap;
import io.hypercalld.core.hypercall.RemoveFromPhysmap;
import java.util.List;

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
    return List.of(
        // The reservation calls answer how many extents were done; they are never refused.
        op("populate_physmap", PopulatePhysmap.class, memory::populatePhysmap).partly(),
        op("increase_reservation", IncreaseReservation.class, memory::increaseReservation),
        op("decrease_reservation", DecreaseReservation.class, memory::decreaseReservation),
        op("add_to_physmap", AddToPhysmap.class, memory::addToPhysmap)
            .refusing(
                ESRCH, EPERM, EACCES, EINVAL, ENOSYS, EXDEV, ENXIO, ENOENT, EBUSY, ENOMEM,
                EOVERFLOW, EILSEQ)
            .partly(),
        op("add_to_physmap_batch", AddToPhysmapBatch.class, memory::addToPhysmapBatch)
            .refusing(ESRCH, EPERM, EACCES, EINVAL, EOPNOTSUPP, EFAULT, ENOSYS)
            .partly(),
        op("remove_from_physmap", RemoveFromPhysmap.class, memory::removeFromPhysmap)
            .refusing(ESRCH, EPERM, EACCES, ENOENT),
        op("maximum_gpfn", MaximumGpfn.class, memory::maximumGpfn).refusing(ESRCH, EPERM),
        op("current_reservation", CurrentReservation.class, memory::currentReservation)
            .refusing(ESRCH, EPERM),
        op("maximum_reservation", MaximumReservation.class, memory::maximumReservation)
            .refusing(ESRCH, EPERM),
        missing(CALL, "exchange"),
        missing(CALL, "set_pod_target"),
        missing(CALL, "get_pod_target"),
        missing(CALL, "paging_op"),
        missing(CALL, "access_op"),
        missing(CALL, "reserved_device_memory_map"),
        missing(CALL, "acquire_resource"),
        missing(CALL, "maximum_ram_page"),
        missing(CALL, "machphys_mfn_list"),
        missing(CALL, "machphys_mapping"),
        missing(CALL, "memory_map"),
        missing(CALL, "set_memory_map"),
        missing(CALL, "machine_memory_map"),
        missing(CALL, "get_sharing_freed_pages"),
        missing(CALL, "get_sharing_shared_pages"),
        missing(CALL, "sharing_op"),
        missing(CALL, "claim_pages"),
        missing(CALL, "get_vnumainfo"));
  }
}
