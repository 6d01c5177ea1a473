package io.hypercalld.api.client;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Lines as xl prints them. Never instantiated.
 *
 * @see "Xen tools/xl/xl_info.c, list_domains; xl_pci.c, pcilist"
 */
final class XlText {
  static final String DOMAINS =
      "Name                                        ID   Mem VCPUs\tState\tTime(s)";
  static final String DEVICES = "Vdev Device";

  private static final String SHUTDOWN_REASONS = "-rscwS";
  private static final int DYING = 0;
  private static final int SHUTDOWN = 2;
  private static final int PAUSED = 3;
  private static final int BLOCKED = 4;
  private static final int RUNNING = 5;
  private static final int REASON_SHIFT = 16;
  private static final int REASON_MASK = 0xff;
  private static final int MEBIBYTE_SHIFT = 20;
  private static final double NANOSECONDS = 1e9;

  private XlText() {}

  /**
   * A domain.
   *
   * @param domain as {@code GET /v1/domains} has it
   * @param known what {@code domctl.getdomaininfo} returns
   */
  static String domain(@Nullable Object domain, @Nullable Object known) {
    return "%-40s %5d %5d %5d     %s  %8.1f"
        .formatted(
            Tree.textAt(domain, "name").orElse(""),
            integer(domain, "domid"),
            integer(domain, "memoryBytes") >>> MEBIBYTE_SHIFT,
            integer(domain, "vcpus"),
            state(Long.decode(Tree.textAt(known, "flags").orElse("0"))),
            integer(known, "cpu_time") / NANOSECONDS);
  }

  /** The letters of XEN_DOMINF's flags; the reason of a shutdown is the fifth. */
  private static String state(long flags) {
    boolean down = isSet(flags, SHUTDOWN);
    int reason = down ? (int) (flags >>> REASON_SHIFT) & REASON_MASK : 0;
    return letter(flags, RUNNING, 'r')
        + letter(flags, BLOCKED, 'b')
        + letter(flags, PAUSED, 'p')
        + (down ? "s" : "-")
        + (reason < SHUTDOWN_REASONS.length() ? SHUTDOWN_REASONS.charAt(reason) : '?')
        + letter(flags, DYING, 'd');
  }

  private static String letter(long flags, int bit, char letter) {
    return Character.toString(isSet(flags, bit) ? letter : '-');
  }

  private static boolean isSet(long flags, int bit) {
    return (flags >>> bit & 1) != 0;
  }

  /** The UUID and the reason of a shutdown, which {@code list -v} adds. */
  static String details(@Nullable Object domain, @Nullable Object known) {
    long flags = Long.decode(Tree.textAt(known, "flags").orElse("0"));
    String reason =
        isSet(flags, SHUTDOWN)
            ? "%8x".formatted(flags >>> REASON_SHIFT & REASON_MASK)
            : "%8s".formatted("-");
    return " %s %s %16s".formatted(Tree.textAt(domain, "uuid").orElse(""), reason, "-");
  }

  /** A device that a guest has; empty where the guest does not see it. */
  static Optional<String> attached(@Nullable Object device) {
    return Tree.textAt(device, "guestBdf")
        .map(
            place ->
                "%s %s"
                    .formatted(
                        place.substring(place.lastIndexOf(':') + 1),
                        Tree.textAt(device, "sbdf").orElse("")));
  }

  /** A device that can be had; its name, which none has, would follow the space. */
  static String assignable(@Nullable Object device) {
    return Tree.textAt(device, "sbdf").orElse("") + " ";
  }

  /** What {@code xl info} says of a machine, as far as it is simulated. */
  static List<String> machine(@Nullable Object machine, int processors) {
    boolean passthrough =
        !Tree.textAt(machine, "passthrough.enabled").orElse("").equals("disabled");
    boolean shared = Boolean.TRUE.equals(Tree.at(machine, "passthrough.sharePt"));
    return List.of(
        line("host", Tree.textAt(machine, "platform.name").orElse("")),
        line("nr_cpus", processors),
        line("max_cpu_id", processors - 1),
        line(
            "virt_caps",
            "pv hvm%s hap%s"
                .formatted(
                    passthrough ? " hvm_directio pv_directio" : "",
                    shared ? " iommu_hap_pt_share" : "")),
        line("total_memory", integer(machine, "memory.totalBytes") >>> MEBIBYTE_SHIFT),
        line("free_memory", integer(machine, "memory.freeBytes") >>> MEBIBYTE_SHIFT));
  }

  static String line(String name, Object value) {
    return String.format(Locale.ROOT, "%-23s: %s", name, value);
  }

  static long integer(@Nullable Object tree, String path) {
    return Tree.at(tree, path) instanceof Number number ? number.longValue() : 0;
  }
}
