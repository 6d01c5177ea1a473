package io.hypercalld.iommu.driver;

import io.hypercalld.core.dma.DmaMode;
import io.hypercalld.core.dma.DomainDma;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mRun;
import io.hypercalld.core.p2m.P2mTable;
import io.hypercalld.core.transaction.Transaction;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Has domains tell their devices other addresses, and the units treat these accordingly. Confined
 * to the machine thread.
 *
 * <p>Where the mode has no unit translate, the context entries of the domain's devices let requests
 * pass, as with Xen's option {@code dom0-iommu=passthrough}; a device that no unit covers has
 * nobody to ask in any mode.
 */
public final class AddressModes {
  private final VtdDriver driver;

  AddressModes(VtdDriver driver) {
    this.driver = driver;
  }

  /**
   * Takes up a mode, or again Xen's own.
   *
   * @throws Refusal EBUSY the domain has contexts of its own making; EOPNOTSUPP there is no unit to
   *     translate, or one that cannot let requests pass, or a PV domain is to have no machine
   *     frames; EBUSY guest frames that are not machine frames, of which they are to be; EIO a unit
   *     does not obey. Nothing changed
   */
  public void choose(Domain domain, Optional<DmaMode> wanted) {
    wanted.ifPresent(mode -> requirePossible(domain, mode));
    requireNoContexts(domain);
    DomainDma own = domain.facet(DomainDma.class);
    Optional<DmaMode> before = own.chosen();
    Transaction.run(
        steps -> {
          own.choose(wanted);
          steps.onFailure(() -> own.choose(before));
          devicesOf(domain)
              .forEach(device -> driver.contexts().pointAt(steps, device, device.owner()));
          return own;
        });
  }

  private static void requirePossible(Domain domain, DmaMode mode) {
    if (mode.isChecked() && domain.findFacet(DomainIommu.class).isEmpty()) {
      throw Refusal.of(Errno.EOPNOTSUPP, "no iommu translates for %s", domain.id());
    }
    if (mode != DmaMode.P2M && domain.findP2m().isEmpty()) {
      throw Refusal.of(Errno.EOPNOTSUPP, "the guest frames of PV are machine frames: %s", mode);
    }
    if (mode == DmaMode.IDENTITY && !isIdentity(domain.p2m())) {
      throw Refusal.of(
          Errno.EBUSY, "%s has guest frames that are not their machine frames", domain.id());
    }
  }

  private static void requireNoContexts(Domain domain) {
    if (domain.findFacet(GuestContexts.class).filter(own -> !own.all().isEmpty()).isPresent()) {
      throw Refusal.of(Errno.EBUSY, "%s has contexts for its devices", domain.id());
    }
  }

  private static boolean isIdentity(P2mTable p2m) {
    Optional<P2mRun> next = p2m.nextRun(new Gfn(0));
    while (next.isPresent()) {
      P2mRun run = next.get();
      if (run.mfn().isValid() && run.mfn().value() != run.gfn().value()) {
        return false;
      }
      next = p2m.nextRun(run.gfn().plus(run.count() << run.order()));
    }
    return true;
  }

  /** Those of the hardware domain go with hidden ones. */
  private Stream<PciDevice> devicesOf(Domain domain) {
    Stream<PciDevice> hidden =
        domain.isHardwareDomain()
            ? driver.devices().ownedBy(DomainId.XEN).stream()
            : Stream.empty();
    return Stream.concat(driver.devices().ownedBy(domain.id()).stream(), hidden)
        .filter(device -> device.unit().isPresent());
  }
}
