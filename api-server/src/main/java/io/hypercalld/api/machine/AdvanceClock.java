package io.hypercalld.api.machine;

/** Lets time pass for the machine. */
public record AdvanceClock(long nanoseconds) implements MachineCommand<Long> {
  @Override
  public Long execute(Machine machine) {
    machine.hypervisor().clock().advance(nanoseconds);
    long now = machine.hypervisor().clock().now();
    machine
        .hypervisor()
        .notices()
        .tell(SimNotice.CLOCK_ADVANCED, new SimNotice.Advanced(nanoseconds, now));
    return now;
  }
}
