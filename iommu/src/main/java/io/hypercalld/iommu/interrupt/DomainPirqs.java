package io.hypercalld.iommu.interrupt;

import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainFacet;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import java.util.Collection;
import java.util.Collections;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;
import java.util.function.Consumer;

/**
 * The interrupts of the machine that a domain has, by the numbers that it knows them under.
 * Confined to the machine thread.
 *
 * @see "xen/arch/x86/irq.c, get_free_pirq and domain_pirq_to_irq"
 */
public final class DomainPirqs implements DomainFacet {
  private static final int EXTRA_OF_A_GUEST = 32;
  private static final int FIRST_FREE_GSI = 16;

  private final Domain domain;
  private final int count;
  private final int gsis;
  private final Consumer<DomainPirqs> unmapOne;
  private final TreeMap<Integer, Pirq> pirqs = new TreeMap<>();

  /** Numbers of the domain's own pins, which it wants as event channels, and these pins. */
  private final TreeMap<Integer, Integer> emulated = new TreeMap<>();

  private boolean everBound;

  /**
   * A domain without interrupts.
   *
   * @param machine its interrupts
   * @param unmapOne takes back the domain's first interrupt
   */
  DomainPirqs(Domain domain, MachineInterrupts machine, Consumer<DomainPirqs> unmapOne) {
    this.domain = domain;
    this.gsis = machine.gsis();
    this.count =
        domain.isHardwareDomain()
            ? machine.limit()
            : Math.min(gsis + EXTRA_OF_A_GUEST, machine.limit());
    this.unmapOne = unmapOne;
  }

  public Domain domain() {
    return domain;
  }

  /** First number that the domain cannot have. */
  public int count() {
    return count;
  }

  /** Its interrupts by number; an unmodifiable view. */
  public Collection<Pirq> all() {
    return Collections.unmodifiableCollection(pirqs.values());
  }

  public Optional<Pirq> find(long number) {
    return number >= 0 && number < count
        ? Optional.ofNullable(pirqs.get((int) number))
        : Optional.empty();
  }

  @Override
  public OptionalInt machineInterrupt(long pirq) {
    return find(pirq).map(found -> OptionalInt.of(found.irq())).orElseGet(OptionalInt::empty);
  }

  /** The number under which it has an interrupt of the machine. */
  OptionalInt numberOf(int irq) {
    return pirqs.values().stream()
        .filter(pirq -> pirq.irq() == irq)
        .mapToInt(Pirq::number)
        .findFirst();
  }

  /** The number of the interrupt that asserts one of the domain's own pins. */
  OptionalInt boundTo(int gsi) {
    return pirqs.values().stream()
        .filter(
            pirq ->
                pirq.binding().orElse(null) instanceof GuestBinding.Wires wires
                    && wires.lines().stream().anyMatch(line -> line.line().gsi() == gsi))
        .mapToInt(Pirq::number)
        .findFirst();
  }

  /** The interrupt of the machine that it has. */
  Optional<Pirq> findByIrq(int irq) {
    return pirqs.values().stream().filter(pirq -> pirq.irq() == irq).findFirst();
  }

  void put(Pirq pirq) {
    pirqs.put(pirq.number(), pirq);
  }

  void remove(int number) {
    pirqs.remove(number);
  }

  private boolean isFree(int number) {
    return !pirqs.containsKey(number) && !emulated.containsKey(number);
  }

  /** Has a number stand for an own pin, where neither stands for anything; whether that is. */
  boolean emulate(int number, int gsi) {
    boolean possible = isFree(number) && !emulated.containsValue(gsi);
    if (possible) {
      emulated.put(number, gsi);
    }
    return possible;
  }

  /** Takes a number of an own pin back; whether it was one. */
  boolean emulateNoMore(long number) {
    return number >= 0 && number < count && emulated.remove((int) number) != null;
  }

  /** A free number for a pin: from 16 on; where none is left, one for messages. */
  int freeForGsi() {
    for (int number = FIRST_FREE_GSI; number < Math.min(gsis, count); number++) {
      if (isFree(number)) {
        return number;
      }
    }
    return free(1);
  }

  /**
   * Free numbers for messages, from the top.
   *
   * @return the lowest of so many that follow each other
   * @throws Refusal ENOSPC
   */
  int free(int block) {
    int run = 0;
    for (int number = count - 1; number >= gsis; number--) {
      run = isFree(number) ? run + 1 : 0;
      if (run == block) {
        return number;
      }
    }
    throw Refusal.of(
        Errno.ENOSPC, "%s has no %d free interrupts in a row below %d", domain.id(), block, count);
  }

  /** Whether anything was ever bound: from then on it can be unbound. */
  boolean isEverBound() {
    return everBound;
  }

  void noteBound() {
    everBound = true;
  }

  /** Takes back one interrupt. */
  @Override
  public boolean relinquish() {
    if (!pirqs.isEmpty()) {
      unmapOne.accept(this);
    }
    if (pirqs.isEmpty()) {
      emulated.clear();
    }
    return pirqs.isEmpty();
  }

  @Override
  public void digest(StateDigest digest) {
    digest.section("pirqs").put(everBound).put(emulated.toString()).put(pirqs.size());
    pirqs.values().forEach(pirq -> digest.put(pirq.toString()));
  }
}
