package io.hypercalld.core.hypercall;

import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.p2m.Gfn;

/**
 * {@code transfer}: make a page of the caller's that of a domain which awaits it; one element of
 * Xen's array.
 *
 * <p>Answers 0 with a {@code GNTST_*} status: 0 okay; -1 the entry does not await a page of the
 * caller's, the receiver is dying or has no room, or the caller is translated and not told where
 * its frames are, which then cannot be taken; -2 no such domain; -9 no page that is exclusively the
 * caller's. With -1 for the receiver's sake, and with -2, the page is lost to the caller.
 *
 * @param mfn frame of the caller's; a guest frame where it is translated
 * @param ref number of the receiver's entry
 * @see "Xen GNTTABOP_transfer"
 */
public record TransferGrant(Gfn mfn, DomainId domid, long ref) implements Hypercall {}
