package io.hypercalld.iommu.pci;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Configuration space in the making, and as {@code lspci -xxxx} prints it. */
final class HexDump {
  private final ByteBuffer bytes;

  HexDump(int length) {
    bytes = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
    u16(0x00, 0x8086).u16(0x02, 0x1572);
  }

  HexDump u8(int offset, int value) {
    bytes.put(offset, (byte) value);
    return this;
  }

  HexDump u16(int offset, int value) {
    bytes.putShort(offset, (short) value);
    return this;
  }

  HexDump u32(int offset, int value) {
    bytes.putInt(offset, value);
    return this;
  }

  HexDump classCode(int classCode) {
    return u8(0x09, classCode).u16(0x0a, classCode >>> 8);
  }

  /** A list of one capability at 0x40. */
  HexDump capability(int id, int flags) {
    return u16(0x06, 1 << 4).u8(0x34, 0x40).u8(0x40, id).u16(0x42, flags);
  }

  String listing(String firstLine) {
    StringBuilder text = new StringBuilder(firstLine).append('\n');
    for (int at = 0; at < bytes.capacity(); at += 16) {
      text.append("%02x:".formatted(at));
      for (int column = 0; column < 16; column++) {
        text.append(" %02x".formatted(bytes.get(at + column)));
      }
      text.append('\n');
    }
    return text.append('\n').toString();
  }
}
