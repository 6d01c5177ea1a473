package io.hypercalld.api.machine;

/** Has nothing go wrong any more by a rule; refused with ENOENT where there is none. */
public record RemoveFault(String id) implements MachineCommand<String> {
  @Override
  public String execute(Machine machine) {
    machine.faultRules().remove(id);
    return id;
  }
}
