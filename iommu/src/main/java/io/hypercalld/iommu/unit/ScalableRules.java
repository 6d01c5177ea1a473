package io.hypercalld.iommu.unit;

import io.hypercalld.iommu.vtd.Capabilities;
import io.hypercalld.iommu.vtd.DmaAccess;
import io.hypercalld.iommu.vtd.FaultReason;
import io.hypercalld.iommu.vtd.FirstLevelEntry;
import io.hypercalld.iommu.vtd.PasidPrefix;
import io.hypercalld.iommu.vtd.ScalableContextEntry;

/**
 * What scalable mode's context and PASID entries say to a request, before any page is looked for.
 * Immutable.
 *
 * <p>Refusals are {@link Leaf} words of faults; 0 is none.
 *
 * @see "VT-d §7.1.3"
 */
final class ScalableRules {
  private final Capabilities capabilities;

  ScalableRules(Capabilities capabilities) {
    this.capabilities = capabilities;
  }

  /**
   * The address space of a request: its own PASID, or the one of requests without.
   *
   * @param q1 second word of the requester's context entry
   */
  int pasid(long q1, PasidPrefix prefix) {
    if (prefix.present()) {
      return prefix.pasid();
    }
    return capabilities.requestPasids() ? ScalableContextEntry.requestPasid(q1) : 0;
  }

  /** Who a request comes from, in bits of {@link Privileges}. */
  int who(long q1, PasidPrefix prefix) {
    if (prefix.present()) {
      return (prefix.privileged() ? Privileges.SUPERVISOR : 0)
          | (prefix.execute() ? Privileges.EXECUTE : 0);
    }
    boolean privileged =
        capabilities.requestPrivileges() && ScalableContextEntry.requestsArePrivileged(q1);
    return privileged ? Privileges.SUPERVISOR : 0;
  }

  /**
   * Why the context refuses a request.
   *
   * @param context a {@link JudgedContext} word
   * @param q0 first word of its entry
   * @param pasid what {@link #pasid} gives
   */
  static long refusal(long context, long q0, int pasid, PasidPrefix prefix, DmaAccess access) {
    if (JudgedContext.faults(context)) {
      return Leaf.fault(JudgedContext.reason(context));
    }
    if (!access.isUntranslated() && !JudgedContext.admitsDeviceTlb(context)) {
      return Leaf.fault(FaultReason.DEVICE_TLB_DISABLED);
    }
    if (prefix.present() && !JudgedContext.admitsPasids(context)) {
      return Leaf.fault(FaultReason.PASID_DISABLED);
    }
    if (!ScalableContextEntry.reaches(q0, pasid)) {
      return Leaf.fault(
          prefix.present()
              ? FaultReason.PASID_BEYOND_DIRECTORY
              : FaultReason.RID_PASID_BEYOND_DIRECTORY);
    }
    return 0;
  }

  /**
   * Why the PASID entry refuses a request, wherever it goes.
   *
   * @param pasid a {@link JudgedPasid} word
   * @param who bits of {@link Privileges}
   */
  static long refusal(long pasid, int who) {
    if (JudgedPasid.faults(pasid)) {
      return Leaf.fault(JudgedPasid.reason(pasid));
    }
    if ((who & Privileges.EXECUTE) != 0 && !JudgedPasid.admitsExecution(pasid)) {
      return Leaf.fault(FaultReason.EXECUTE_REQUESTS_DISABLED);
    }
    if ((who & Privileges.SUPERVISOR) != 0 && !JudgedPasid.admitsSupervisors(pasid)) {
      return Leaf.fault(FaultReason.SUPERVISOR_REQUESTS_DISABLED);
    }
    return 0;
  }

  /** The same for a request to an address. */
  static long refusal(long pasid, int who, long iova) {
    long refusal = refusal(pasid, who);
    return refusal != 0 ? refusal : beyondReach(pasid, iova);
  }

  /** Why the PASID entry refuses a request for its address. */
  static long beyondReach(long pasid, long iova) {
    if (JudgedPasid.passes(pasid)) {
      return iova >>> JudgedPasid.limit(pasid) == 0
          ? 0
          : Leaf.fault(FaultReason.OUTPUT_BEYOND_HARDWARE);
    }
    if (JudgedPasid.isSecondLevelOnly(pasid)) {
      return iova >>> JudgedPasid.limit(pasid) == 0
          ? 0
          : Leaf.fault(FaultReason.INPUT_BEYOND_SECOND_LEVEL);
    }
    return FirstLevelEntry.isCanonical(iova, JudgedPasid.firstLevels(pasid))
        ? 0
        : Leaf.fault(FaultReason.ADDRESS_NOT_CANONICAL);
  }

  /** Whether a remembered page lets a request pass. */
  static boolean permits(long leaf, DmaAccess access, int who, long pasid) {
    return JudgedPasid.isSecondLevelOnly(pasid)
        ? access.isPermittedBy(Leaf.permissions(leaf))
        : Privileges.permit(leaf, access, who, pasid);
  }

  /** Why a remembered page does not let a request pass. */
  static FaultReason whenDenied(long leaf, DmaAccess access, int who, long pasid) {
    if (!JudgedPasid.isSecondLevelOnly(pasid)) {
      return Privileges.whenDenied(leaf, access, who, pasid);
    }
    int permissions = Leaf.permissions(leaf);
    return permissions == 0
        ? FaultReason.SECOND_LEVEL_NOT_PERMITTED
        : ScalableReasons.ofPermission(access.whenDenied(permissions));
  }
}
