package io.hypercalld.core.domain;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.ranges.NumberRange;
import java.util.ArrayList;
import java.util.List;

/**
 * Ports of the machine's that a domain sees at ports of its own. Confined to the machine thread.
 *
 * @see "xen/arch/x86/domctl.c, XEN_DOMCTL_ioport_mapping"
 */
public final class PortMap implements Digestible {
  private final List<Mapping> mappings = new ArrayList<>();

  /** Ports of the machine's, and the first of the domain's that shows them. */
  public record Mapping(NumberRange machine, long guest) {}

  /**
   * Shows ports; where exactly these are shown already, they move.
   *
   * @throws Refusal EBUSY where some of them, or their neighbours, are shown
   */
  public void add(Mapping wanted) {
    for (int i = 0; i < mappings.size(); i++) {
      NumberRange shown = mappings.get(i).machine();
      if (shown.equals(wanted.machine())) {
        mappings.set(i, wanted);
        return;
      }
      if (touches(shown, wanted.machine())) {
        throw Refusal.of(Errno.EBUSY, "ports %s are shown next to or over these", shown);
      }
    }
    mappings.add(wanted);
  }

  /**
   * Shows exactly these ports no more, wherever they were shown.
   *
   * @throws Refusal ENOENT they are not shown
   */
  public void remove(NumberRange machine) {
    if (!mappings.removeIf(mapping -> mapping.machine().equals(machine))) {
      throw Refusal.of(Errno.ENOENT, "ports %s are not shown", machine);
    }
  }

  /** What is shown, the oldest first. */
  public List<Mapping> mappings() {
    return List.copyOf(mappings);
  }

  // Xen's comparison takes neighbours for overlapping ranges; tools have learnt to live with it.
  private static boolean touches(NumberRange one, NumberRange other) {
    return one.last() + 1 >= other.first() && other.last() + 1 >= one.first();
  }

  @Override
  public void digest(StateDigest digest) {
    digest.section("port-map").put(mappings.size());
    for (Mapping mapping : mappings) {
      digest.put(mapping.machine().first()).put(mapping.machine().last()).put(mapping.guest());
    }
  }
}
