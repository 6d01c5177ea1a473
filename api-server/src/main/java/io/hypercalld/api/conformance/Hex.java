package io.hypercalld.api.conformance;

import java.util.HexFormat;

/** Numbers and bytes as recordings spell them. */
final class Hex {
  private Hex() {}

  /**
   * A number of up to 64 bits: hexadecimal behind {@code 0x}, else decimal.
   *
   * @throws UnreadableRecording where it is none
   */
  static long parse(String text) {
    try {
      return text.startsWith("0x")
          ? Long.parseUnsignedLong(text, 2, text.length(), 16)
          : Long.parseLong(text);
    } catch (NumberFormatException e) {
      throw new UnreadableRecording("not a number: " + text);
    }
  }

  /** Two digits a byte, no prefix. */
  static byte[] bytes(String text) {
    try {
      return HexFormat.of().parseHex(text);
    } catch (IllegalArgumentException e) {
      throw new UnreadableRecording("not bytes: " + text);
    }
  }

  static String of(long value) {
    return "0x" + Long.toHexString(value);
  }
}
