package io.hypercalld.core.interrupt;

import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainFacet;
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
  private static final int APIC_ID_STRIDE = 2;

  private final LocalApics apics;
  private final VirtualIoApic ioApic;
  private final VirtualPic pic = new VirtualPic();
  private final InterruptLines lines;
  private InterruptRouter router = InterruptRouter.NONE;

  private DomainInterrupts(Domain domain) {
    this.apics =
        new LocalApics(
            domain.settings().maxVcpus(), domain.run()::vcpus, vcpu -> vcpu * APIC_ID_STRIDE);
    this.ioApic = new VirtualIoApic(apics);
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

  /** The local APICs of its vCPUs; the one of vCPU n has the id 2n. */
  public LocalApics apics() {
    return apics;
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
    digest.section("domain-interrupts").put(apics).put(ioApic).put(pic).put(lines);
  }
}
