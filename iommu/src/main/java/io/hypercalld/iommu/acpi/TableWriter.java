package io.hypercalld.iommu.acpi;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/** Bytes of a table in the making, little-endian. Confined to its caller. */
final class TableWriter {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();

  TableWriter u8(int value) {
    out.write(value);
    return this;
  }

  TableWriter u16(int value) {
    return u8(value).u8(value >>> 8);
  }

  TableWriter u32(int value) {
    return u16(value).u16(value >>> 16);
  }

  TableWriter u64(long value) {
    return u32((int) value).u32((int) (value >>> 32));
  }

  /** A flags byte whose lowest bit is the only one. */
  TableWriter flag(boolean lowestBit) {
    return u8(lowestBit ? 1 : 0);
  }

  TableWriter zeros(int count) {
    out.writeBytes(new byte[count]);
    return this;
  }

  TableWriter bytes(byte[] bytes) {
    out.writeBytes(bytes);
    return this;
  }

  /** Text of exactly {@code length} bytes. */
  TableWriter text(String text, int length) {
    byte[] encoded = text.getBytes(StandardCharsets.ISO_8859_1);
    if (encoded.length != length) {
      throw new IllegalArgumentException(
          "\"%s\" does not have %d characters".formatted(text, length));
    }
    return bytes(encoded);
  }

  int size() {
    return out.size();
  }

  byte[] toBytes() {
    return out.toByteArray();
  }
}
