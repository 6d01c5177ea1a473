package io.hypercalld.iommu.reach;

import io.hypercalld.core.interrupt.LocalApic;
import java.util.List;
import java.util.Optional;

/**
 * How far a guest's boot comes. Immutable.
 *
 * @param boots whether it comes up at all
 * @param mode of its local APICs
 * @param online vCPUs that it runs on in the end; those that had started where it does not come up
 * @param notStarted vCPUs that it leaves out
 * @param steps in their order, up to the one that ends the boot
 */
public record BootReport(
    GuestRules guest,
    boolean boots,
    LocalApic.Mode mode,
    int online,
    List<Integer> notStarted,
    List<Step> steps) {
  public BootReport {
    notStarted = List.copyOf(notStarted);
    steps = List.copyOf(steps);
  }

  /** One step, and what kept it from being as the guest would have it. */
  public record Step(String name, Optional<String> failure) {}

  /** The first step that fails, and why. */
  public Optional<String> stopsAt() {
    return steps.stream()
        .flatMap(step -> step.failure.map(why -> step.name + ": " + why).stream())
        .findFirst();
  }
}
