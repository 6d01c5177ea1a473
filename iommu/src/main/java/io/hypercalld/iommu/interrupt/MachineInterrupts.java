package io.hypercalld.iommu.interrupt;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.transaction.Transaction;
import io.hypercalld.iommu.driver.FaultRegisters;
import io.hypercalld.iommu.driver.VtdDriver;
import io.hypercalld.iommu.pci.PciTopology;
import io.hypercalld.iommu.pci.Sbdf;
import io.hypercalld.iommu.vtd.InterruptEntry;
import io.hypercalld.iommu.vtd.IoApicEntry;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;

/**
 * The interrupts of the machine: one for each pin of its I/O APICs, the GSIs, and one for each
 * message that a function was given. Confined to the machine thread.
 *
 * @see "xen/arch/x86/irq.c, create_irq and destroy_irq; xen/arch/x86/io_apic.c"
 */
public final class MachineInterrupts implements Digestible {
  private static final int EXTRA_PER_GSI = 8;

  private final TreeMap<Integer, MachineInterrupt> interrupts = new TreeMap<>();
  private final VectorSpace vectors = new VectorSpace(FaultRegisters.VECTOR);
  private final List<IoApicSource> ioApics;
  private final MessageWriter writer;
  private final int gsis;
  private final int limit;

  /** The interrupts of a machine that has enabled none. */
  public MachineInterrupts(
      VtdDriver driver, PciTopology topology, Processors processors, Chipset chipset) {
    this.ioApics = chipset.ioApics();
    this.writer = new MessageWriter(driver, topology);
    this.gsis = Math.max(1, ioApics.size()) * IoApicPin.PINS;
    this.limit = Math.max(processors.count() * VectorSpace.perProcessor(), EXTRA_PER_GSI * gsis);
  }

  /** Interrupts that are pins: from 0 on. */
  public int gsis() {
    return gsis;
  }

  /** First number that no interrupt has. */
  public int limit() {
    return limit;
  }

  public List<IoApicSource> ioApics() {
    return ioApics;
  }

  public Optional<MachineInterrupt> find(int irq) {
    return Optional.ofNullable(interrupts.get(irq));
  }

  /** Every interrupt that was enabled, by number; an unmodifiable view. */
  public Collection<MachineInterrupt> all() {
    return Collections.unmodifiableCollection(interrupts.values());
  }

  /** The interrupt with a vector of a processor. */
  Optional<MachineInterrupt> at(ProcessorVector place) {
    OptionalInt irq = vectors.interruptAt(place);
    return irq.isPresent() ? find(irq.getAsInt()) : Optional.empty();
  }

  /**
   * A new interrupt for messages.
   *
   * @throws Refusal ENOSPC neither number nor vector is free
   */
  MachineInterrupt create(Transaction steps) {
    for (int irq = gsis; irq < limit; irq++) {
      if (!interrupts.containsKey(irq)) {
        return add(steps, irq);
      }
    }
    throw Refusal.of(Errno.ENOSPC, "all %d interrupts are in use", limit);
  }

  /**
   * A new interrupt for messages, of a chosen number.
   *
   * @throws Refusal EBUSY it is in use; ENOSPC no vector is free
   */
  MachineInterrupt createAt(Transaction steps, int irq) {
    if (interrupts.containsKey(irq)) {
      throw Refusal.of(Errno.EBUSY, "interrupt %d is in use", irq);
    }
    return add(steps, irq);
  }

  private MachineInterrupt add(Transaction steps, int irq) {
    int mark = vectors.mark();
    MachineInterrupt created = add(irq);
    steps.onFailure(
        () -> {
          destroy(created);
          vectors.rewind(mark);
        });
    return created;
  }

  private MachineInterrupt add(int irq) {
    MachineInterrupt interrupt = new MachineInterrupt(irq, vectors.assign(irq, 0));
    interrupts.put(irq, interrupt);
    return interrupt;
  }

  /** Takes an interrupt back, with its vector and with what asks for it. */
  void destroy(MachineInterrupt interrupt) {
    switch (interrupt.source().orElse(null)) {
      case MsiSource message -> writer.withdraw(message);
      case HpetTimer timer -> writer.withdraw(timer);
      case IoApicPin _ -> {}
      case null -> {}
    }
    vectors.release(interrupt.at());
    interrupts.remove(interrupt.number());
  }

  /**
   * The interrupt of a pin, which gets a vector when it is first asked for. Its pin is masked.
   *
   * @throws Refusal ENOSPC no vector is free; EFAULT no remapping entry is
   */
  MachineInterrupt gsi(int gsi) {
    return find(gsi).orElseGet(() -> addPin(gsi));
  }

  private MachineInterrupt addPin(int gsi) {
    MachineInterrupt interrupt = add(gsi);
    IoApicPin pin =
        new IoApicPin(
            gsi / IoApicPin.PINS,
            gsi % IoApicPin.PINS,
            OptionalInt.empty(),
            new IoApicEntry(IoApicEntry.MASK.mask()));
    try {
      setPin(interrupt, pin, true);
    } catch (Refusal refusal) {
      destroy(interrupt);
      throw refusal;
    }
    return interrupt;
  }

