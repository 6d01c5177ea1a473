package io.hypercalld.iommu.pci;

import java.util.Collections;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;

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
    Set<Feature> features) {
  /** What a function has or not. */
  public enum Feature {
    /** The capability MSI-X. */
    MSI_X,

    /** The function mask bit of Message Control, set. */
    MSI_X_MASKED,

    /** The extended capability ATS: the function may keep translations. */
    ATS,

    /** The command register's bus-master enable, set. */
    BUS_MASTER,

    /** The hypervisor keeps the function to itself, as it does its console. */
    HIDDEN
  }

  public PciFunction {
    EnumSet<Feature> ordered = EnumSet.noneOf(Feature.class);
    ordered.addAll(features);
    features = Collections.unmodifiableSet(ordered);
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
        EnumSet.of(Feature.BUS_MASTER));
  }

  /** The same function at another address, with no buses below, as where numbers change. */
  PciFunction at(Sbdf place) {
    return new PciFunction(
        place, identity, kind, Optional.empty(), sriov, physicalFunction, phantomStride, features);
  }

  public PciFunction withBuses(BusRange range) {
    return withBuses(Optional.of(range));
  }

  PciFunction withBuses(Optional<BusRange> range) {
    return new PciFunction(
        sbdf, identity, kind, range, sriov, physicalFunction, phantomStride, features);
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
        features);
  }

  /** The same function as a virtual function of {@code pf}. */
  public PciFunction asVirtualFunctionOf(Sbdf pf) {
    return new PciFunction(
        sbdf, identity, kind, buses, sriov, Optional.of(pf), phantomStride, features);
  }

  public PciFunction withPhantomStride(int stride) {
    return new PciFunction(sbdf, identity, kind, buses, sriov, physicalFunction, stride, features);
  }

  /** The same function with a feature, or without it. */
  public PciFunction with(Feature feature, boolean present) {
    EnumSet<Feature> changed = EnumSet.of(feature);
    changed.addAll(features);
    if (!present) {
      changed.remove(feature);
    }
    return new PciFunction(
        sbdf, identity, kind, buses, sriov, physicalFunction, phantomStride, changed);
  }

  public boolean msiX() {
    return features.contains(Feature.MSI_X);
  }

  public boolean msiXMasked() {
    return features.contains(Feature.MSI_X_MASKED);
  }

  public boolean ats() {
    return features.contains(Feature.ATS);
  }

  public boolean busMaster() {
    return features.contains(Feature.BUS_MASTER);
  }

  public boolean isHidden() {
    return features.contains(Feature.HIDDEN);
  }

  public boolean isVirtual() {
    return physicalFunction.isPresent();
  }

  /** Number of virtual functions enabled. */
  public int numVfs() {
    return sriov.map(SriovCapability::numVfs).orElse(0);
  }
}
