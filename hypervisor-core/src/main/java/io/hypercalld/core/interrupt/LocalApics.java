package io.hypercalld.core.interrupt;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.IntPredicate;
import java.util.function.IntSupplier;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;

/**
 * The local APICs of a domain's vCPUs, or of the machine's processors, and the bus between them.
 * Confined to the machine thread.
 *
 * @see "xen/arch/x86/hvm/vlapic.c, vlapic_lowest_prio and vlapic_match_dest"
 */
public final class LocalApics implements Digestible {
  private final List<LocalApic> apics = new ArrayList<>();
  private final IntSupplier present;
  private int lastChosen;

  /**
   * @param most how many there may be
   * @param present how many there are; the others take nothing
   * @param ids the APIC id of each index
   */
  public LocalApics(int most, IntSupplier present, IntUnaryOperator ids) {
    this.present = present;
    for (int index = 0; index < most; index++) {
      apics.add(new LocalApic(ids.applyAsInt(index), index));
    }
    this.lastChosen = Math.max(0, most - 1);
  }

  /**
   * As many with the same ids and nothing pending, in x2APIC mode, or as after power-on: in xAPIC
   * mode but for those whose ids it cannot have.
   */
  public LocalApics afterPowerOn(boolean x2apic) {
    int count = size();
    LocalApics others = new LocalApics(count, () -> count, index -> apics.get(index).wholeId());
    if (x2apic) {
      others.apics.forEach(apic -> apic.setMode(LocalApic.Mode.X2APIC));
    }
    return others;
  }

  /** How many there are. */
  public int size() {
    return Math.min(apics.size(), present.getAsInt());
  }

  /** The APIC of an index; empty where there is no such processor. */
  public Optional<LocalApic> find(int index) {
    return index >= 0 && index < size() ? Optional.of(apics.get(index)) : Optional.empty();
  }

  /** Those that are there, by index. */
  public List<LocalApic> all() {
    return List.copyOf(apics.subList(0, size()));
  }

  /** Whom an interrupt is meant for: the indexes of every enabled APIC that it matches. */
  public List<Integer> destinations(Interrupt interrupt) {
    return IntStream.range(0, size())
        .filter(index -> isMeant(apics.get(index), interrupt))
        .boxed()
        .toList();
  }

  /**
   * Delivers an interrupt, to one of its destinations where it is arbitrated.
   *
   * @return the indexes of those that took it; empty where nobody is meant
   */
  public List<Integer> deliver(Interrupt interrupt) {
    List<Integer> taking =
        interrupt.isArbitrated() ? arbitrate(interrupt).stream().toList() : destinations(interrupt);
    taking.forEach(index -> apics.get(index).accept(interrupt));
    return taking;
  }

  /** Delivers an interrupt to those enabled that are meant otherwise than by its destination. */
  List<Integer> deliverTo(Interrupt interrupt, IntPredicate meant) {
    List<Integer> taking =
        IntStream.range(0, size())
            .filter(index -> apics.get(index).takes(interrupt.delivery()) && meant.test(index))
            .boxed()
            .toList();
    taking.forEach(index -> apics.get(index).accept(interrupt));
    return taking;
  }

  /** The destination of lowest priority; among equals the next after the one chosen last. */
  private Optional<Integer> arbitrate(Interrupt interrupt) {
    Optional<Integer> chosen = lowestPriority(interrupt);
    chosen.ifPresent(index -> lastChosen = index);
    return chosen;
  }

  /** Who would win the arbitration now; chooses nothing. */
  public Optional<Integer> lowestPriority(Interrupt interrupt) {
    int count = size();
    Optional<Integer> best = Optional.empty();
    for (int step = 1; step <= count; step++) {
      int index = (lastChosen + step) % count;
      LocalApic apic = apics.get(index);
      if (isMeant(apic, interrupt)
          && best.filter(chosen -> !isLower(apic, apics.get(chosen))).isEmpty()) {
        best = Optional.of(index);
      }
    }
    return best;
  }

  private static boolean isMeant(LocalApic apic, Interrupt interrupt) {
    return apic.takes(interrupt.delivery()) && apic.matches(interrupt);
  }

  private static boolean isLower(LocalApic apic, LocalApic than) {
    return apic.processorPriority() < than.processorPriority();
  }

  @Override
  public void digest(StateDigest digest) {
    digest.section("local-apics").put(lastChosen).put(size());
    apics.subList(0, size()).forEach(digest::put);
  }
}
