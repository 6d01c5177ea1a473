package io.hypercalld.iommu.pci;

import io.hypercalld.core.errno.MalformedInput;
import io.hypercalld.iommu.pci.PciKind.ExpressType;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The indented lines about one function, as {@code lspci -vv} prints them. Confined. */
final class ListedDetails {
  private static final Pattern BUS =
      Pattern.compile(
          "Bus: primary=[0-9a-f]{2}, secondary=([0-9a-f]{2}), subordinate=([0-9a-f]{2}).*");
  private static final Pattern PHANTOM = Pattern.compile(".*\\bPhantFunc ([0137])\\b.*");
  private static final Pattern VF_COUNTS =
      Pattern.compile("Initial VFs: .*Total VFs: (\\d+), Number of VFs: (\\d+).*");
  private static final Pattern VF_PLACES =
      Pattern.compile("VF offset: (\\d+), stride: (\\d+), Device ID: ([0-9a-f]{4}).*");
  private static final int MOST = 0xffff;

  private boolean detailed;
  private boolean capabilitiesHidden;
  private Optional<ExpressType> express = Optional.empty();
  private int secondary = -1;
  private int subordinate = -1;
  private int phantomFunctions;
  private boolean msiX;
  private boolean ats;
  private boolean busMaster;
  private boolean vfsEnabled;
  private int totalVfs;
  private int numVfs;
  private Optional<SriovCapability> sriov = Optional.empty();

  /** Takes one line, stripped of its indentation. */
  void read(int number, String line) {
    // Capabilities have flags and controls of their own further down.
    if (!detailed && (line.startsWith("Control:") || line.startsWith("Flags:"))) {
      detailed = true;
      busMaster = line.contains("BusMaster+") || line.contains("bus master");
    } else if (line.startsWith("Capabilities:")) {
      readCapability(line);
    } else if (line.startsWith("Bus:")) {
      readBuses(number, line);
    } else if (line.startsWith("DevCap:")) {
      Matcher phantom = PHANTOM.matcher(line);
      phantomFunctions = phantom.matches() ? Integer.parseInt(phantom.group(1)) : 0;
    } else if (line.startsWith("IOVCtl:")) {
      vfsEnabled = line.contains("Enable+");
    } else {
      readVirtualFunctions(number, line);
    }
  }

  private void readCapability(String line) {
    capabilitiesHidden |= line.contains("<access denied>");
    msiX |= line.contains("] MSI-X: ");
    ats |= line.contains("] Address Translation Service (ATS)");
    if (line.contains("] Express ")) {
      express = Optional.of(expressType(line));
    }
  }

  private static ExpressType expressType(String line) {
    if (line.contains("PCI-Express to PCI/PCI-X Bridge")) {
      return ExpressType.PCIE_TO_PCI_BRIDGE;
    }
    return line.contains("PCI/PCI-X to PCI-Express Bridge")
        ? ExpressType.PCI_TO_PCIE_BRIDGE
        : ExpressType.PORT_OR_ENDPOINT;
  }

  private void readBuses(int number, String line) {
    Matcher buses = BUS.matcher(line);
    if (!buses.matches()) {
      throw MalformedInput.at(
          LspciListing.at(number), "the Bus line does not name the buses behind a bridge");
    }
    secondary = Integer.parseInt(buses.group(1), 16);
    subordinate = Integer.parseInt(buses.group(2), 16);
  }

  private void readVirtualFunctions(int number, String line) {
    Matcher counts = VF_COUNTS.matcher(line);
    Matcher places = VF_PLACES.matcher(line);
    if (counts.matches()) {
      totalVfs = number16(number, counts.group(1));
      numVfs = vfsEnabled ? number16(number, counts.group(2)) : 0;
      if (numVfs > totalVfs) {
        throw MalformedInput.at(
            LspciListing.at(number), "%d of %d virtual functions are enabled", numVfs, totalVfs);
      }
    } else if (places.matches()) {
      sriov =
          SriovCapability.ifPlaceable(
              totalVfs,
              numVfs,
              number16(number, places.group(1)),
              number16(number, places.group(2)),
              Integer.parseInt(places.group(3), 16));
    }
  }

  private static int number16(int number, String digits) {
    if (digits.length() > 5 || Integer.parseInt(digits) > MOST) {
      throw MalformedInput.at(LspciListing.at(number), "%s does not fit 16 bits", digits);
    }
    return Integer.parseInt(digits);
  }

  FunctionTraits traits() {
    return new FunctionTraits(
        detailed,
        detailed && !capabilitiesHidden,
        express,
        secondary,
        subordinate,
        sriov,
        phantomFunctions,
        msiX,
        ats,
        busMaster || !detailed);
  }
}
