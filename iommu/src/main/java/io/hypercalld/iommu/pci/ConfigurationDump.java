package io.hypercalld.iommu.pci;

import io.hypercalld.core.errno.MalformedInput;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A function's configuration space as {@code lspci -x} to {@code -xxxx} dumps it. Confined. */
final class ConfigurationDump {
  private static final int BYTES_PER_LINE = 16;
  private static final Pattern LINE =
      Pattern.compile("([0-9a-f]{2,3}): ((?:[0-9a-f]{2} ?)*)", Pattern.CASE_INSENSITIVE);

  private byte[] bytes = new byte[0];
  private int lastLine;

  boolean isEmpty() {
    return bytes.length == 0;
  }

  /** Takes a line; false where it is none of a dump. */
  boolean read(int number, String text) {
    Matcher line = LINE.matcher(text);
    if (!line.matches()) {
      return false;
    }
    byte[] row = HexFormat.of().parseHex(line.group(2).replace(" ", ""));
    int offset = Integer.parseInt(line.group(1), 16);
    if (offset != bytes.length || offset >= ConfigurationSpace.EXTENDED_BYTES) {
      throw MalformedInput.at(
          LspciListing.at(number),
          "the dump goes on at 0x%x instead of 0x%x",
          offset,
          bytes.length);
    }
    if (row.length != BYTES_PER_LINE) {
      throw MalformedInput.at(
          LspciListing.at(number), "a line of the dump has %d bytes instead of 16", row.length);
    }
    bytes = Arrays.copyOf(bytes, bytes.length + BYTES_PER_LINE);
    System.arraycopy(row, 0, bytes, offset, BYTES_PER_LINE);
    lastLine = number;
    return true;
  }

  /** Refuses a dump that ends where lspci never ends one. */
  void requireComplete(int firstLine) {
    switch (bytes.length) {
      case 0, 64, 128, 256, ConfigurationSpace.EXTENDED_BYTES -> {}
      default ->
          throw MalformedInput.at(
              LspciListing.at(Math.max(firstLine, lastLine)),
              "the dump ends after 0x%x bytes, which is too soon",
              bytes.length);
    }
  }

  /** Ids and class, where there is a dump. */
  Optional<PciIdentity> identity(String name) {
    return isEmpty() ? Optional.empty() : Optional.of(space().identity(name));
  }

  FunctionTraits traits() {
    return space().traits();
  }

  private ConfigurationSpace space() {
    return new ConfigurationSpace(bytes);
  }
}
