package io.hypercalld.api.machine;

/** All counters of a machine start from zero again. */
public record ResetCounters() implements MachineCommand<Machine> {
  @Override
  public Machine execute(Machine machine) {
    machine.units().forEach(unit -> unit.counters().reset());
    machine.hypervisor().domains().departed().reset();
    machine.hypervisor().calls().reset();
    machine.hypervisor().strayDma().reset();
    machine.hypervisor().domains().all().forEach(ResetDomainCounters::reset);
    return machine;
  }
}
