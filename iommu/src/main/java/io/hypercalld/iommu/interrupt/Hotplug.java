package io.hypercalld.iommu.interrupt;

import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainTable;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Takes processors out of use and back into it: whatever interrupts them goes elsewhere first.
 * Confined to the machine thread.
 *
 * @see "xen/common/cpu.c, cpu_down; xen/arch/x86/irq.c, fixup_irqs; vmx.c, vmx_pi_desc_fixup"
 */
public final class Hotplug {
  private final DomainTable domains;
  private final Processors processors;
  private final MachineInterrupts machine;

  Hotplug(DomainTable domains, Processors processors, MachineInterrupts machine) {
    this.domains = domains;
    this.processors = processors;
    this.machine = machine;
  }

  /**
   * Takes a processor out of use: its vCPUs and its interrupts move to another one, and no device
   * is touched for it.
   *
   * @throws Refusal EINVAL no such processor, the first one, which takes the units' events, or it
   *     is offline already; ENOSPC no other processor has vectors for its interrupts. Nothing
   *     changed
   */
  public void offline(int processor) {
    require(processor, true);
    if (processor == 0) {
      throw Refusal.of(Errno.EINVAL, "processor 0 cannot go offline");
    }
    List<MachineInterrupt> moving =
        machine.all().stream().filter(one -> one.at().processor() == processor).toList();
    int other =
        IntStream.range(0, processors.count())
            .filter(candidate -> candidate != processor && processors.isOnline(candidate))
            .filter(candidate -> machine.freeVectors(candidate) >= moving.size())
            .findFirst()
            .orElseThrow(
                () ->
                    Refusal.of(
                        Errno.ENOSPC,
                        "no processor has room for the %d interrupts of processor %d",
                        moving.size(),
                        processor));
    moving.forEach(interrupt -> machine.retarget(interrupt, other));
    for (Domain domain : domains.all()) {
      domain.findFacet(VirtualProcessors.class).ifPresent(vcpus -> vcpus.leave(processor, other));
    }
    processors.setOnline(processor, false);
  }

  /**
   * Puts a processor into use again, with nothing to do.
   *
   * @throws Refusal EINVAL no such processor, or it is online already
   */
  public void online(int processor) {
    require(processor, false);
    processors.setOnline(processor, true);
  }

  private void require(int processor, boolean online) {
    boolean exists = processor >= 0 && processor < processors.count();
    if (!exists || processors.isOnline(processor) != online) {
      throw Refusal.of(
          Errno.EINVAL, "no processor %d is %s", processor, online ? "online" : "offline");
    }
  }
}