  private void setPin(MachineInterrupt interrupt, IoApicPin pin, boolean masked) {
    if (pin.ioApic() >= ioApics.size()) {
      interrupt.setSource(Optional.of(pin));
      return;
    }
    PinSetting setting = new PinSetting(interrupt.at(), masked);
    interrupt.setSource(Optional.of(writer.program(pin, ioApics.get(pin.ioApic()), setting)));
  }

  /** Gives an interrupt its message. */
  void program(Transaction steps, MachineInterrupt interrupt, MessagePlan plan) {
    interrupt.setSource(Optional.of(writer.program(steps, plan, interrupt.at())));
    steps.onFailure(() -> interrupt.setSource(Optional.empty()));
  }

  /** Gives an interrupt the message of a timer. */
  void program(Transaction steps, MachineInterrupt interrupt, HpetSource hpet, int comparator) {
    interrupt.setSource(Optional.of(writer.program(steps, hpet, comparator, interrupt.at())));
    steps.onFailure(() -> interrupt.setSource(Optional.empty()));
  }

  /** Keeps what asks for the interrupt from asking, or lets it. */
  void setMasked(MachineInterrupt interrupt, boolean masked) {
    switch (interrupt.source().orElse(null)) {
      case MsiSource message -> interrupt.setSource(Optional.of(message.withMasked(masked)));
      case IoApicPin pin -> setPin(interrupt, pin, masked);
      case HpetTimer _ -> {}
      case null -> {}
    }
  }

  /**
   * Sends an interrupt to another processor; no effect where it goes there already.
   *
   * @throws Refusal ENOSPC the processor has no free vector
   */
  void retarget(MachineInterrupt interrupt, int processor) {
    ProcessorVector before = interrupt.at();
    if (before.processor() == processor) {
      return;
    }
    interrupt.moveTo(vectors.assign(interrupt.number(), processor));
    switch (interrupt.source().orElse(null)) {
      case MsiSource message ->
          interrupt.setSource(Optional.of(writer.retarget(message, interrupt.at())));
      case IoApicPin pin -> setPin(interrupt, pin, pin.entry().isMasked());
      case HpetTimer timer ->
          interrupt.setSource(Optional.of(writer.retarget(timer, interrupt.at())));
      case null -> {}
    }
    vectors.release(before);
  }

  /** Vectors of a processor that no interrupt has. */
  int freeVectors(int processor) {
    return vectors.free(processor);
  }

  /** Whoever writes messages. */
  MessageWriter writer() {
    return writer;
  }

  /** An entry of a unit's interrupt-remapping table. */
  public record EntryPlace(int iommu, int index) {}

  /** The interrupt that an entry belongs to. */
  public Optional<MachineInterrupt> userOf(EntryPlace place) {
    return interrupts.values().stream()
        .filter(one -> placeOf(one).equals(Optional.of(place)))
        .findFirst();
  }

  /** Where the entry of an interrupt is; empty where it has none. */
  public Optional<EntryPlace> placeOf(MachineInterrupt interrupt) {
    return interrupt.source().flatMap(this::placeOf);
  }

  private Optional<EntryPlace> placeOf(MachineInterrupt.Source source) {
    return switch (source) {
      case MsiSource message ->
          writer.unitOf(message.sbdf()).flatMap(unit -> place(unit.index(), message.index()));
      case IoApicPin pin ->
          pin.index().isPresent()
              ? place(ioApics.get(pin.ioApic()).iommu(), pin.index())
              : Optional.empty();
      case HpetTimer timer -> place(timer.hpet().iommu(), timer.index());
    };
  }

  private static Optional<EntryPlace> place(int iommu, OptionalInt index) {
    return index.isPresent()
        ? Optional.of(new EntryPlace(iommu, index.getAsInt()))
        : Optional.empty();
  }

  /** The entry that takes an interrupt to its vector, from nobody but what asks for it. */
  public Optional<InterruptEntry> expectedEntry(MachineInterrupt interrupt) {
    return interrupt
        .source()
        .filter(source -> placeOf(source).isPresent())
        .map(
            source ->
                switch (source) {
                  case MsiSource message -> writer.entryFor(message.sbdf(), interrupt.at());
                  case IoApicPin pin -> writer.entryFor(ioApics.get(pin.ioApic()), interrupt.at());
                  case HpetTimer timer -> writer.entryFor(timer.hpet(), interrupt.at());
                });
  }

  /** The messages that a function was given. */
  public List<MachineInterrupt> messagesOf(Sbdf sbdf) {
    return interrupts.values().stream()
        .filter(one -> one.message().filter(source -> source.sbdf().equals(sbdf)).isPresent())
        .toList();
  }

  @Override
  public void digest(StateDigest digest) {
    digest.section("machine-interrupts").put(vectors).put(interrupts.size());
    interrupts.values().forEach(digest::put);
  }
}
