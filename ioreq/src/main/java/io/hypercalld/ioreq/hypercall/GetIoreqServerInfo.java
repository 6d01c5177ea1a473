package io.hypercalld.ioreq.hypercall;

import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.hypercall.Hypercall;
import io.hypercalld.core.hypercall.OrElse;
import io.hypercalld.core.p2m.Gfn;
import java.util.Optional;

/**
 * {@code get_ioreq_server_info}: the port of a server's ring, and the guest frames of its pages,
 * which are lent to it now unless they were. Answers a {@link ServerPages}.
 *
 * <ul>
 *   <li>{@code ESRCH} no such domain, {@code EPERM} itself or not its device model, {@code EINVAL}
 *       a PV domain
 *   <li>{@code EINVAL} unknown flags; {@code ENOENT} no such server; {@code EPERM} another
 *       emulator's
 *   <li>where guest frames are asked for: {@code EPERM} the pages were acquired as a resource, or a
 *       frame is a device's; {@code EINVAL} dying, or a frame is no RAM to be written; {@code
 *       ENOMEM} none is left; {@code ENOENT} a frame is paged out or shared
 * </ul>
 *
 * @param flags no_gfns 1
 * @see "Xen XEN_DMOP_get_ioreq_server_info"
 */
public record GetIoreqServerInfo(DomainId domid, long id, @OrElse("0") long flags)
    implements Hypercall {
  /** What it returns; what the call leaves untouched is absent. */
  public record ServerPages(
      Optional<Integer> bufioreqPort, Optional<Gfn> ioreqGfn, Optional<Gfn> bufioreqGfn) {}
}
