package io.hypercalld.iommu.acpi;

import io.hypercalld.core.errno.MalformedInput;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * A part of a table: bytes between two offsets, little-endian. Immutable.
 *
 * <p>Offsets are those of the whole table, so that they can be named in a complaint. Whoever reads
 * has checked the part's length first; a read outside is a programming error.
 */
final class TableBytes {
  private final ByteBuffer bytes;
  private final int start;
  private final int end;

  /**
   * @param bytes not changed by anybody from now on
   */
  TableBytes(byte[] bytes) {
    this(ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN), 0, bytes.length);
  }

  private TableBytes(ByteBuffer bytes, int start, int end) {
    if (start < 0 || start > end || end > bytes.capacity()) {
      throw new IllegalStateException("no bytes 0x%x to 0x%x".formatted(start, end));
    }
    this.bytes = bytes;
    this.start = start;
    this.end = end;
  }

  /** The bytes from one offset of the table up to another, exclusive. */
  TableBytes part(int from, int to) {
    return new TableBytes(bytes, from, to);
  }

  /** Offset of the first byte in the whole table. */
  int start() {
    return start;
  }

  /** Offset after the last byte in the whole table. */
  int end() {
    return end;
  }

  int length() {
    return end - start;
  }

  int u8(int offset) {
    return bytes.get(offset) & 0xff;
  }

  int u16(int offset) {
    return bytes.getShort(offset) & 0xffff;
  }

  int u32(int offset) {
    return bytes.getInt(offset);
  }

  long u64(int offset) {
    return bytes.getLong(offset);
  }

  /** {@code length} bytes as text, one character each. */
  String text(int offset, int length) {
    byte[] raw = new byte[length];
    bytes.get(offset, raw);
    return new String(raw, StandardCharsets.ISO_8859_1);
  }

  /** Whether all bytes between two offsets are zero. */
  boolean isZero(int from, int to) {
    for (int at = from; at < to; at++) {
      if (u8(at) != 0) {
        return false;
      }
    }
    return true;
  }

  /** A place in the whole table, as complaints name it. */
  static String at(int offset) {
    return "offset 0x%x".formatted(offset);
  }

  /** Refuses a part shorter than its fixed members. */
  void requireLength(String what, int least) {
    if (length() < least) {
      throw MalformedInput.at(
          at(start), "%s of %d bytes is shorter than %d", what, length(), least);
    }
  }
}
