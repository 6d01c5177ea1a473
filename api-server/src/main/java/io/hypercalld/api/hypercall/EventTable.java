package io.hypercalld.api.hypercall;

import static io.hypercalld.core.errno.Errno.EACCES;
import static io.hypercalld.core.errno.Errno.EINVAL;
import static io.hypercalld.core.errno.Errno.ENOSPC;
import static io.hypercalld.core.errno.Errno.EPERM;
import static io.hypercalld.core.errno.Errno.ESRCH;

import io.hypercalld.core.hypercall.AllocUnbound;
import io.hypercalld.core.hypercall.BindInterdomain;
import io.hypercalld.core.hypercall.CloseEvent;
import io.hypercalld.core.hypercall.EventCalls;
import io.hypercalld.core.hypercall.EventStatus;
import io.hypercalld.core.hypercall.SendEvent;
import java.util.List;

/**
 * The operations of {@code event_channel_op}. Immutable.
 *
 * @see "xen/include/public/event_channel.h"
 */
public final class EventTable {
  private static final String CALL = "event_channel_op";

  private EventTable() {}

  public static List<Operation<?>> of(EventCalls calls) {
    return List.of(
        Operation.of(CALL, "alloc_unbound", AllocUnbound.class, calls::allocUnbound)
            .refusing(ESRCH, EINVAL, ENOSPC, EPERM),
        Operation.of(CALL, "bind_interdomain", BindInterdomain.class, calls::bindInterdomain)
            .refusing(ESRCH, EINVAL, ENOSPC),
        Operation.of(CALL, "send", SendEvent.class, calls::send).refusing(ESRCH, EINVAL),
        Operation.of(CALL, "close", CloseEvent.class, calls::close).refusing(ESRCH, EINVAL),
        Operation.of(CALL, "status", EventStatus.class, calls::status)
            .refusing(ESRCH, EINVAL, EPERM, EACCES));
  }
}
