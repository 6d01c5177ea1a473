package io.hypercalld.iommu.unit;

import io.hypercalld.iommu.vtd.DmaAccess;

/** The walk of an address space's tables, whichever it has. Confined to the machine thread. */
final class SpaceWalk {
  private final SecondStageWalk secondLevel;
  private final FirstLevelWalk firstLevel;

  private SpaceWalk(SecondStageWalk secondLevel, FirstLevelWalk firstLevel) {
    this.secondLevel = secondLevel;
    this.firstLevel = firstLevel;
  }

  /** The walk of hardware. */
  static SpaceWalk of(WalkTools tools) {
    SecondStageWalk secondLevel = SecondStageWalk.of(tools);
    return new SpaceWalk(secondLevel, FirstLevelWalk.of(tools, secondLevel));
  }

  /** A walk that ends as hardware's would, but leaves no trace except the one it tells. */
  static SpaceWalk traced(WalkTools tools, WalkTrace trace) {
    SecondStageWalk secondLevel = SecondStageWalk.traced(tools, trace);
    return new SpaceWalk(secondLevel, FirstLevelWalk.traced(tools, secondLevel, trace));
  }

  /**
   * The page that translates {@code iova}, or the reason why there is none: a {@link Leaf} word.
   *
   * @param iova an address within the tables' reach
   */
  long walk(AddressSpace space, long iova, DmaAccess access) {
    return JudgedPasid.isSecondLevelOnly(space.judged)
        ? ScalableReasons.of(secondLevel.walk(space, iova, access))
        : firstLevel.walk(space, iova, access);
  }
}
