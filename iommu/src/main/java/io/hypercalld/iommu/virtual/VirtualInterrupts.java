package io.hypercalld.iommu.virtual;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.interrupt.InterruptRouter;
import io.hypercalld.core.interrupt.RedirectionEntry;
import io.hypercalld.iommu.pci.SourceId;
import io.hypercalld.iommu.unit.InterruptExplanation;
import io.hypercalld.iommu.unit.InterruptOutcome;
import io.hypercalld.iommu.vtd.GlobalCommand;
import io.hypercalld.iommu.vtd.InterruptEntry;
import io.hypercalld.iommu.vtd.InterruptMessage;
import io.hypercalld.iommu.vtd.InterruptTableAddress;
import io.hypercalld.iommu.vtd.IoApicEntry;
import io.hypercalld.iommu.vtd.Register;
import io.hypercalld.iommu.vtd.RemappableMessage;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;

/**
 * Sends a guest's interrupts through its unit's table. Confined to the machine thread.
 *
 * <p>As shipped a message in compatibility format is delivered as it is written, whatever the unit
 * says.
 *
 * @see "spec/documents.md S1-D8, S1-D13"
 */
public final class VirtualInterrupts implements InterruptRouter {
  /** The I/O APIC's source-id, as the guest's DMAR table says. */
  private static final SourceId IO_APIC = SourceId.of(0xff, 0);

  private final VirtualUnit unit;
  private final boolean letsCompatibilityPass;

  VirtualInterrupts(VirtualUnit unit, boolean letsCompatibilityPass) {
    this.unit = unit;
    this.letsCompatibilityPass = letsCompatibilityPass;
  }

  /**
   * What became of a message.
   *
   * @param outcome what the unit made of it
   * @param vcpus those that took it
   */
  public record Delivery(InterruptOutcome outcome, List<Integer> vcpus) {}

  /** A device that only the guest has sends a message. */
  public Delivery send(SourceId requester, RemappableMessage message) {
    if (letsCompatibilityPass && !message.isRemappable()) {
      var written = InterruptMessage.written(message.address(), message.data());
      unit.messages().deliver(written);
      return new Delivery(
          new InterruptOutcome.Delivered(written, OptionalInt.empty()), unit.messages().taken());
    }
    InterruptOutcome outcome =
        unit.silicon().interrupt(requester, message.address(), message.data());
    boolean blocked = outcome instanceof InterruptOutcome.Blocked;
    return new Delivery(outcome, blocked ? List.of() : unit.messages().taken());
  }

  @Override
  public Optional<List<Integer>> route(RedirectionEntry entry) {
    return isOn()
        ? Optional.of(send(IO_APIC, new IoApicEntry(entry.value()).message()).vcpus())
        : Optional.empty();
  }

  /** Where nobody says whose message it is, it is taken for that of the entry's own requester. */
  @Override
  public Optional<List<Integer>> message(OptionalInt requester, Word address, int data) {
    RemappableMessage message = new RemappableMessage(address.value(), data);
    return remaps(message)
        ? Optional.of(send(sourceOf(requester, message), message).vcpus())
        : Optional.empty();
  }

  @Override
  public Route foresee(OptionalInt requester, Word address, int data) {
    RemappableMessage message = new RemappableMessage(address.value(), data);
    if (!remaps(message)) {
      return new Route.Direct();
    }
    InterruptOutcome outcome =
        unit.silicon().foreseeInterrupt(sourceOf(requester, message), message);
    return outcome instanceof InterruptOutcome.Delivered(InterruptMessage sent, OptionalInt _)
        ? sent.interrupt().<Route>map(Route.Remapped::new).orElse(new Route.Blocked())
        : new Route.Blocked();
  }

  /** Why {@link #message} would do what it would do; empty where the unit does not remap it. */
  public Optional<InterruptExplanation> explain(OptionalInt requester, Word address, int data) {
    RemappableMessage message = new RemappableMessage(address.value(), data);
    return remaps(message)
        ? Optional.of(
            unit.silicon().explainInterrupt(sourceOf(requester, message), message.address(), data))
        : Optional.empty();
  }

  private boolean remaps(RemappableMessage message) {
    return isOn() && (message.isRemappable() || !letsCompatibilityPass);
  }

  private SourceId sourceOf(OptionalInt requester, RemappableMessage message) {
    if (requester.isPresent()) {
      return new SourceId(requester.getAsInt());
    }
    return unit.silicon()
        .interruptEntry(message.index())
        .map(entry -> new SourceId(entry.sourceId()))
        .orElse(IO_APIC);
  }

  @Override
  public OptionalInt vectorOf(RedirectionEntry entry) {
    IoApicEntry remappable = new IoApicEntry(entry.value());
    if (!isOn() || !remappable.isRemappable()) {
      return OptionalInt.empty();
    }
    return unit.silicon().interruptEntry(remappable.index()).stream()
        .mapToInt(InterruptEntry::vector)
        .findFirst();
  }

  /**
   * Whether entries have destinations of 32 bits: as IRTA says once remapping is on, and before as
   * far as the unit can.
   */
  public boolean isExtended() {
    return isOn()
        ? InterruptTableAddress.EIME.isSet(unit.silicon().read64(Register.IRTA.offset()))
        : unit.silicon().capabilities().extendedInterruptMode();
  }

  /** GSTS.IRES. */
  private boolean isOn() {
    return GlobalCommand.IRE.isSet(unit.silicon().read32(Register.GSTS.offset()));
  }

  /** The entries of the table that are present, by index, as far as IRTA says now. */
  public Map<Integer, InterruptEntry> entries() {
    Map<Integer, InterruptEntry> present = new TreeMap<>();
    int count = InterruptTableAddress.entries(unit.silicon().read64(Register.IRTA.offset()));
    for (int index = 0; isOn() && index < count; index++) {
      int at = index;
      unit.silicon()
          .interruptEntry(index)
          .filter(InterruptEntry::isPresent)
          .ifPresent(entry -> present.put(at, entry));
    }
    return present;
  }
}
