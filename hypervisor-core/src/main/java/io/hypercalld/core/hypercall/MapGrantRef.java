package io.hypercalld.core.hypercall;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.DomainId;
import java.util.Optional;

/**
 * {@code map_grant_ref}: map a page that another domain grants, one element of Xen's array.
 *
 * <p>Answers 0 with a {@code GNTST_*} status: 0 okay, -1 the grant is for somebody else or for
 * reading only, the flags do not suit, or it cannot be mapped there; -2 no such domain; -3 no such
 * entry, or no flag that says what to map; -9 no page is granted; -12 the page is not in memory;
 * -13 no handle left. Mapped over RAM it makes an orphan of the frame; over another grant or a
 * foreign page it crashes the mapper. A PV mapper, whose page tables are not simulated, gets -1.
 *
 * @param hostAddr guest-physical address of the mapper's page
 * @param flags device_map 1, host_map 2, readonly 4, application_map 8, contains_pte 16
 * @param ref number of the granter's entry
 * @see "Xen GNTTABOP_map_grant_ref"
 */
public record MapGrantRef(Word hostAddr, long flags, long ref, DomainId dom) implements Hypercall {
  /** What it returns; nothing but the status where that is not okay. */
  public record Mapped(int status, Optional<Long> handle, Optional<Word> devBusAddr) {}
}
