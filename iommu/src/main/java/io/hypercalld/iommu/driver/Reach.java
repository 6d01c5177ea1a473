package io.hypercalld.iommu.driver;

import java.util.Collections;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The address spaces that a device's requests go through. Immutable.
 *
 * @param deviceTlb whether the device may keep translations, as far as the unit lets it
 * @param pasids whether its requests may carry a PASID
 * @param requestPasid whose space requests without PASID go through
 * @param spaces by PASID; requests of any other are blocked
 */
record Reach(
    boolean deviceTlb, boolean pasids, int requestPasid, SortedMap<Integer, AddressSpace> spaces) {
  Reach {
    spaces = Collections.unmodifiableSortedMap(new TreeMap<>(spaces));
  }

  /** One space, for requests without PASID. */
  static Reach of(AddressSpace space) {
    return new Reach(true, false, 0, new TreeMap<>(Collections.singletonMap(0, space)));
  }
}
