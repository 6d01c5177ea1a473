package io.hypercalld.api.machine;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.DomainId;

/**
 * An emulator answers a request.
 *
 * @param data what was read; of no meaning for a write
 */
public record AnswerRequest(DomainId domain, int server, long request, Word data)
    implements MachineCommand<Long> {
  @Override
  public Long execute(Machine machine) {
    machine
        .deviceModels()
        .cpus()
        .respond(machine.hypervisor().domains().byId(domain), server, request, data);
    return request;
  }
}
