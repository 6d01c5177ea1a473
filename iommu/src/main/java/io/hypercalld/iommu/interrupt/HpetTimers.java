package io.hypercalld.iommu.interrupt;

import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.transaction.Transaction;
import java.util.List;
import java.util.Optional;

/**
 * The timers that wake processors by messages: one machine interrupt for each comparator in use.
 * Confined to the machine thread.
 *
 * @see "xen/arch/x86/hpet.c, hpet_setup_msi_irq; vtd/intremap.c, hpet_msi_write"
 */
public final class HpetTimers {
  private final List<HpetSource> hpets;
  private final MachineInterrupts machine;
  private final Processors processors;

  HpetTimers(List<HpetSource> hpets, MachineInterrupts machine, Processors processors) {
    this.hpets = hpets;
    this.machine = machine;
    this.processors = processors;
  }

  /** A comparator of the HPET with an id. */
  public record Comparator(int hpet, int number) {}

  /** The HPETs in the order of firmware. */
  public List<HpetSource> hpets() {
    return hpets;
  }

  /**
   * The interrupt of a comparator, where one is set up.
   *
   * @throws Refusal ENXIO there is no such comparator
   */
  public Optional<MachineInterrupt> find(Comparator comparator) {
    HpetSource hpet = require(comparator);
    return machine.all().stream()
        .filter(one -> one.source().filter(HpetTimer.class::isInstance).isPresent())
        .filter(one -> isOf((HpetTimer) one.source().orElseThrow(), hpet, comparator))
        .findFirst();
  }

  private static boolean isOf(HpetTimer timer, HpetSource hpet, Comparator comparator) {
    return timer.hpet().equals(hpet) && timer.comparator() == comparator.number();
  }

  private HpetSource require(Comparator comparator) {
    return hpets.stream()
        .filter(hpet -> hpet.id() == comparator.hpet())
        .filter(_ -> comparator.number() >= 0 && comparator.number() < HpetTimer.COMPARATORS)
        .findFirst()
        .orElseThrow(
            () ->
                Refusal.of(
                    Errno.ENXIO,
                    "no HPET %d that sends messages has a comparator %d",
                    comparator.hpet(),
                    comparator.number()));
  }

  /**
   * Has a comparator interrupt a processor; one that is set up is not touched for that.
   *
   * @throws Refusal ENXIO no such comparator, or no remapping entry is free; EINVAL no such
   *     processor is online; ENOSPC no interrupt or vector is free. Nothing changed
   */
  public MachineInterrupt direct(Comparator comparator, int processor) {
    if (!processors.isOnline(processor)) {
      throw Refusal.of(Errno.EINVAL, "there is no processor %d that is online", processor);
    }
    return find(comparator)
        .map(
            interrupt -> {
              machine.retarget(interrupt, processor);
              return interrupt;
            })
        .orElseGet(() -> setUp(require(comparator), comparator.number(), processor));
  }

  private MachineInterrupt setUp(HpetSource hpet, int comparator, int processor) {
    return Transaction.run(
        steps -> {
          MachineInterrupt created = machine.create(steps);
          machine.program(steps, created, hpet, comparator);
          machine.retarget(created, processor);
          return created;
        });
  }

  /**
   * Has a comparator interrupt nobody any more; no effect where it does not.
   *
   * @throws Refusal ENXIO no such comparator; EIO the unit does not forget its entry
   */
  public void release(Comparator comparator) {
    find(comparator).ifPresent(machine::destroy);
  }
}
