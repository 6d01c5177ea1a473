package io.hypercalld.api.conformance;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
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

  /** The bytes of a word, least significant first. */
  static byte[] of(long word) {
    return ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN).putLong(word).array();
  }

  static byte[] of(int word) {
    return ByteBuffer.allocate(Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN).putInt(word).array();
  }

  /** The word that eight bytes are. */
  static long word(byte[] bytes) {
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong();
  }

  /** The number that four bytes are. */
  static int number(byte[] bytes) {
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getInt();
  }

  int length() {
    return bytes.length;
  }

  /** A copy of {@code length} bytes; what lies beyond the end is zero. */
  byte[] part(int offset, int length) {
    return Arrays.copyOf(
        Arrays.copyOfRange(bytes, Math.min(offset, bytes.length), bytes.length), length);
  }

  boolean equal(byte[] others) {
    return Arrays.equals(bytes, others);
  }

  @Override
  public String toString() {
    return HexFormat.of().formatHex(bytes);
  }
}
