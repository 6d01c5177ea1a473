package io.hypercalld.iommu.pci;

import io.hypercalld.core.errno.MalformedInput;
import io.hypercalld.iommu.pci.PciFunction.Feature;

/** One block of a listing while it is read. Confined to its caller. */
final class ListedFunction {
  private final int line;
  private final Sbdf sbdf;
  private final ListedName name;
  private final ListedDetails details = new ListedDetails();
  private final ConfigurationDump dump = new ConfigurationDump();

  ListedFunction(int line, Sbdf sbdf, ListedName name) {
    this.line = line;
    this.sbdf = sbdf;
    this.name = name;
  }

  /** The line on which the block begins. */
  int line() {
    return line;
  }

  /** Takes an indented line. */
  void detail(int number, String text) {
    details.read(number, text);
  }

  /** Takes a line of a dump; false where it is none. */
  boolean dump(int number, String text) {
    return dump.read(number, text);
  }

  /** The function, once its block is complete. */
  PciFunction finish() {
    dump.requireComplete(line);
    FunctionTraits traits = dump.isEmpty() ? details.traits() : dump.traits();
    PciIdentity identity = identity();
    PciKind kind = traits.kind(identity.baseAndSubclass());
    PciFunction function =
        PciFunction.of(sbdf, identity, kind)
            .with(Feature.MSI_X, traits.msiX())
            .with(Feature.ATS, traits.ats())
            .with(Feature.BUS_MASTER, traits.busMaster())
            .withPhantomStride(phantomStride(kind, traits.phantomFunctions()));
    if (kind.isBridge()) {
      function = withBuses(function, traits);
    }
    return traits.sriov().isPresent() && kind == PciKind.PCIE_ENDPOINT
        ? withSriov(function, traits.sriov().get())
        : function;
  }

  private PciIdentity identity() {
    // The text comes first: the ids in a virtual function's own configuration space are all ones.
    return name.identity()
        .or(() -> dump.identity(name.name()))
        .orElseThrow(
            () ->
                MalformedInput.at(
                    LspciListing.at(line),
                    "%s is listed without numbers; use lspci -vvnn or -xxxx",
                    sbdf));
  }

  /** Phantom functions share the eight function numbers of the slot evenly. */
  private int phantomStride(PciKind kind, int phantomFunctions) {
    if (kind != PciKind.PCIE_ENDPOINT || phantomFunctions == 0) {
      return 0;
    }
    int stride = 8 / (phantomFunctions + 1);
    return sbdf.function() < stride ? stride : 0;
  }

  private PciFunction withBuses(PciFunction function, FunctionTraits traits) {
    if (traits.isDetailed() && traits.secondary() < 0) {
      throw MalformedInput.at(
          LspciListing.at(line), "bridge %s has no Bus line; is the listing cut off?", sbdf);
    }
    if (traits.secondary() <= 0) {
      // Nobody has given the bridge any buses: nothing can be below it.
      return function;
    }
    if (traits.secondary() <= sbdf.bus() || traits.subordinate() < traits.secondary()) {
      throw MalformedInput.at(
          LspciListing.at(line),
          "bridge %s cannot have buses %02x to %02x below it",
          sbdf,
          traits.secondary(),
          traits.subordinate());
    }
    return function.withBuses(new BusRange(traits.secondary(), traits.subordinate()));
  }

  private PciFunction withSriov(PciFunction function, SriovCapability sriov) {
    if (!sriov.fits(sbdf, sriov.numVfs())) {
      throw MalformedInput.at(
          LspciListing.at(line),
          "the last of %d virtual functions of %s would lie beyond bus ff",
          sriov.numVfs(),
          sbdf);
    }
    return function.withSriov(sriov);
  }
}
