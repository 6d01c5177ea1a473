package io.hypercalld.iommu.interrupt;

import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.iommu.driver.InterruptRemapping;
import io.hypercalld.iommu.driver.VtdDriver;
import io.hypercalld.iommu.pci.PciTopology;
import io.hypercalld.iommu.vtd.InterruptEntry;

/**
 * Whether hardware posts interrupts to vCPUs, and for which it does. Confined to the machine
 * thread.
 *
 * @see "Xen's command line option iommu=intpost; xen/drivers/passthrough/vtd/intremap.c,
 *     pi_update_irte"
 */
public final class Posting {
  private final VtdDriver driver;
  private final PciTopology topology;
  private final MachineInterrupts machine;
  private boolean on;

  Posting(VtdDriver driver, PciTopology topology, MachineInterrupts machine) {
    this.driver = driver;
    this.topology = topology;
    this.machine = machine;
  }

  /** Whether messages that are bound from now on are posted where they can be. */
  public boolean isOn() {
    return on;
  }

  /**
   * Refuses what the units cannot do.
   *
   * @throws Refusal EOPNOTSUPP interrupts are not remapped, or a unit cannot post
   */
  public void require(boolean wanted) {
    InterruptRemapping remapping = driver.interruptRemapping();
    boolean possible =
        remapping.on()
            && driver.units().stream().allMatch(unit -> unit.capabilities().postedInterrupts());
    if (wanted && !possible) {
      throw Refusal.of(Errno.EOPNOTSUPP, "not every unit can post interrupts");
    }
  }

  /**
   * Switches it for messages that are bound from now on.
   *
   * @throws Refusal as {@link #require}
   */
  public void set(boolean wanted) {
    require(wanted);
    on = wanted;
  }

  /** Has a message posted to a vCPU as one of its vectors. */
  void post(MachineInterrupt interrupt, Domain domain, int vcpu, int vector) {
    MsiSource source = interrupt.message().orElseThrow();
    long descriptor = domain.facet(VirtualProcessors.class).descriptor(vcpu);
    InterruptEntry entry = InterruptEntry.posted(descriptor, vector, false);
    machine
        .writer()
        .rewrite(source, RequesterRule.restrict(entry, topology.require(source.sbdf()), topology));
  }

  /** Has a message go to its processor again; no effect where it does. */
  void restore(MachineInterrupt interrupt) {
    interrupt
        .message()
        .filter(source -> source.index().isPresent())
        .filter(source -> machine.writer().entryOf(source).isPosted())
        .ifPresent(
            source ->
                machine
                    .writer()
                    .rewrite(source, machine.writer().entryFor(source.sbdf(), interrupt.at())));
  }
}
