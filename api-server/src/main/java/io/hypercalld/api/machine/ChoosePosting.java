package io.hypercalld.api.machine;

/** Has messages that are bound from now on posted, or not: {@code iommu=intpost}. */
public record ChoosePosting(boolean on) implements MachineCommand<Boolean> {
  @Override
  public Boolean execute(Machine machine) {
    machine.interrupts().posting().set(on);
    return on;
  }
}
