package io.hypercalld.core.p2m;

import static io.hypercalld.core.bits.BitField.bit;
import static io.hypercalld.core.bits.BitField.bits;
import static io.hypercalld.core.bits.BitField.reserved;

import io.hypercalld.core.bits.BitField;
import io.hypercalld.core.bits.WordLayout;

/**
 * What a processor is given to find an extended page table. Never instantiated.
 *
 * @see "SDM Vol. 3, 26.6.11; xen/arch/x86/include/asm/hvm/vmx/vmcs.h, struct ept_data"
 */
final class EptPointer {
  /** Memory type of the tables. */
  static final BitField MT = bits("mt", 2, 0);

  /** Levels of the walk less one. */
  static final BitField WALK_LENGTH = bits("walk_len", 5, 3);

  /** Accessed and dirty bits are kept. */
  static final BitField AD = bit("ad", 6);

  /** Frame of the root table. */
  static final BitField MFN = bits("mfn", 63, 12);

  static final WordLayout LAYOUT =
      WordLayout.covering("ept-pointer", MT, WALK_LENGTH, AD, reserved(11, 7), MFN);

  private EptPointer() {}

  static long of(long root, int levels) {
    return MT.of(P2mEntry.EMT_WB) | WALK_LENGTH.of(levels - 1L) | AD.mask() | MFN.inPlace(root);
  }
}
