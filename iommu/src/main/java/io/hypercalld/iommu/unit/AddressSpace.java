package io.hypercalld.iommu.unit;

import io.hypercalld.iommu.pci.SourceId;
import io.hypercalld.iommu.vtd.PasidPrefix;

/**
 * What a request's context and PASID entry say of the address space that it goes to. Confined to
 * the machine thread.
 */
final class AddressSpace {
  private static final int NOBODY = -1;

  /** A {@link JudgedPasid} word. */
  long judged;

  /** Address of the top first-level table; a second-level input address when nested. */
  long firstLevelRoot;

  /** Machine address of the top second-level table. */
  long secondLevelRoot;

  /** Who comes, in bits of {@link Privileges}. */
  int who;

  /** FPD of the entries that were used. */
  boolean silent;

  /** Whether the PASID cache answered. */
  boolean wasKnown;

  private int sourceId = NOBODY;
  private PasidPrefix prefix = PasidPrefix.NONE;

  boolean isNested() {
    return JudgedPasid.isNested(judged);
  }

  int number() {
    return JudgedPasid.space(judged);
  }

  /** Whether all this holds for such requests, too. */
  boolean isOf(SourceId requester, PasidPrefix itsPrefix) {
    return sourceId == requester.value() && prefix.equals(itsPrefix);
  }

  /** From now on it holds for such requests. */
  void keep(SourceId requester, PasidPrefix itsPrefix) {
    sourceId = requester.value();
    prefix = itsPrefix;
  }

  /** It holds for nobody else. */
  void forget() {
    sourceId = NOBODY;
  }
}
