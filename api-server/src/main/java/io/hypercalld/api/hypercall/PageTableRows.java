package io.hypercalld.api.hypercall;

import static io.hypercalld.api.hypercall.Operation.missing;
import static io.hypercalld.core.errno.Errno.EINVAL;
import static io.hypercalld.core.errno.Errno.EPERM;
import static io.hypercalld.core.errno.Errno.ESRCH;

import io.hypercalld.core.hypercall.PinCalls;
import io.hypercalld.core.hypercall.PinTable;
import io.hypercalld.core.hypercall.UnpinTable;
import java.util.List;

/**
 * {@code mmuext_op}: page tables of PV domains, of which only that they are not written is kept.
 * Immutable.
 *
 * @see "xen/include/public/xen.h, MMUEXT_*"
 */
public final class PageTableRows {
  private static final String CALL = "mmuext_op";

  private PageTableRows() {}

  /** The operations, carried out by these. */
  public static List<Operation<?>> of(PinCalls pins) {
    return List.of(
        Operation.of(CALL, "pin_l1_table", PinTable.class, pins::pin)
            .refusing(ESRCH, EPERM, EINVAL)
            .partly("of a table only that it is not to be written is kept, not its entries"),
        Operation.of(CALL, "unpin_table", UnpinTable.class, pins::unpin)
            .refusing(ESRCH, EPERM, EINVAL)
            .partly("likewise, and only level 1 is there"),
        missing(CALL, "pin_l2_table"),
        missing(CALL, "pin_l3_table"),
        missing(CALL, "pin_l4_table"),
        missing(CALL, "new_baseptr"));
  }
}
