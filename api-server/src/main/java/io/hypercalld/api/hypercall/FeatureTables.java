package io.hypercalld.api.hypercall;

import static io.hypercalld.core.errno.Errno.E2BIG;
import static io.hypercalld.core.errno.Errno.EBADF;
import static io.hypercalld.core.errno.Errno.EBUSY;
import static io.hypercalld.core.errno.Errno.ECHILD;
import static io.hypercalld.core.errno.Errno.EEXIST;
import static io.hypercalld.core.errno.Errno.EFAULT;
import static io.hypercalld.core.errno.Errno.EINVAL;
import static io.hypercalld.core.errno.Errno.EMLINK;
import static io.hypercalld.core.errno.Errno.ENODEV;
import static io.hypercalld.core.errno.Errno.ENOENT;
import static io.hypercalld.core.errno.Errno.ENOMEM;
import static io.hypercalld.core.errno.Errno.ENOSYS;
import static io.hypercalld.core.errno.Errno.ENOTEMPTY;
import static io.hypercalld.core.errno.Errno.EOPNOTSUPP;
import static io.hypercalld.core.errno.Errno.EPERM;
import static io.hypercalld.core.errno.Errno.ESRCH;
import static io.hypercalld.core.errno.Errno.EXDEV;

import io.hypercalld.core.hypercall.AccessOp;
import io.hypercalld.core.hypercall.FeatureCalls;
import io.hypercalld.core.hypercall.GetHvmParam;
import io.hypercalld.core.hypercall.GetPodTarget;
import io.hypercalld.core.hypercall.GetSharingFreedPages;
import io.hypercalld.core.hypercall.GetSharingSharedPages;
import io.hypercalld.core.hypercall.PagingOp;
import io.hypercalld.core.hypercall.SetAccessRequired;
import io.hypercalld.core.hypercall.SetHvmParam;
import io.hypercalld.core.hypercall.SetPodTarget;
import io.hypercalld.core.hypercall.SharingOp;
import io.hypercalld.core.hypercall.VmEventOp;
import java.util.List;

/**
 * The operations on what a translated domain's memory does besides being mapped: populating on
 * demand, paging, access, sharing. Immutable.
 *
 * @see "xen/include/public/memory.h"
 */
public final class FeatureTables {
  private FeatureTables() {}

  /** Those of {@code memory_op}. */
  public static List<Operation<?>> memory(FeatureCalls features) {
    return List.of(
        Operation.of("memory_op", "set_pod_target", SetPodTarget.class, features.pod()::setTarget)
            .refusing(ESRCH, EINVAL, EPERM, ENOTEMPTY, ENOMEM),
        Operation.of("memory_op", "get_pod_target", GetPodTarget.class, features.pod()::getTarget)
            .refusing(ESRCH, EINVAL, EPERM),
        Operation.of("memory_op", "paging_op", PagingOp.class, features.paging()::paging)
            .refusing(ESRCH, EPERM, EINVAL, ENODEV, ENOSYS, EBUSY, ENOENT, ENOMEM),
        Operation.of("memory_op", "access_op", AccessOp.class, features.access()::access)
            .refusing(ESRCH, EPERM, EINVAL, ENODEV, EFAULT, ENOMEM, ENOSYS),
        // Forks answer ENOSYS.
        Operation.of("memory_op", "sharing_op", SharingOp.class, features.sharing()::sharing)
            .refusing(
                ESRCH,
                EPERM,
                EINVAL,
                EOPNOTSUPP,
                ENODEV,
                EXDEV,
                E2BIG,
                ECHILD,
                EBADF,
                EBUSY,
                ENOMEM,
                ENOSYS)
            .partly("no domain can be a fork of another"),
        Operation.of(
                "memory_op",
                "get_sharing_freed_pages",
                GetSharingFreedPages.class,
                features.sharing()::freedPages)
            .refusing(ESRCH, EINVAL),
        Operation.of(
                "memory_op",
                "get_sharing_shared_pages",
                GetSharingSharedPages.class,
                features.sharing()::sharedPages)
            .refusing(ESRCH, EINVAL));
  }

  /** Those of {@code domctl}. */
  public static List<Operation<?>> domctl(FeatureCalls features) {
    return List.of(
        // Without event channels there is no port to return.
        Operation.of("domctl", "vm_event_op", VmEventOp.class, features.events()::control)
            .refusing(
                ESRCH, EPERM, EINVAL, ENOSYS, ENODEV, EMLINK, EXDEV, EBUSY, EOPNOTSUPP, ENOENT)
            .partly("the answer to enabling names no port"),
        Operation.of(
                "domctl",
                "set_access_required",
                SetAccessRequired.class,
                features.access()::setRequired)
            .refusing(ESRCH, EPERM));
  }

  /** Those of {@code hvm_op}: parameters are checked and kept. */
  public static List<Operation<?>> hvm(FeatureCalls features) {
    return List.of(
        Operation.of("hvm_op", "set_param", SetHvmParam.class, features.events()::setParam)
            .refusing(EINVAL, ESRCH, EPERM, EEXIST),
        Operation.of("hvm_op", "get_param", GetHvmParam.class, features.events()::getParam)
            .refusing(EINVAL, ESRCH, EPERM));
  }
}
