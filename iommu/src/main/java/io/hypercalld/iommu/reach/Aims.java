package io.hypercalld.iommu.reach;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.interrupt.DeliveryMode;
import io.hypercalld.core.interrupt.DestinationFormat;
import io.hypercalld.core.interrupt.DomainInterrupts;
import io.hypercalld.core.interrupt.Interrupt;
import io.hypercalld.core.interrupt.InterruptCommand;
import io.hypercalld.core.interrupt.InterruptRouter;
import io.hypercalld.core.interrupt.LocalApic;
import io.hypercalld.core.interrupt.RedirectionEntry;
import io.hypercalld.iommu.interrupt.GuestFlags;
import io.hypercalld.iommu.virtual.VirtualIommu;
import io.hypercalld.iommu.virtual.VirtualUnit;
import io.hypercalld.iommu.vtd.InterruptEntry;
import io.hypercalld.iommu.vtd.InterruptMessage;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Stream;

/** Every way to interrupt a vCPU of a domain. Immutable. */
final class Aims {
  private static final int VECTOR = 0x51;
  private static final long WINDOW = 0xfee0_0000L;
  private static final int OCTET = 0xff;

  private final DomainInterrupts interrupts;
  private final Optional<VirtualUnit> unit;
  private final Optional<String> noPassthrough;
  private final boolean extendedEntries;

  Aims(Domain domain) {
    this.interrupts = domain.facet(DomainInterrupts.class);
    Optional<VirtualIommu> iommu =
        domain.findFacet(VirtualIommu.class).filter(own -> own.unit().isPresent());
    this.unit = iommu.flatMap(VirtualIommu::unit);
    this.extendedEntries = iommu.filter(own -> own.interrupts().isExtended()).isPresent();
    this.noPassthrough =
        when(!domain.settings().hasIommu(), "the domain was created without IOMMU");
  }

  private static Optional<String> when(boolean obstacle, String why) {
    return obstacle ? Optional.of(why) : Optional.empty();
  }

  /**
   * All of them.
   *
   * @param mode of the vCPUs' local APICs
   */
  List<Aim> in(LocalApic.Mode mode) {
    return Stream.of(commands(mode), messages(), passthrough(), pins(), events())
        .flatMap(aims -> aims)
        .toList();
  }

  private static Stream<Aim> commands(LocalApic.Mode mode) {
    AimFormat format = mode == LocalApic.Mode.X2APIC ? AimFormat.X2APIC : AimFormat.XAPIC;
    return Stream.of(
        Aim.of(
            SourceKind.IPI,
            format,
            id -> InterruptCommand.to(id, DeliveryMode.INIT, mode).interrupt(mode)));
  }

  private Stream<Aim> messages() {
    return Stream.of(
        Aim.of(
                SourceKind.EMULATED_MSI,
                AimFormat.COMPATIBILITY,
                id -> message(id, DestinationFormat.PLAIN))
            .unless(blocked()),
        Aim.of(
                SourceKind.EMULATED_MSI,
                AimFormat.EXTENDED,
                id -> message(id, DestinationFormat.EXTENDED))
            .unless(blocked())
            .unless(notExtended()),
        remappable(SourceKind.EMULATED_MSI));
  }

  private Stream<Aim> passthrough() {
    return Stream.of(
            Aim.of(SourceKind.PASSTHROUGH_MSI, AimFormat.COMPATIBILITY, Aims::bound)
                .unless(blocked()),
            Aim.of(
                    SourceKind.PASSTHROUGH_MSI,
                    AimFormat.EXTENDED,
                    id -> message(id, DestinationFormat.EXTENDED))
                .unless(blocked())
                .unless(notExtended()),
            remappable(SourceKind.PASSTHROUGH_MSI))
        .map(aim -> aim.unless(noPassthrough));
  }

  private Stream<Aim> pins() {
    return Stream.of(
        Aim.of(SourceKind.IO_APIC, AimFormat.COMPATIBILITY, id -> pin(id, DestinationFormat.PLAIN))
            .unless(blocked()),
        Aim.of(SourceKind.IO_APIC, AimFormat.EXTENDED, id -> pin(id, DestinationFormat.EXTENDED))
            .unless(blocked())
            .unless(notExtended()),
        remappable(SourceKind.IO_APIC));
  }

  private Stream<Aim> events() {
    return unit.stream().map(_ -> Aim.of(SourceKind.IOMMU_EVENT, AimFormat.UNIT, Aims::event));
  }

  private Aim remappable(SourceKind kind) {
    return Aim.of(kind, AimFormat.REMAPPABLE, this::entry)
        .unless(
            when(
                unit.filter(own -> own.settings().intremap()).isEmpty(),
                "the domain has no virtual IOMMU that remaps interrupts"));
  }

  /** Why nothing of compatibility format passes: what the domain's own unit makes of it now. */
  private Optional<String> blocked() {
    InterruptRouter.Route route =
        interrupts.router().foresee(OptionalInt.empty(), new Word(WINDOW), VECTOR);
    return when(
        !(route instanceof InterruptRouter.Route.Direct),
        "interrupt remapping is on and blocks compatibility format");
  }

  private Optional<String> notExtended() {
    if (interrupts.destinations().inForce()) {
      return Optional.empty();
    }
    return Optional.of(
        interrupts.destinations().isOffered()
            ? "an ioreq server does not know extended destinations"
            : "extended destinations are not offered");
  }

  private static Optional<Interrupt> message(int id, DestinationFormat format) {
    return Interrupt.ofMessage(WINDOW | format.inAddress(id), VECTOR, format);
  }

  /** As {@code bind_pt_irq} keeps it. */
  private static Optional<Interrupt> bound(int id) {
    GuestFlags flags = new GuestFlags(id & OCTET);
    return Interrupt.ofMessage(
        flags.address().value(), flags.data(VECTOR), DestinationFormat.PLAIN);
  }

  private static Optional<Interrupt> pin(int id, DestinationFormat format) {
    return new RedirectionEntry(format.inEntry(id) | VECTOR).interrupt(format);
  }

  private Optional<Interrupt> entry(int id) {
    InterruptMessage wanted = InterruptMessage.fixed(VECTOR, extendedEntries ? id : id & OCTET);
    return InterruptEntry.remapped(wanted, extendedEntries).message(extendedEntries).interrupt();
  }

  private static Optional<Interrupt> event(int id) {
    long upper = Integer.toUnsignedLong(id & ~OCTET) << Integer.SIZE;
    long address = upper | WINDOW | DestinationFormat.PLAIN.inAddress(id);
    return InterruptMessage.written(address, VECTOR).interrupt();
  }
}
