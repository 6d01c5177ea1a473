package io.hypercalld.iommu.pci;

import io.hypercalld.iommu.pci.PciKind.ExpressType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * The bytes of a function's configuration space, as many as are there. Immutable.
 *
 * @see "PCI Local Bus 3.0 §6.1, §6.7; PCI Express Base 5.0 §7.5, §7.6, §9.3.3"
 */
final class ConfigurationSpace {
  /** All of it, extended capabilities included. */
  static final int EXTENDED_BYTES = 4096;

  private static final int CONVENTIONAL_BYTES = 256;
  private static final int HEADER_BYTES = 64;

  private static final int VENDOR_ID = 0x00;
  private static final int DEVICE_ID = 0x02;
  private static final int COMMAND = 0x04;
  private static final int BUS_MASTER_ENABLE = 1 << 2;
  private static final int STATUS = 0x06;
  private static final int CAPABILITIES_LIST = 1 << 4;
  private static final int PROGRAMMING_INTERFACE = 0x09;
  private static final int SUBCLASS = 0x0a;
  private static final int HEADER_TYPE = 0x0e;
  private static final int LAYOUT_MASK = 0x7f;
  private static final int BRIDGE_LAYOUT = 1;
  private static final int SECONDARY_BUS = 0x19;
  private static final int SUBORDINATE_BUS = 0x1a;
  private static final int CAPABILITIES_POINTER = 0x34;
  private static final int POINTER_MASK = 0xfc;

  private static final int EXPRESS = 0x10;
  private static final int EXPRESS_BYTES = 8;
  private static final int MSI_X = 0x11;
  private static final int ATS = 0x000f;
  private static final int ATS_BYTES = 8;
  private static final int SRIOV = 0x0010;
  private static final int SRIOV_BYTES = 0x1c;

  private final ByteBuffer bytes;

  /**
   * @param bytes at least a header; not changed by anybody from now on
   */
  ConfigurationSpace(byte[] bytes) {
    if (bytes.length < HEADER_BYTES) {
      throw new IllegalArgumentException("configuration space has a header of 64 bytes");
    }
    this.bytes = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  PciIdentity identity(String description) {
    return new PciIdentity(
        u16(VENDOR_ID),
        u16(DEVICE_ID),
        u16(SUBCLASS) << 8 | u8(PROGRAMMING_INTERFACE),
        description);
  }

  FunctionTraits traits() {
    boolean isBridge = (u8(HEADER_TYPE) & LAYOUT_MASK) == BRIDGE_LAYOUT;
    Optional<Integer> express = capability(EXPRESS, EXPRESS_BYTES);
    return new FunctionTraits(
        true,
        bytes.capacity() >= CONVENTIONAL_BYTES || (u16(STATUS) & CAPABILITIES_LIST) == 0,
        express.map(at -> ExpressType.ofDevicePortType(u16(at + 2) >>> 4 & 0xf)),
        isBridge ? u8(SECONDARY_BUS) : 0,
        isBridge ? u8(SUBORDINATE_BUS) : 0,
        sriov(),
        express.map(at -> (1 << (u16(at + 4) >>> 3 & 0x3)) - 1).orElse(0),
        capability(MSI_X, 0).isPresent(),
        extendedCapability(ATS, ATS_BYTES).isPresent(),
        (u16(COMMAND) & BUS_MASTER_ENABLE) != 0);
  }

  /** Where a capability is, if {@code length} bytes of it are there. */
  private Optional<Integer> capability(int id, int length) {
    if ((u16(STATUS) & CAPABILITIES_LIST) == 0 || bytes.capacity() < CONVENTIONAL_BYTES) {
      return Optional.empty();
    }
    int at = u8(CAPABILITIES_POINTER) & POINTER_MASK;
    // No list is longer than there are places for capabilities, whatever its pointers say.
    for (int left = (CONVENTIONAL_BYTES - HEADER_BYTES) / 4;
        left > 0 && at >= HEADER_BYTES;
        left--) {
      if (u8(at) == id) {
        return at + length <= CONVENTIONAL_BYTES ? Optional.of(at) : Optional.empty();
      }
      at = u8(at + 1) & POINTER_MASK;
    }
    return Optional.empty();
  }

  private Optional<SriovCapability> sriov() {
    OptionalInt found = extendedCapability(SRIOV, SRIOV_BYTES);
    if (found.isEmpty()) {
      return Optional.empty();
    }
    int at = found.getAsInt();
    boolean enabled = (u16(at + 0x08) & 1) != 0;
    int total = u16(at + 0x0e);
    return SriovCapability.ifPlaceable(
        total,
        enabled ? Math.min(total, u16(at + 0x10)) : 0,
        u16(at + 0x14),
        u16(at + 0x16),
        u16(at + 0x1a));
  }

  private OptionalInt extendedCapability(int id, int length) {
    int at = bytes.capacity() == EXTENDED_BYTES ? CONVENTIONAL_BYTES : 0;
    for (int left = EXTENDED_BYTES / 4; left > 0 && at >= CONVENTIONAL_BYTES; left--) {
      int header = bytes.getInt(at);
      if ((header & 0xffff) == id) {
        return at + length <= EXTENDED_BYTES ? OptionalInt.of(at) : OptionalInt.empty();
      }
      at = header >>> 20 & 0xffc;
    }
    return OptionalInt.empty();
  }

  private int u8(int offset) {
    return bytes.get(offset) & 0xff;
  }

  private int u16(int offset) {
    return bytes.getShort(offset) & 0xffff;
  }
}
