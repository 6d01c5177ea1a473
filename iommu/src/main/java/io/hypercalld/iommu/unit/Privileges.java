package io.hypercalld.iommu.unit;

import io.hypercalld.iommu.vtd.DmaAccess;
import io.hypercalld.iommu.vtd.FaultReason;
import io.hypercalld.iommu.vtd.SecondStageEntry;

/**
 * Whether a first-level page lets a request pass that comes from a user or a supervisor. Stateless.
 *
 * @see "VT-d §3.6.2"
 */
final class Privileges {
  /** Bits of what a request is, beside its access. */
  static final int SUPERVISOR = 1;

  static final int EXECUTE = 2;

  private Privileges() {}

  /** Whether the page lets the request pass. */
  static boolean permit(long leaf, DmaAccess access, int who, long judged) {
    boolean supervisor = (who & SUPERVISOR) != 0;
    boolean mayWrite =
        supervisor
            ? Leaf.permitsSupervisorWrites(leaf)
            : SecondStageEntry.permitsWrite(Leaf.permissions(leaf));
    return SecondStageEntry.permitsRead(Leaf.permissions(leaf))
        && (supervisor || Leaf.isForUsers(leaf))
        && (mayWrite || !access.writes())
        && ((who & EXECUTE) == 0 || mayExecute(leaf, supervisor, judged));
  }

  private static boolean mayExecute(long leaf, boolean supervisor, long judged) {
    boolean prevented =
        supervisor && Leaf.isForUsers(leaf) && JudgedPasid.preventsSupervisorExecution(judged);
    return Leaf.permitsExecution(leaf) && !prevented;
  }

  /** Why the page does not let the request pass. */
  static FaultReason whenDenied(long leaf, DmaAccess access, int who, long judged) {
    boolean supervisor = (who & SUPERVISOR) != 0;
    if (Leaf.permissions(leaf) == 0) {
      return FaultReason.FIRST_LEVEL_NOT_PRESENT;
    }
    if (!supervisor && !Leaf.isForUsers(leaf)) {
      return FaultReason.USER_NOT_PERMITTED;
    }
    if ((who & EXECUTE) != 0 && !mayExecute(leaf, supervisor, judged)) {
      return FaultReason.EXECUTE_NOT_PERMITTED;
    }
    return access.writes()
        ? FaultReason.SCALABLE_WRITE_NOT_PERMITTED
        : FaultReason.SCALABLE_READ_NOT_PERMITTED;
  }
}
