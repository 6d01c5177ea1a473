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
 * @param isHidden whether the hypervisor keeps the function to itself, as it does its console
 * @param msiXMasked whether the function mask bit of Message Control is set
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
    boolean msiXMasked,
    boolean busMaster,
    boolean isHidden) {
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
        sbdf,
        identity,
        kind,
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        0,
        false,
        false,
        true,
        false);
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
        msiXMasked,
        busMaster,
        isHidden);
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
        msiXMasked,
        busMaster,
        isHidden);
  }

  /** The same function as a virtual function of {@code pf}. */
  public PciFunction asVirtualFunctionOf(Sbdf pf) {
    return new PciFunction(
        sbdf,
        identity,
        kind,
        buses,
        sriov,
        Optional.of(pf),
        phantomStride,
        msiX,
        msiXMasked,
        busMaster,
        isHidden);
  }

  public PciFunction withPhantomStride(int stride) {
    return new PciFunction(
        sbdf,
        identity,
        kind,
        buses,
        sriov,
        physicalFunction,
        stride,
        msiX,
        msiXMasked,
        busMaster,
        isHidden);
  }

  public PciFunction withMsiX(boolean present) {
    return new PciFunction(
        sbdf,
        identity,
        kind,
        buses,
        sriov,
        physicalFunction,
        phantomStride,
        present,
        msiXMasked,
        busMaster,
        isHidden);
  }

  /** The same function with all of its MSI-X messages masked at once, or not. */
  public PciFunction withMsiXMasked(boolean masked) {
    return new PciFunction(
        sbdf,
        identity,
        kind,
        buses,
        sriov,
        physicalFunction,
        phantomStride,
        msiX,
        masked,
        busMaster,
        isHidden);
  }

  /** The same function with the command register's bus-master enable set or clear. */
  public PciFunction withBusMaster(boolean enabled) {
    return new PciFunction(
        sbdf,
        identity,
        kind,
        buses,
        sriov,
        physicalFunction,
        phantomStride,
        msiX,
        msiXMasked,
        enabled,
        isHidden);
  }

  /** The same function kept by the hypervisor. */
  public PciFunction hidden() {
    return new PciFunction(
        sbdf,
        identity,
        kind,
        buses,
        sriov,
        physicalFunction,
        phantomStride,
        msiX,
        msiXMasked,
        busMaster,
        true);
  }

  public boolean isVirtual() {
    return physicalFunction.isPresent();
  }

  /** Number of virtual functions enabled. */
  public int numVfs() {
    return sriov.map(SriovCapability::numVfs).orElse(0);
  }
}
