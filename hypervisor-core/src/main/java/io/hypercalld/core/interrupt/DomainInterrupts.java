package io.hypercalld.core.interrupt;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainFacet;
import io.hypercalld.core.domain.DomainSettings;
import io.hypercalld.core.domain.RunState;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * The interrupt hardware that an HVM or PVH domain sees. Confined to the machine thread.
 *
 * @see "xen/arch/x86/hvm/hvm.c"
 */
public final class DomainInterrupts implements DomainFacet {
  private final RunState run;
  private final LocalApics apics;
  private final ExtendedDestinations destinations;
  private final VirtualIoApic ioApic;
  private final VirtualPic pic = new VirtualPic();
  private final InterruptLines lines;
  private InterruptRouter router = InterruptRouter.NONE;

  private DomainInterrupts(Domain domain) {
    DomainSettings settings = domain.settings();
    this.run = domain.run();
    this.apics =
        new LocalApics(settings.maxVcpus(), run::vcpus, settings.interrupts().apicIds()::of);
    this.destinations = new ExtendedDestinations(settings.interrupts().extendedDestinations());
    this.ioApic = new VirtualIoApic(apics, destinations);
    this.lines = new InterruptLines(ioApic, pic);
  }

  /** The facet of a new domain; a PV domain has only event channels. */
  public static Optional<DomainFacet> of(Domain domain) {
    return domain.type().isTranslated()
        ? Optional.of(new DomainInterrupts(domain))
        : Optional.empty();
  }

  /** Has somebody find out from now on where the interrupts of the domain's own devices go. */
  public void routeBy(InterruptRouter by) {
    router = by;
    ioApic.routeBy(by);
  }

  /** Who finds out where the interrupts of the domain's own devices go. */
  public InterruptRouter router() {
    return router;
  }

  /** The local APICs of its vCPUs, with ids as the domain's settings say. */
  public LocalApics apics() {
    return apics;
  }

  /** How far the destinations of messages reach that nothing remaps. */
  public ExtendedDestinations destinations() {
    return destinations;
  }

  public VirtualIoApic ioApic() {
    return ioApic;
  }

  public VirtualPic pic() {
    return pic;
  }

  public InterruptLines lines() {
    return lines;
  }

  /**
   * Delivers what a message of the domain's means, as {@code vmsi_deliver} does.
   *
   * @return the vCPUs that took it; may be none
   * @throws Refusal EINVAL neither fixed nor lowest priority; ESRCH lowest priority and nobody is
   *     eligible
   */
  public List<Integer> inject(Interrupt interrupt) {
    if (!interrupt.hasVector()) {
      throw Refusal.of(Errno.EINVAL, "no message is delivered as %s", interrupt.delivery());
    }
    List<Integer> taken = apics.deliver(interrupt);
    if (taken.isEmpty() && interrupt.isArbitrated()) {
      throw Refusal.of(
          Errno.ESRCH, "no vCPU is eligible for destination 0x%x", interrupt.destination());
    }
    return taken;
  }

  /** What a message of the domain's means that nothing remaps; empty where nobody takes it. */
  public Optional<Interrupt> read(Word address, int data) {
    return Interrupt.ofMessage(address.value(), data, destinations.format());
  }

  /**
   * A vCPU stores to its interrupt command register. INIT stops those that take it, a start-up
   * starts those of its destinations that have been stopped so.
   *
   * @return the vCPUs that took it
   * @throws Refusal EOPNOTSUPP a delivery that no other processor takes
   * @see "xen/arch/x86/hvm/vlapic.c, vlapic_init_sipi_one"
   */
  public List<Integer> command(int vcpu, InterruptCommand command) {
    LocalApic sender = apics.find(vcpu).orElseThrow();
    Interrupt interrupt =
        command
            .interrupt(sender.mode())
            .orElseThrow(
                () ->
                    Refusal.of(
                        Errno.EOPNOTSUPP, "no processor takes 0x%x from another", command.value()));
    List<Integer> taken =
        switch (command.shorthand()) {
          case NONE -> apics.deliver(interrupt);
          case SELF -> apics.deliverTo(interrupt, index -> index == vcpu);
          case ALL -> apics.deliverTo(interrupt, _ -> true);
          case OTHERS -> apics.deliverTo(interrupt, index -> index != vcpu);
        };
    switch (interrupt.delivery()) {
      case INIT -> taken.forEach(run::stop);
      case START_UP -> taken.forEach(run::start);
      case FIXED, LOWEST_PRIORITY, SMI, NMI, EXTINT -> {}
    }
    return taken;
  }

  @Override
  public void started() {
    destinations.settle();
  }

  /** A vCPU is done with the vector that it serves; the I/O APIC learns of level triggered ones. */
  public OptionalInt endOfInterrupt(LocalApic apic) {
    OptionalInt vector = apic.endOfInterrupt();
    vector.ifPresent(
        served -> {
          if (apic.isLevel(served)) {
            ioApic.end(served);
          }
        });
    return vector;
  }

  @Override
  public boolean relinquish() {
    return true;
  }

  @Override
  public void digest(StateDigest digest) {
    digest
        .section("domain-interrupts")
        .put(apics)
        .put(destinations)
        .put(ioApic)
        .put(pic)
        .put(lines);
  }
}
