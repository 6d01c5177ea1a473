package io.hypercalld.api.driver;

import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.iommu.pci.Sbdf;
import java.util.Locale;
import java.util.Optional;

/**
 * What a driver is to do. Immutable.
 *
 * @param device what it drives; the old adapters of VGA and console need none
 * @param frontend the domain that a back end serves
 * @param pages of a request: 4 KiB each, one packet each for network drivers
 * @param maskBits bits of a bus address that the device can send
 * @param seed of the bytes that the device brings
 * @param page the guest frame of an old driver's buffer; one of the kernel's where empty
 * @param ported whether a driver that once knew one address mode only does today what the mode
 *     wants: a back end where guest frames are machine frames, a graphics driver by {@code
 *     phys_to_gart}
 * @param meanwhile what happens between mapping and the device's access
 */
public record DriverScript(
    Driver driver,
    Optional<Sbdf> device,
    Optional<DomainId> frontend,
    int pages,
    int maskBits,
    long seed,
    Optional<Gfn> page,
    boolean ported,
    Meanwhile meanwhile) {
  /** What can come between. */
  public enum Meanwhile {
    NOTHING,
    /** The domain that is served dies. */
    FRONTEND_DIES,
    /** It withdraws its grants, in use as they are, and gives the pages back. */
    GRANT_REVOKED,
    /** Whose pages they are gives them back to the hypervisor. */
    BALLOON;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
  }

  /** What most drivers do: four pages, nothing in between. */
  public static DriverScript of(Driver driver, Optional<Sbdf> device) {
    return new DriverScript(
        driver,
        device,
        Optional.empty(),
        4,
        Long.SIZE,
        1,
        Optional.empty(),
        true,
        Meanwhile.NOTHING);
  }

  /** The same for another domain's requests. */
  public DriverScript serving(DomainId domain) {
    return new DriverScript(
        driver, device, Optional.of(domain), pages, maskBits, seed, page, ported, meanwhile);
  }

  /** The same with requests of so many pages. */
  public DriverScript of(int count) {
    return new DriverScript(
        driver, device, frontend, count, maskBits, seed, page, ported, meanwhile);
  }

  /** The same as it was written first. */
  public DriverScript unported() {
    return new DriverScript(
        driver, device, frontend, pages, maskBits, seed, page, false, meanwhile);
  }

  /** The same in a page of the driver's choice. */
  public DriverScript in(Gfn gfn) {
    return new DriverScript(
        driver, device, frontend, pages, maskBits, seed, Optional.of(gfn), ported, meanwhile);
  }

  /** The same with something in between. */
  public DriverScript with(Meanwhile event) {
    return new DriverScript(driver, device, frontend, pages, maskBits, seed, page, ported, event);
  }

  /** The same with other bytes. */
  public DriverScript seeded(long other) {
    return new DriverScript(
        driver, device, frontend, pages, maskBits, other, page, ported, meanwhile);
  }
}
