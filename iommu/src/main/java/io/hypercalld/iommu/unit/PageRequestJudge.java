package io.hypercalld.iommu.unit;

import io.hypercalld.iommu.vtd.FaultReason;
import io.hypercalld.iommu.vtd.PageRequest;
import io.hypercalld.iommu.vtd.ScalableContextEntry;
import java.util.Optional;

/**
 * Decides whether a device may ask for pages: its context entry says so, and only in scalable mode.
 * Confined to the machine thread.
 *
 * @see "VT-d §7.4.1"
 */
final class PageRequestJudge {
  private final DmaRemapper remapper;
  private final ContextCache contexts;

  /**
   * What is decided.
   *
   * @param fault why the request is refused; empty where it is not
   * @param silent FPD of the context entry
   */
  record Ruling(Optional<FaultReason> fault, boolean silent) {
    private static Ruling refuse(FaultReason reason, boolean silent) {
      return new Ruling(Optional.of(reason), silent);
    }
  }

  PageRequestJudge(DmaRemapper remapper, ContextCache contexts) {
    this.remapper = remapper;
    this.contexts = contexts;
  }

  Ruling judge(PageRequest request) {
    if (!remapper.isEnabled() || !remapper.isScalable()) {
      return Ruling.refuse(FaultReason.PAGE_GROUP_IN_LEGACY_MODE, false);
    }
    long context = contexts.find(request.device().value());
    if (context == ContextCache.MISS) {
      context = remapper.scalable().tables().fetchContext(request.device());
    }
    boolean silent = JudgedContext.disablesFaultProcessing(context);
    if (JudgedContext.faults(context)) {
      return Ruling.refuse(JudgedContext.reason(context), silent);
    }
    if (!ScalableContextEntry.PRE.isSet(contexts.lastLo())) {
      return Ruling.refuse(FaultReason.PAGE_REQUESTS_DISABLED, silent);
    }
    if (request.prefix().present() && !JudgedContext.admitsPasids(context)) {
      return Ruling.refuse(FaultReason.PASID_DISABLED, silent);
    }
    return new Ruling(Optional.empty(), silent);
  }
}
