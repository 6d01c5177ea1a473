package io.hypercalld.api.machine;

import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.ioreq.page.BufferedRing;
import io.hypercalld.ioreq.page.IoRequest;
import io.hypercalld.ioreq.server.IoServers;

/** An emulator takes the oldest request out of its ring. */
public record TakeBuffered(DomainId domain, int server) implements MachineCommand<IoRequest> {
  @Override
  public IoRequest execute(Machine machine) {
    return machine
        .hypervisor()
        .domains()
        .byId(domain)
        .facet(IoServers.class)
        .get(server)
        .pages()
        .ring()
        .flatMap(BufferedRing::take)
        .orElseThrow(
            () -> Refusal.of(Errno.ENOENT, "ioreq server %d has no buffered request", server));
  }
}
