package io.hypercalld.api.client;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Which device of the host a guest is to get, and where: {@code
 * [DDDD:]BB:SS.F[@VSLOT][,KEY=VALUE]*}. Immutable.
 *
 * @param slot segment, bus and slot: {@code 0000:03:10}
 * @param function empty for all that are there, which is spelled {@code *}
 * @param virtualSlot the guest's slot on its bus 0; the first free one where empty
 * @param relaxed whether reserved memory that is in the way is no obstacle: {@code
 *     rdm_policy=relaxed}
 * @see "Xen docs/man/xl-pci-configuration.5.pod"
 */
record PciSpec(String slot, OptionalInt function, OptionalInt virtualSlot, boolean relaxed) {
  private static final int HEXADECIMAL = 16;
  private static final String HEX = "[0-9a-fA-F]";
  private static final Pattern ADDRESS =
      Pattern.compile(
          "(?:(%1$s{1,4}):)?(%1$s{1,2}):([01]?%1$s)\\.([0-7*])(?:@([01]?%1$s))?((?:,[^,]+)*)"
              .formatted(HEX));
  private static final Pattern FLAG =
      Pattern.compile("(?:permissive|msitranslate|seize|power_mgmt)=[01]");
  private static final Pattern RDM_POLICY = Pattern.compile("rdm_policy=(strict|relaxed)");

  /** What a string names; empty where it is none. */
  static Optional<PciSpec> parse(String text) {
    Matcher address = ADDRESS.matcher(text);
    if (!address.matches()) {
      return Optional.empty();
    }
    boolean relaxed = false;
    for (String option : options(address.group(6))) {
      Matcher policy = RDM_POLICY.matcher(option);
      if (policy.matches()) {
        relaxed = policy.group(1).equals("relaxed");
      } else if (!FLAG.matcher(option).matches()) {
        return Optional.empty();
      }
    }
    String slot =
        "%04x:%02x:%02x"
            .formatted(
                number(Optional.ofNullable(address.group(1)).orElse("0")),
                number(address.group(2)),
                number(address.group(3)));
    OptionalInt function =
        address.group(4).equals("*")
            ? OptionalInt.empty()
            : OptionalInt.of(number(address.group(4)));
    OptionalInt virtualSlot =
        address.group(5) == null ? OptionalInt.empty() : OptionalInt.of(number(address.group(5)));
    return Optional.of(new PciSpec(slot, function, virtualSlot, relaxed));
  }

  private static List<String> options(String text) {
    return text.isEmpty() ? List.of() : List.of(text.substring(1).split(",", -1));
  }

  private static int number(String digits) {
    return Integer.parseInt(digits, HEXADECIMAL);
  }

  /** The functions that it names, of those that the host has; {@code all} is in order. */
  List<String> among(List<String> all) {
    List<String> named = new ArrayList<>();
    for (String sbdf : all) {
      boolean here = sbdf.startsWith(slot + ".");
      if (here && (function.isEmpty() || sbdf.endsWith("." + function.getAsInt()))) {
        named.add(sbdf);
      }
    }
    return named;
  }
}
