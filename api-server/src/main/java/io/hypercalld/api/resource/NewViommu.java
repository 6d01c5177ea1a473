package io.hypercalld.api.resource;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.hypercall.OrElse;
import io.hypercalld.iommu.virtual.ShadowSync;
import io.hypercalld.iommu.virtual.VirtualUnitSettings;
import java.util.Optional;

/**
 * A virtual IOMMU as it is asked for. Immutable.
 *
 * @param base guest-physical address of its registers
 * @param intremap whether it remaps interrupts; it does if left out
 * @param l2 whether it translates through second-level tables
 * @param l1 whether it has scalable mode: PASIDs, and first-level tables that the P2M translates;
 *     second-level ones come with it
 * @param cachingMode whether the guest invalidates what becomes present, too
 */
record NewViommu(
    @OrElse("\"intel_vtd\"") Type type,
    @OrElse("\"0xfed90000\"") Word base,
    Optional<Boolean> intremap,
    @OrElse("false") boolean l2,
    @OrElse("false") boolean l1,
    @OrElse("true") boolean cachingMode) {
  /** The types that there are. */
  enum Type {
    INTEL_VTD
  }

  /** One where nothing is said but that it remaps interrupts. */
  static VirtualUnitSettings ofInterrupts() {
    return VirtualUnitSettings.interruptsOnly(VirtualUnitSettings.USUAL_BASE);
  }

  /** The same, with what a policy says of interrupts where it says nothing itself. */
  NewViommu remapping(Optional<Boolean> policy) {
    return new NewViommu(type, base, intremap.or(() -> policy), l2, l1, cachingMode);
  }

  /**
   * The unit asked for.
   *
   * @throws io.hypercalld.core.errno.Refusal as the unit's settings
   */
  VirtualUnitSettings settings(ShadowSync sync) {
    boolean translates = l1 || l2;
    return new VirtualUnitSettings(
        base, intremap.orElse(true), translates, l1, translates && cachingMode, sync);
  }
}
