package io.hypercalld.iommu.reach;

import io.hypercalld.core.interrupt.Interrupt;
import io.hypercalld.core.interrupt.LocalApics;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Whom interrupts are meant for, as their local APICs say; asked once for each destination, as all
 * sources come to the same ones. Confined to the machine thread, and to one command.
 */
final class Recipients {
  private final LocalApics apics;
  private final Map<Destination, List<Integer>> known = new HashMap<>();

  Recipients(LocalApics apics) {
    this.apics = apics;
  }

  /** What of an interrupt local APICs compare. */
  private record Destination(boolean logical, int value) {}

  /** Why what was sent does not reach a vCPU alone; empty where it does. */
  Optional<String> obstacle(Optional<Interrupt> sent, int vcpu) {
    if (sent.isEmpty()) {
      return Optional.of("is sent nothing");
    }
    Interrupt interrupt = sent.get();
    List<Integer> reached =
        known.computeIfAbsent(
            new Destination(interrupt.logical(), interrupt.destination()),
            _ -> apics.destinations(interrupt));
    return reached.size() == 1 && reached.getFirst() == vcpu
        ? Optional.empty()
        : Optional.of(
            "arrives as 0x%x, which is %s".formatted(interrupt.destination(), names(reached)));
  }

  private static String names(List<Integer> reached) {
    return switch (reached.size()) {
      case 0 -> "nobody";
      case 1 -> "vCPU " + reached.getFirst();
      default -> reached.size() + " vCPUs";
    };
  }
}
