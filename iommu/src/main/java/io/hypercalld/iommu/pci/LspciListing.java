package io.hypercalld.iommu.pci;

import io.hypercalld.core.errno.MalformedInput;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads what {@code lspci} prints. Confined to its caller.
 *
 * @see "pciutils, lspci.8"
 */
/*
 * A listing is a sequence of blocks. A block begins at the left margin with a function's address;
 * what belongs to it is indented ({@code -v}), or is a line of a hexadecimal dump ({@code -x}).
 * Everything else is foreign, and refused: half a listing would be a machine with half its devices,
 * which no table of firmware fits.
 *
 * Functions whose domain has more than 16 bits are left out. Linux invents such domains for what a
 * volume management device hides behind itself: no remapping unit ever sees their addresses.
 */
public final class LspciListing {
  private static final Pattern FUNCTION =
      Pattern.compile(
          "(?:([0-9a-f]{4,8}):)?([0-9a-f]{2}):([01][0-9a-f])\\.([0-7]) (.*)",
          Pattern.CASE_INSENSITIVE);

  /** What the tools say on their error output often ends up in the same file. */
  private static final Pattern TOOL_MESSAGE = Pattern.compile("(?:pcilib|lspci): .*");

  private static final int MOST_CHARACTERS_PER_LINE = 4096;
  private static final int MOST_SEGMENT = 0xffff;

  private final Map<Sbdf, ListedFunction> functions = new TreeMap<>();
  private Optional<ListedFunction> current = Optional.empty();
  private boolean inForeignDomain;

  private LspciListing() {}

  /**
   * The functions in a listing as {@code lspci -vvnn}, {@code -nn} or {@code -xxxx} prints it, in
   * order of address. Virtual functions are linked to their physical functions where both are
   * listed.
   *
   * <p>Where a listing says nothing about capabilities, functions are taken to be PCI Express.
   *
   * @throws MalformedInput where the text is no listing, naming the line
   */
  public static List<PciFunction> parse(String text) {
    LspciListing listing = new LspciListing();
    int number = 0;
    for (String line : text.lines().toList()) {
      listing.read(++number, line);
    }
    if (listing.functions.isEmpty()) {
      throw MalformedInput.at(at(Math.max(1, number)), "the listing names no PCI function");
    }
    List<PciFunction> functions = new ArrayList<>();
    listing.functions.values().forEach(listed -> functions.add(listed.finish()));
    return VirtualFunctions.linked(functions);
  }

  static String at(int line) {
    return "line " + line;
  }

  private void read(int number, String line) {
    if (line.length() > MOST_CHARACTERS_PER_LINE) {
      throw MalformedInput.at(at(number), "a line of %d characters", line.length());
    }
    if (line.isBlank() || TOOL_MESSAGE.matcher(line).matches()) {
      return;
    }
    Matcher function = FUNCTION.matcher(line);
    if (function.matches()) {
      begin(number, function);
    } else if (!inForeignDomain) {
      continuation(number, line);
    }
  }

  private void begin(int number, Matcher line) {
    String domain = line.group(1);
    long segment = domain == null ? 0 : Long.parseLong(domain, 16);
    inForeignDomain = segment > MOST_SEGMENT;
    if (inForeignDomain) {
      return;
    }
    Sbdf sbdf =
        new Sbdf(
            (int) segment,
            Integer.parseInt(line.group(2), 16),
            Integer.parseInt(line.group(3), 16),
            Integer.parseInt(line.group(4), 16));
    ListedFunction function =
        new ListedFunction(number, sbdf, ListedName.parse(number, line.group(5)));
    ListedFunction earlier = functions.putIfAbsent(sbdf, function);
    if (earlier != null) {
      throw MalformedInput.at(at(number), "%s is listed already on line %d", sbdf, earlier.line());
    }
    current = Optional.of(function);
  }

  private void continuation(int number, String line) {
    ListedFunction function =
        current.orElseThrow(
            () -> MalformedInput.at(at(number), "not a line of lspci: %s", excerpt(line)));
    if (Character.isWhitespace(line.charAt(0))) {
      function.detail(number, line.strip());
    } else if (!function.dump(number, line)) {
      throw MalformedInput.at(at(number), "not a line of lspci: %s", excerpt(line));
    }
  }

  private static String excerpt(String line) {
    String printable = line.replaceAll("[^\\x20-\\x7e]", "?");
    return printable.length() <= 40 ? printable : printable.substring(0, 40) + "...";
  }
}
