package io.hypercalld.api.machine;

import io.hypercalld.core.bits.HexBytes;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.DomainId;

/** A toolstack writes a guest's memory: all of the bytes or none. */
public record WriteGuestMemory(DomainId domain, Word gpa, HexBytes bytes)
    implements MachineCommand<Word> {
  @Override
  public Word execute(Machine machine) {
    machine
        .hypervisor()
        .guestMemory()
        .write(machine.hypervisor().domains().byId(domain), gpa.value(), bytes.toByteArray());
    return gpa;
  }
}
