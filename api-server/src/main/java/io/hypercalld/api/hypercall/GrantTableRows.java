package io.hypercalld.api.hypercall;

import static io.hypercalld.core.errno.Errno.EBUSY;
import static io.hypercalld.core.errno.Errno.EINVAL;
import static io.hypercalld.core.errno.Errno.ENOMEM;
import static io.hypercalld.core.errno.Errno.EOPNOTSUPP;
import static io.hypercalld.core.errno.Errno.EPERM;
import static io.hypercalld.core.errno.Errno.ESRCH;

import io.hypercalld.core.hypercall.CacheFlush;
import io.hypercalld.core.hypercall.CopyGrant;
import io.hypercalld.core.hypercall.GetGrantVersion;
import io.hypercalld.core.hypercall.GetStatusFrames;
import io.hypercalld.core.hypercall.GrantCalls;
import io.hypercalld.core.hypercall.Hypercall;
import io.hypercalld.core.hypercall.MapGrantRef;
import io.hypercalld.core.hypercall.QueryGrantSize;
import io.hypercalld.core.hypercall.SetGrantVersion;
import io.hypercalld.core.hypercall.SetupGrantTable;
import io.hypercalld.core.hypercall.SwapGrantRef;
import io.hypercalld.core.hypercall.TransferGrant;
import io.hypercalld.core.hypercall.UnmapAndReplace;
import io.hypercalld.core.hypercall.UnmapGrantRef;
import java.util.List;

/**
 * {@code grant_table_op}: pages that domains grant each other. Immutable.
 *
 * <p>Most answer with a status of their own and are refused only where the caller does not exist.
 *
 * @see "xen/include/public/grant_table.h"
 */
public final class GrantTableRows {
  private static final String CALL = "grant_table_op";

  private GrantTableRows() {}

  private static <A extends Hypercall> Operation<A> op(
      String op, Class<A> arguments, Operation.Execution<A> execution) {
    return Operation.of(CALL, op, arguments, execution).refusing(ESRCH);
  }

  /** The operations, carried out by these. */
  public static List<Operation<?>> of(GrantCalls grants) {
    return List.of(
        op("map_grant_ref", MapGrantRef.class, grants::mapGrantRef),
        op("unmap_grant_ref", UnmapGrantRef.class, grants::unmapGrantRef),
        op("unmap_and_replace", UnmapAndReplace.class, grants::unmapAndReplace),
        op("copy", CopyGrant.class, grants::copyGrant),
        op("transfer", TransferGrant.class, grants::transferGrant),
        op("cache_flush", CacheFlush.class, grants::cacheFlush)
            .refusing(ESRCH, EINVAL, EPERM, EOPNOTSUPP),
        op("setup_table", SetupGrantTable.class, grants.tables()::setupTable),
        op("query_size", QueryGrantSize.class, grants.tables()::querySize),
        op("set_version", SetGrantVersion.class, grants.tables()::setVersion)
            .refusing(ESRCH, EINVAL, EBUSY, ENOMEM),
        op("get_version", GetGrantVersion.class, grants.tables()::getVersion)
            .refusing(ESRCH, EPERM),
        op("get_status_frames", GetStatusFrames.class, grants.tables()::statusFrames),
        op("swap_grant_ref", SwapGrantRef.class, grants.tables()::swapGrantRef));
  }
}
