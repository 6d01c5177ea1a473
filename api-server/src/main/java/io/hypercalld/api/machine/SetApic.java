package io.hypercalld.api.machine;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.interrupt.LocalApic;
import java.util.Optional;

/** Software in a domain sets up the local APIC of a vCPU; what is left out stays. */
public record SetApic(
    DomainId domain,
    int vcpu,
    Optional<LocalApic.Mode> mode,
    Optional<LocalApic.Model> model,
    Optional<Word> logicalId,
    Optional<Word> taskPriority)
    implements MachineCommand<LocalApic> {
  private static final int MOST = 0xff;

  @Override
  public LocalApic execute(Machine machine) {
    LocalApic apic =
        ServeInterrupt.apic(ServeInterrupt.of(machine.hypervisor().domains().byId(domain)), vcpu);
    int ldr = logicalId.map(SetApic::octet).orElse(apic.logicalId() & MOST);
    int tpr = taskPriority.map(SetApic::octet).orElse(apic.taskPriority());
    mode.ifPresent(apic::setMode);
    if (logicalId.isPresent() || model.isPresent()) {
      apic.setLogicalId(ldr, model.orElse(apic.model()));
    }
    apic.setTaskPriority(tpr);
    return apic;
  }

  private static int octet(Word word) {
    if (word.value() < 0 || word.value() > MOST) {
      throw Refusal.of(Errno.ERANGE, "%s does not fit 8 bits", word);
    }
    return (int) word.value();
  }
}
