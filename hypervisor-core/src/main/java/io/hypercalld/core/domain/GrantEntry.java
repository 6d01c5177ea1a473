package io.hypercalld.core.domain;

import static io.hypercalld.core.bits.BitField.bit;
import static io.hypercalld.core.bits.BitField.bits;

import io.hypercalld.core.bits.BitField;
import io.hypercalld.core.bits.WordLayout;

/**
 * The first 32 bits of a grant, which the granter writes. Never instantiated.
 *
 * <pre>
 * version 1  8 bytes: header, guest frame (32 bits)
 * version 2  16 bytes: header, pad (32 bits), guest frame (64 bits); the flags reading and writing
 *            are in a status word of 16 bits elsewhere
 * header     31 domid 16 | 15 9 | 8 sub_page | 7 PAT | 6 PCD | 5 PWT | 4 writing | 3 reading | 2 readonly | 1 type 0
 * </pre>
 *
 * @see "xen/include/public/grant_table.h, GTF_*"
 */
final class GrantEntry {
  static final BitField TYPE = bits("type", 1, 0);
  static final BitField READONLY = bit("readonly", 2);

  /** The hypervisor's: somebody has it mapped. */
  static final BitField READING = bit("reading", 3);

  /** The hypervisor's: somebody has it mapped to be written. */
  static final BitField WRITING = bit("writing", 4);

  static final BitField PWT = bit("pwt", 5);
  static final BitField PCD = bit("pcd", 6);
  static final BitField PAT = bit("pat", 7);

  /** The grant is of a part of a page, which cannot be mapped. */
  static final BitField SUB_PAGE = bit("sub_page", 8);

  static final BitField DOMID = bits("domid", 31, 16);

  /** Of a part of a page, in version 2: its first byte. */
  static final BitField PAGE_OFFSET = bits("page_off", 47, 32);

  /** Of a part of a page, in version 2: its bytes. */
  static final BitField LENGTH = bits("length", 63, 48);

  /** Of a grant handed on, in version 2: whose entry it is. */
  static final BitField TRANS_DOMID = bits("trans_domid", 47, 32);

  /** Of a grant handed on, in version 2, in the second word: the number of that entry. */
  static final BitField TRANS_REF = bits("gref", 31, 0);

  /** Of an entry that awaits a transfer: it was accepted. */
  static final BitField TRANSFER_COMMITTED = bit("transfer_committed", 2);

  /** Of an entry that awaits a transfer: the page is there. */
  static final BitField TRANSFER_COMPLETED = bit("transfer_completed", 3);

  static final WordLayout HEADER =
      WordLayout.covering(
          "grant.header",
          TYPE,
          READONLY,
          READING,
          WRITING,
          PWT,
          PCD,
          PAT,
          SUB_PAGE,
          BitField.reserved(15, 9),
          DOMID,
          BitField.reserved(63, 32));

  /** The value of {@link #TYPE} that lets the other domain map the page. */
  static final long PERMIT_ACCESS = 1;

  /** The value of the first 16 bits that awaits a page of the other domain's. */
  static final long ACCEPT_TRANSFER = 2;

  /** The value of {@link #TYPE} that lets the other domain copy what a third one grants. */
  static final long TRANSITIVE = 3;

  static final int V1_BYTES = 8;
  static final int V2_BYTES = 16;
  static final int STATUS_BYTES = 2;

  private GrantEntry() {}

  /** Whether the header awaits a page of the domain's, and has not got one yet. */
  static boolean acceptsFrom(long header, DomainId domain) {
    return header == DOMID.put(ACCEPT_TRANSFER, domain.value());
  }

  /** Whether a grant of the type lets the domain copy, to the page or only from it. */
  static boolean permitsCopy(long header, DomainId domain, boolean readonly) {
    return DOMID.get(header) == domain.value() && (readonly || !READONLY.isSet(header));
  }

  /** Whether the header lets the domain map the page; for reading only or not is another matter. */
  static boolean permits(long header, DomainId domain) {
    return TYPE.get(header) == PERMIT_ACCESS
        && !SUB_PAGE.isSet(header)
        && DOMID.get(header) == domain.value();
  }
}
