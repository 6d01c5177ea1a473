package io.hypercalld.api.machine;

import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.hypercall.Outcome;
import io.hypercalld.iommu.hypercall.AssignDevice;
import io.hypercalld.iommu.pci.Sbdf;
import java.util.Optional;

/**
 * {@code assign_device}, at a place of the guest's choice.
 *
 * @param relaxed whether reserved regions in the way are no obstacle
 * @param guestAddress where the guest sees it; the next free slot where empty
 */
public record PlaceDevice(DomainId domain, Sbdf sbdf, boolean relaxed, Optional<Sbdf> guestAddress)
    implements MachineCommand<Outcome> {
  /** The same as a hypercall, which has no place for the place. */
  public AssignDevice toHypercall() {
    return new AssignDevice(domain, sbdf, 0, relaxed ? 1 : 0);
  }

  @Override
  public Outcome execute(Machine machine) {
    AssignDevice hypercall = toHypercall();
    return machine.hypercalls().measured(hypercall, () -> assign(machine, hypercall));
  }

  private Outcome assign(Machine machine, AssignDevice hypercall) {
    try {
      return machine.hypercalls().deviceCalls().assign(DomainId.DOM0, hypercall, guestAddress);
    } catch (Refusal refusal) {
      return Outcome.Refused.of(refusal);
    }
  }
}
