package io.hypercalld.iommu.pci;

import java.util.Optional;

/**
 * One PCI function as configuration space shows it. Immutable.
 *
 * @param buses the buses below, of a bridge that has been given some
 * @param sriov of a physical function
 * @param physicalFunction of a virtual function
 * @param phantomStride distance in function numbers between the requester ids that the function
 *     uses: 1, 2 or 4; 0 where it uses only its own
 */
public record PciFunction(
    Sbdf sbdf,
    PciIdentity identity,
    PciKind kind,
    Optional<BusRange> buses,
    Optional<SriovCapability> sriov,
    Optional<Sbdf> physicalFunction,
    int phantomStride,
    boolean msiX,
    boolean busMaster) {
  public PciFunction {
    check(
        phantomStride == 0 || phantomStride == 1 || phantomStride == 2 || phantomStride == 4,
        "phantom functions have a stride of 1, 2 or 4");
    check(buses.isEmpty() || kind.isBridge(), "only a bridge has buses below it");
    // Numbering grows downwards, so a search from bus to bridge always ends.
    check(
        buses.isEmpty() || buses.get().secondary() > sbdf.bus(),
        "the bus below a bridge is numbered higher than its own");
    check(
        sriov.isEmpty() || physicalFunction.isEmpty(),
        "a virtual function has no virtual functions of its own");
    if (sriov.isPresent()) {
      check(
          sriov.get().fits(sbdf, sriov.get().numVfs()),
          "the last virtual function would lie beyond bus 0xff");
    }
  }

  private static void check(boolean holds, String rule) {
    if (!holds) {
      throw new IllegalArgumentException(rule);
    }
  }

  /** A function that masters the bus and has nothing special; refine it with the methods below. */
  public static PciFunction of(Sbdf sbdf, PciIdentity identity, PciKind kind) {
    return new PciFunction(
        sbdf, identity, kind, Optional.empty(), Optional.empty(), Optional.empty(), 0, false, true);
  }

  public PciFunction withBuses(BusRange range) {
    return new PciFunction(
        sbdf,
        identity,
        kind,
        Optional.of(range),
        sriov,
        physicalFunction,
        phantomStride,
        msiX,
        busMaster);
  }

  public PciFunction withSriov(SriovCapability capability) {
    return new PciFunction(
        sbdf,
        identity,
        kind,
        buses,
        Optional.of(capability),
        physicalFunction,
        phantomStride,
        msiX,
        busMaster);
  }

  /** The same function as a virtual function of {@code pf}. */
  public PciFunction asVirtualFunctionOf(Sbdf pf) {
    return new PciFunction(
        sbdf, identity, kind, buses, sriov, Optional.of(pf), phantomStride, msiX, busMaster);
  }

  public PciFunction withPhantomStride(int stride) {
    return new PciFunction(
        sbdf, identity, kind, buses, sriov, physicalFunction, stride, msiX, busMaster);
  }

  public PciFunction withMsiX(boolean present) {
    return new PciFunction(
        sbdf, identity, kind, buses, sriov, physicalFunction, phantomStride, present, busMaster);
  }

  /** The same function with the command register's bus-master enable set or clear. */
  public PciFunction withBusMaster(boolean enabled) {
    return new PciFunction(
        sbdf, identity, kind, buses, sriov, physicalFunction, phantomStride, msiX, enabled);
  }

  public boolean isVirtual() {
    return physicalFunction.isPresent();
  }

  /** Number of virtual functions enabled. */
  public int numVfs() {
    return sriov.map(SriovCapability::numVfs).orElse(0);
  }
}
