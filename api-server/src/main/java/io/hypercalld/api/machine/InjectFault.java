package io.hypercalld.api.machine;

/**
 * Has something go wrong at a chosen moment.
 *
 * <p>Refused with EEXIST where there is a rule of that name, ENODEV where there is no such unit.
 */
public record InjectFault(FaultRule rule) implements MachineCommand<FaultRules.Standing> {
  @Override
  public FaultRules.Standing execute(Machine machine) {
    return machine.faultRules().add(rule);
  }
}
