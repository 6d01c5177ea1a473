package io.hypercalld.core.hypercall;

import java.util.Arrays;
import java.util.HexFormat;
import java.util.Optional;

/** Bytes that a guest handle leads to, in JSON two hexadecimal digits each. Immutable. */
public final class GuestBuffer {
  private final byte[] bytes;

  private GuestBuffer(byte[] bytes) {
    this.bytes = bytes;
  }

  /** The bytes spelled so; empty where the text spells none. */
  public static Optional<GuestBuffer> parse(String text) {
    boolean spelled = text.length() % 2 == 0 && text.chars().allMatch(HexFormat::isHexDigit);
    return spelled ? Optional.of(new GuestBuffer(HexFormat.of().parseHex(text))) : Optional.empty();
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
    return other instanceof GuestBuffer that && Arrays.equals(bytes, that.bytes);
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
