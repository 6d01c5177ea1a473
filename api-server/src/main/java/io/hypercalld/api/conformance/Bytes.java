package io.hypercalld.api.conformance;

import java.util.Arrays;
import java.util.HexFormat;

/** The bytes that a request moves. Immutable. */
final class Bytes {
  static final Bytes NONE = new Bytes(new byte[0]);

  private final byte[] bytes;

  /** Takes the array over: nobody may change it any more. */
  Bytes(byte[] bytes) {
    this.bytes = bytes;
  }

  int length() {
    return bytes.length;
  }

  /** A copy of {@code length} bytes; what lies beyond the end is zero. */
  byte[] part(int offset, int length) {
    return Arrays.copyOfRange(bytes, offset, offset + length);
  }

  boolean equal(byte[] others) {
    return Arrays.equals(bytes, others);
  }

  @Override
  public String toString() {
    return HexFormat.of().formatHex(bytes);
  }
}
