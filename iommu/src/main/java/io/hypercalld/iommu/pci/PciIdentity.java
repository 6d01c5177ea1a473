package io.hypercalld.iommu.pci;

/**
 * Who made a function and what it is for. Immutable.
 *
 * @param vendorId 16 bits
 * @param deviceId 16 bits
 * @param classCode 24 bits: base class, subclass, programming interface
 * @param description for people; one line, may be empty
 */
public record PciIdentity(int vendorId, int deviceId, int classCode, String description) {
  private static final int PROGRAMMING_INTERFACE_BITS = 8;

  public PciIdentity {
    require("vendor id", vendorId, 0xffff);
    require("device id", deviceId, 0xffff);
    require("class code", classCode, 0xff_ffff);
  }

  private static void require(String what, int value, int max) {
    if (value < 0 || value > max) {
      throw new IllegalArgumentException(
          "a PCI %s is at most 0x%x: 0x%x".formatted(what, max, value));
    }
  }

  /** The class code without its programming interface: {@code 0x0604} for a PCI bridge. */
  public int baseAndSubclass() {
    return classCode >>> PROGRAMMING_INTERFACE_BITS;
  }
}
