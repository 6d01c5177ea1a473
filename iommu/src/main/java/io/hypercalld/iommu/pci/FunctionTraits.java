package io.hypercalld.iommu.pci;

import io.hypercalld.iommu.pci.PciKind.ExpressType;
import java.util.Optional;

/**
 * What a listing tells of a function beyond its name. Immutable.
 *
 * @param isDetailed whether it tells more than the name at all
 * @param knowsCapabilities whether a capability that is not mentioned is not there
 * @param express of a function with the PCI Express capability
 * @param secondary the bus below, 0 where none was given, -1 where the listing does not say
 * @param subordinate the highest bus below
 * @param phantomFunctions requester ids that the function uses beside its own: 0, 1, 3 or 7
 */
record FunctionTraits(
    boolean isDetailed,
    boolean knowsCapabilities,
    Optional<ExpressType> express,
    int secondary,
    int subordinate,
    Optional<SriovCapability> sriov,
    int phantomFunctions,
    boolean msiX,
    boolean ats,
    boolean busMaster) {
  /** The kind of a function of this class. */
  PciKind kind(int baseAndSubclass) {
    if (express.isEmpty() && knowsCapabilities) {
      return PciKind.conventional(baseAndSubclass);
    }
    return PciKind.express(baseAndSubclass, express.orElse(ExpressType.PORT_OR_ENDPOINT));
  }
}
