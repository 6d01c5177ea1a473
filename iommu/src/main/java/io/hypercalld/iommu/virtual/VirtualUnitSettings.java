package io.hypercalld.iommu.virtual;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.PageSize;

/**
 * What a guest's remapping unit is to be. Immutable.
 *
 * @param base guest-physical address of the register window, a multiple of 4 KiB
 * @param intremap whether it remaps interrupts
 * @param l2 whether it translates requests through second-level tables
 * @param l1 whether it knows PASIDs and first-level tables, too: scalable mode
 * @param cachingMode whether the guest has to invalidate what becomes present, too
 * @param sync when shadows follow the guest's invalidations
 */
public record VirtualUnitSettings(
    Word base, boolean intremap, boolean l2, boolean l1, boolean cachingMode, ShadowSync sync) {
  /** Where toolstacks put it. */
  public static final Word USUAL_BASE = new Word(0xfed9_0000L);

  /**
   * Checks the choices.
   *
   * @throws Refusal EINVAL the window is not aligned or out of reach, or the unit could do nothing
   */
  public VirtualUnitSettings {
    boolean aligned = base.value() % PageSize.BYTES_4K == 0;
    if (!aligned || base.value() < 0 || base.value() >>> VirtualSilicon.ADDRESS_BITS != 0) {
      throw Refusal.of(Errno.EINVAL, "no register window can be at %s", base);
    }
    if (!intremap && !l2) {
      throw Refusal.of(Errno.EINVAL, "a virtual IOMMU remaps interrupts, requests or both");
    }
    if (l1 && !l2) {
      throw Refusal.of(Errno.EINVAL, "first-level tables come with second-level ones only");
    }
  }

  /** One without scalable mode. */
  public VirtualUnitSettings(
      Word base, boolean intremap, boolean l2, boolean cachingMode, ShadowSync sync) {
    this(base, intremap, l2, false, cachingMode, sync);
  }

  /** What the hypercall makes: a unit that remaps interrupts. */
  public static VirtualUnitSettings interruptsOnly(Word base) {
    return new VirtualUnitSettings(base, true, false, false, ShadowSync.STRICT);
  }
}
