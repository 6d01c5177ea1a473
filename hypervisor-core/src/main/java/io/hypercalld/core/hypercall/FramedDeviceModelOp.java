package io.hypercalld.core.hypercall;

import io.hypercalld.core.bits.HexBytes;
import io.hypercalld.core.domain.DomainId;
import java.util.List;
import java.util.Optional;

/**
 * {@code dm_op} as it is on the wire: buffers, the first of which begins with the number of the
 * operation (32 bits) and padding (32 bits).
 *
 * <p>What Xen checks of any such call is checked in its order. What passes is refused nevertheless:
 * operations are executed by their names.
 *
 * <ul>
 *   <li>{@code ENODATA} no buffer, {@code E2BIG} more than two
 *   <li>{@code ESRCH} no such domain, {@code EPERM} itself or not its device model, {@code EINVAL}
 *       a PV domain
 *   <li>{@code EFAULT} fewer buffers than said, or a first one too short for its operation
 *   <li>{@code EOPNOTSUPP} no such operation
 *   <li>{@code EINVAL} padding that is not 0
 *   <li>{@code ENOSYS} one that has a name
 * </ul>
 *
 * @param nrBufs where left out, as many as are listed
 * @see "Xen xen/arch/x86/hvm/dm.c, dm_op"
 */
public record FramedDeviceModelOp(
    DomainId domid, @OrElse("null") Optional<Long> nrBufs, @OrElse("[]") List<HexBytes> bufs)
    implements Hypercall {
  public FramedDeviceModelOp {
    bufs = List.copyOf(bufs);
  }
}
