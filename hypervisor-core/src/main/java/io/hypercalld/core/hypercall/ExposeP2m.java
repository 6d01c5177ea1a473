package io.hypercalld.core.hypercall;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.p2m.Gfn;

/**
 * {@code expose_p2m}: show the caller its P2M, read-only, as one table of 8-byte entries from a
 * guest frame on: what maps guest frame {@code convStartGpfn + n} is entry n. Bits 1:0 of an entry
 * say what a device may do with the page, read and write; bits 51:12 are the machine frame. It is
 * the truth at any time.
 *
 * <ul>
 *   <li>{@code EINVAL} a start or the size is not a multiple of the granule, there is nothing to
 *       expose, or the caller is PV and has no P2M
 *   <li>{@code ENOSYS} another granule than the 512 entries of one page, or a P2M of larger pages
 *   <li>{@code ENOMEM} no memory for the table; {@code EAGAIN} something is mapped where it is to
 *       be, or one is exposed already
 * </ul>
 *
 * @param convStartGpfn the first guest frame whose entry is shown
 * @param assignStartGpfn where the table is to be
 * @param exposeSize bytes of memory whose entries are shown
 * @param granulePfn entries of a page of the table: 512
 * @see "spec/documents.md S3-D3, S3-D4, IA64_DOM0VP_expose_p2m"
 */
public record ExposeP2m(Gfn convStartGpfn, Gfn assignStartGpfn, Word exposeSize, long granulePfn)
    implements Hypercall {}
