package io.hypercalld.api.client;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The guest's slot for the functions of one device: the one asked for, or that of the first
 * function, which gets the next free one. Confined to the command's thread.
 */
final class GuestSlot {
  private final PciSpec spec;
  private Optional<String> slot;

  GuestSlot(PciSpec spec) {
    this.spec = spec;
    this.slot =
        spec.virtualSlot().isPresent()
            ? Optional.of("0000:00:%02x".formatted(spec.virtualSlot().getAsInt()))
            : Optional.empty();
  }

  /** What gives a function to a domain. A function that comes alone is the guest's function 0. */
  Map<String, Object> assignment(@Nullable Object domain, String sbdf) {
    Map<String, Object> body = new LinkedHashMap<>();
    body.put("domain", XlText.integer(domain, "domid"));
    if (spec.relaxed()) {
      body.put("flags", List.of("rdm_relaxed"));
    }
    String function = spec.function().isPresent() ? "0" : sbdf.substring(sbdf.length() - 1);
    slot.ifPresent(place -> body.put("guestBdf", place + "." + function));
    return body;
  }

  /** Where the guest sees the function that it was given. */
  void seen(@Nullable Object device) {
    if (slot.isEmpty()) {
      slot = Tree.textAt(device, "guestBdf").map(place -> place.substring(0, place.length() - 2));
    }
  }
}
