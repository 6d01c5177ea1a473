package io.hypercalld.core.hypercall;

import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.domain.GrantCopy;
import io.hypercalld.core.p2m.Gfn;
import java.util.Optional;

/**
 * {@code copy}: copy bytes of a page to another, each granted or the caller's own; one element of
 * Xen's array.
 *
 * <p>Answers 0 with a {@code GNTST_*} status: 0 okay; -1 the grant is for somebody else or for
 * reading only, is of another part of the page, is handed on twice, or the page is not to be
 * written; -2 no such domain; -3 no such entry; -8 a frame of another domain's by its number; -9 no
 * page is there; -10 the bytes are not all within one page; -12 the page is not in memory.
 *
 * @param len bytes
 * @param flags source_gref 1, dest_gref 2: the end is named by {@code ref}, otherwise by {@code
 *     gmfn}
 * @see "Xen GNTTABOP_copy"
 */
public record CopyGrant(End source, End dest, long len, long flags) implements Hypercall {
  /**
   * One end of a copy.
   *
   * @param ref number of the domain's entry; 0 where there is none
   * @param gmfn guest frame of the caller's, frame if PV; 0 where there is none
   * @param offset in the page, in bytes
   */
  public record End(
      @OrElse("null") Optional<Long> ref,
      @OrElse("null") Optional<Gfn> gmfn,
      DomainId domid,
      long offset) {
    GrantCopy.End named(boolean granted) {
      long number = granted ? ref.orElse(0L) : gmfn.map(Gfn::value).orElse(0L);
      return new GrantCopy.End(domid, granted, number, offset);
    }
  }
}
