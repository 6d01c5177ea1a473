package io.hypercalld.iommu.unit;

import io.hypercalld.iommu.pci.SourceId;
import io.hypercalld.iommu.vtd.PasidPrefix;

/**
 * Address spaces that context cache and PASID cache have found together, so that the next request
 * like it asks neither. Confined to the machine thread.
 *
 * <p>Knows nothing that the two do not: whoever takes something out of them, or withdraws a mark of
 * a hit, has everything here forgotten. So it is no state of its own, and in no digest.
 */
final class RecentSpaces {
  private static final int ENTRIES = 64;
  private static final int MASK = ENTRIES - 1;

  /** None before the first request. */
  private AddressSpace[] spaces = {};

  private boolean empty = true;

  /** Where the space of such requests is noted, if it is. */
  AddressSpace of(SourceId requester, PasidPrefix prefix) {
    if (spaces.length == 0) {
      makeRoom();
    }
    return spaces[(requester.value() + prefix.pasid()) & MASK];
  }

  private void makeRoom() {
    spaces = new AddressSpace[ENTRIES];
    for (int each = 0; each < ENTRIES; each++) {
      spaces[each] = new AddressSpace();
    }
  }

  /** Notes what {@link #of} gave, and both caches have answered and marked. */
  void note(AddressSpace space, SourceId requester, PasidPrefix prefix) {
    space.keep(requester, prefix);
    empty = false;
  }

  /** One of the caches has lost something. */
  void forget() {
    if (!empty) {
      empty = true;
      for (AddressSpace space : spaces) {
        space.forget();
      }
    }
  }
}
