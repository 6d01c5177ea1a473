package io.hypercalld.ioreq.hypercall;

import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.hypercall.Hypercall;
import io.hypercalld.core.hypercall.OrElse;
import java.util.List;

/**
 * {@code create_ioreq_server}: make the caller an emulator of a domain's. Answers a {@link
 * ServerId}: the lowest that is free.
 *
 * <ul>
 *   <li>{@code ESRCH} no such domain, {@code EPERM} itself or not its device model, {@code EINVAL}
 *       a PV domain
 *   <li>{@code EINVAL} {@code pad} not 0; no such mode; an unknown flag; dying; without {@code
 *       EXT_DEST_ID} where the guest was told of extended destinations
 *   <li>{@code ENOSPC} the domain has 8 servers, or no port is free
 * </ul>
 *
 * @param handleBufioreq no ring 0, a ring 1, one whose pointers are kept small 2
 * @param flags {@link #EXT_DEST_ID} or 0
 * @see "Xen XEN_DMOP_create_ioreq_server; spec/documents.md S1-D16"
 */
public record CreateIoreqServer(
    DomainId domid,
    @OrElse("0") long handleBufioreq,
    @OrElse("[]") List<Long> pad,
    @OrElse("0") long flags)
    implements Hypercall {
  /**
   * {@code XEN_DMOP_IOREQ_SERVER_EXT_DEST_ID}: the server passes on messages with destinations of
   * 15 bits.
   */
  public static final long EXT_DEST_ID = 0x1;

  public CreateIoreqServer {
    pad = List.copyOf(pad);
  }

  /** What it returns. */
  public record ServerId(int id) {}
}
