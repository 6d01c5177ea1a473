package io.hypercalld.api.machine;

import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.interrupt.DomainInterrupts;
import io.hypercalld.core.interrupt.LocalApic;
import java.util.OptionalInt;

/** A vCPU takes the next vector into service, or is done with the one that it serves. */
public record ServeInterrupt(DomainId domain, int vcpu, Step step)
    implements MachineCommand<OptionalInt> {
  /** What it does. */
  public enum Step {
    ACKNOWLEDGE,
    END
  }

  @Override
  public OptionalInt execute(Machine machine) {
    DomainInterrupts interrupts = of(machine.hypervisor().domains().byId(domain));
    LocalApic apic = apic(interrupts, vcpu);
    return switch (step) {
      case ACKNOWLEDGE -> apic.acknowledge();
      case END -> interrupts.endOfInterrupt(apic);
    };
  }

  /**
   * What a domain has of interrupt hardware.
   *
   * @throws Refusal EOPNOTSUPP a PV domain has none
   */
  public static DomainInterrupts of(Domain domain) {
    return domain
        .findFacet(DomainInterrupts.class)
        .orElseThrow(() -> Refusal.of(Errno.EOPNOTSUPP, "%s is PV: no APICs", domain.id()));
  }

  /**
   * The local APIC of a vCPU.
   *
   * @throws Refusal ENOENT there is no such vCPU
   */
  public static LocalApic apic(DomainInterrupts interrupts, int vcpu) {
    return interrupts
        .apics()
        .find(vcpu)
        .orElseThrow(() -> Refusal.of(Errno.ENOENT, "there is no vCPU %d", vcpu));
  }
}
