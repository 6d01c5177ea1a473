package io.hypercalld.core.bits;

import java.util.Arrays;
import java.util.HexFormat;
import java.util.Optional;

/**
 * Bytes that people read and write in hexadecimal, two digits each, lowest address first.
 * Immutable.
 */
public final class HexBytes {
  public static final HexBytes NONE = new HexBytes(new byte[0]);

  private final byte[] bytes;

  /** Bytes that nobody else changes any more. */
  public HexBytes(byte[] bytes) {
    this.bytes = bytes;
  }

  /** The bytes spelled so; empty where the text spells none. */
  public static Optional<HexBytes> parse(String text) {
    boolean spelled = text.length() % 2 == 0 && text.chars().allMatch(HexFormat::isHexDigit);
    return spelled ? Optional.of(new HexBytes(HexFormat.of().parseHex(text))) : Optional.empty();
  }

  /** A copy. */
  public byte[] toByteArray() {
    return bytes.clone();
  }

  public int length() {
    return bytes.length;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof HexBytes that && Arrays.equals(bytes, that.bytes);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(bytes);
  }

  @Override
  public String toString() {
    return HexFormat.of().formatHex(bytes);
  }
}
