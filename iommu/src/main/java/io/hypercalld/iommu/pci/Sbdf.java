package io.hypercalld.iommu.pci;

import java.util.Comparator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The address of a PCI function: segment, bus, device, function. Immutable. */
public record Sbdf(int segment, int bus, int device, int function) implements Comparable<Sbdf> {
  private static final Pattern TEXT =
      Pattern.compile("(?:([0-9a-fA-F]{1,4}):)?([0-9a-fA-F]{1,2}):([0-9a-fA-F]{1,2})\\.([0-7])");
  private static final Comparator<Sbdf> ORDER =
      Comparator.comparingInt(Sbdf::segment).thenComparing(Sbdf::sourceId);

  public Sbdf {
    require("segment", segment, 0xffff);
    require("bus", bus, 0xff);
    require("device", device, 0x1f);
    require("function", function, 0x7);
  }

  private static void require(String part, int value, int max) {
    if (value < 0 || value > max) {
      throw new IllegalArgumentException(
          "a PCI %s is between 0x0 and 0x%x: 0x%x".formatted(part, max, value));
    }
  }

  /**
   * The address that the text names: {@code 0000:03:00.0}, or {@code 03:00.0} in segment 0.
   *
   * @throws IllegalArgumentException where it names none, with one sentence that says so
   */
  public static Sbdf parse(String text) {
    Matcher matcher = TEXT.matcher(text);
    if (!matcher.matches()) {
      throw new IllegalArgumentException(
          "\"%s\" is not a PCI address such as 0000:03:00.0".formatted(text));
    }
    String segment = matcher.group(1);
    return new Sbdf(
        segment == null ? 0 : Integer.parseInt(segment, 16),
        Integer.parseInt(matcher.group(2), 16),
        Integer.parseInt(matcher.group(3), 16),
        Integer.parseInt(matcher.group(4), 16));
  }

  /**
   * The address in a hypercall's {@code machine_sbdf}: segment in bits 31:16, requester id below.
   */
  public static Sbdf ofMachineSbdf(int machineSbdf) {
    return new SourceId(machineSbdf & 0xffff).in(machineSbdf >>> 16);
  }

  /** The address as a hypercall's {@code machine_sbdf}. */
  public int machineSbdf() {
    return segment << 16 | sourceId().value();
  }

  /** The requester id of the function inside its segment. */
  public SourceId sourceId() {
    return SourceId.of(bus, device << 3 | function);
  }

  @Override
  public int compareTo(Sbdf other) {
    return ORDER.compare(this, other);
  }

  /** The long form: {@code 0000:03:00.0}. */
  @Override
  public String toString() {
    return "%04x:%02x:%02x.%x".formatted(segment, bus, device, function);
  }
}
