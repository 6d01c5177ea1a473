package io.hypercalld.core.memory;

import static io.hypercalld.core.bits.BitField.bit;
import static io.hypercalld.core.bits.BitField.bits;
import static io.hypercalld.core.bits.BitField.reserved;

import io.hypercalld.core.bits.BitField;
import io.hypercalld.core.bits.WordLayout;

/**
 * The three words kept for a frame, or for a block of frames that are alike. Never instantiated.
 *
 * <pre>
 * word 0  count_info: state bits and general references, as in Xen
 * word 1  63 type_info bits 58 | 55 type references 32 | 21 divided | 20 use 16 | 15 owner + 1  0
 * word 2  complement of the guest frame that maps the first frame; 0 where none does
 * </pre>
 *
 * <p>All zeros is a free frame: neither owner nor use nor guest frame.
 *
 * @see "xen/arch/x86/include/asm/mm.h, struct page_info"
 */
final class FrameRecord {
  /** The reference of the allocation is still held. */
  static final BitField ALLOCATED = bit("allocated", 63);

  static final BitField XEN_HEAP = bit("xen_heap", 62);

  /** Not counted against the owner's reservation. */
  static final BitField EXTRA = bit("extra", 61);

  static final BitField BROKEN = bit("broken", 60);
  static final BitField STATE = bits("state", 59, 58);
  static final BitField NEED_SCRUB = bit("need_scrub", 57);
  static final BitField SHADOWED_PT = bit("shadowed_pt", 56);
  static final BitField COUNT = bits("count", 55, 0);

  static final WordLayout COUNT_INFO =
      WordLayout.covering(
          "frame.count_info",
          ALLOCATED,
          XEN_HEAP,
          EXTRA,
          BROKEN,
          STATE,
          NEED_SCRUB,
          SHADOWED_PT,
          COUNT);

  static final BitField OWNER_PLUS_ONE = bits("owner_plus_one", 15, 0);
  static final BitField USE = bits("use", 20, 16);

  /** The record stands for nothing: the blocks one size smaller have records of their own. */
  static final BitField DIVIDED = bit("divided", 21);

  static final BitField TYPE_COUNT = bits("type_count", 55, 32);
  static final BitField VALIDATED = bit("validated", 58);
  static final BitField PINNED = bit("pinned", 59);
  static final BitField LOCKED = bit("locked", 60);
  static final BitField TYPE = bits("type", 63, 61);

  static final WordLayout OWNERSHIP =
      WordLayout.covering(
          "frame.ownership",
          OWNER_PLUS_ONE,
          USE,
          DIVIDED,
          reserved(31, 22),
          TYPE_COUNT,
          reserved(57, 56),
          VALIDATED,
          PINNED,
          LOCKED,
          TYPE);

  private FrameRecord() {}
}
