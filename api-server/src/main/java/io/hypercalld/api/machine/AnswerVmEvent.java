package io.hypercalld.api.machine;

import io.hypercalld.core.domain.DomainId;
import java.util.Map;

/**
 * A pager or monitor answers an event: its vCPU goes on.
 *
 * @param drop whether a page that was asked for stays paged
 */
public record AnswerVmEvent(DomainId domain, long id, boolean drop)
    implements MachineCommand<Map<String, Object>> {
  @Override
  public Map<String, Object> execute(Machine machine) {
    machine.hypervisor().domains().byId(domain).features().events().answer(id, drop);
    return Map.of();
  }
}
