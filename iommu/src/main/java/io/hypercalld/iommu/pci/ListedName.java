package io.hypercalld.iommu.pci;

import io.hypercalld.core.errno.MalformedInput;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What a listing's first line about a function says after the address. Immutable.
 *
 * @param identity empty where the listing has names only
 * @param name the names, for people
 */
record ListedName(Optional<PciIdentity> identity, String name) {
  private static final String REVISION = "(?: \\(rev [0-9a-f]{2}\\))?";
  private static final String INTERFACE = "(?: \\(prog-if ([0-9a-f]{2}).*)?";

  /** {@code -nn}: {@code Host bridge [0600]: Intel Corporation DMI2 [8086:3c00] (rev 07)}. */
  private static final Pattern NAMES_AND_NUMBERS =
      Pattern.compile(
          "[^\\[]* ?\\[([0-9a-f]{4})\\]: (.*?) ?\\[([0-9a-f]{4}):([0-9a-f]{4})\\]"
              + REVISION
              + INTERFACE
              + "(?: \\[.*\\])?",
          Pattern.CASE_INSENSITIVE);

  /** {@code -nn} of a name so long that lspci cuts it, and with it the numbers. */
  private static final Pattern CUT_NAMES =
      Pattern.compile(
          "[^\\[]* ?\\[([0-9a-f]{4})\\]: (.*?)(?: \\[[0-9a-f:]*)?\\.\\.\\." + REVISION + INTERFACE,
          Pattern.CASE_INSENSITIVE);

  private static final int NO_ID = 0xffff;

  /** {@code -n}: {@code 0600: 8086:3c00 (rev 07)}. */
  private static final Pattern NUMBERS =
      Pattern.compile(
          "([0-9a-f]{4}): ()([0-9a-f]{4}):([0-9a-f]{4})" + REVISION + INTERFACE,
          Pattern.CASE_INSENSITIVE);

  /** Neither: {@code Host bridge: Intel Corporation DMI2 (rev 07)}. */
  private static final Pattern NAMES = Pattern.compile("[^:]+: (.+?)(?: \\(rev .*)?");

  static ListedName parse(int line, String text) {
    Matcher names = NAMES_AND_NUMBERS.matcher(text);
    if (names.matches()) {
      return numbered(names);
    }
    Matcher numbers = NUMBERS.matcher(text);
    if (numbers.matches()) {
      return numbered(numbers);
    }
    Matcher cut = CUT_NAMES.matcher(text);
    if (cut.matches()) {
      return named(cut.group(2), NO_ID, NO_ID, classCode(cut.group(1), cut.group(3)));
    }
    Matcher name = NAMES.matcher(text);
    if (name.matches()) {
      return new ListedName(Optional.empty(), name.group(1));
    }
    throw MalformedInput.at(
        LspciListing.at(line), "no class and vendor:device follow the function's address");
  }

  private static ListedName numbered(Matcher matcher) {
    return named(
        matcher.group(2),
        Integer.parseInt(matcher.group(3), 16),
        Integer.parseInt(matcher.group(4), 16),
        classCode(matcher.group(1), matcher.group(5)));
  }

  private static ListedName named(String name, int vendorId, int deviceId, int classCode) {
    return new ListedName(Optional.of(new PciIdentity(vendorId, deviceId, classCode, name)), name);
  }

  private static int classCode(String baseAndSubclass, @Nullable String programmingInterface) {
    int lowest = programmingInterface == null ? 0 : Integer.parseInt(programmingInterface, 16);
    return Integer.parseInt(baseAndSubclass, 16) << 8 | lowest;
  }
}
