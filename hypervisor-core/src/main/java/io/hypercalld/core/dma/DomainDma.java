package io.hypercalld.core.dma;

import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainFacet;
import io.hypercalld.core.domain.Host;
import java.util.Optional;

/** What a domain tells its devices as addresses. Confined to the machine thread. */
public final class DomainDma implements DomainFacet {
  private final Domain domain;
  private final DmaMode usual;
  private Optional<DmaMode> chosen = Optional.empty();

  private DomainDma(Domain domain, Host host) {
    this.domain = domain;
    this.usual = DmaMode.usual(domain.type(), host.iommu());
  }

  /** That of a new domain, which does what Xen does unless told otherwise. */
  public static Optional<DomainFacet> of(Domain domain, Host host) {
    return Optional.of(new DomainDma(domain, host));
  }

  /** How its kernel learns what to tell its devices. */
  public DmaMode mode() {
    return chosen.orElse(usual);
  }

  /** The mode that somebody asked for. */
  public Optional<DmaMode> chosen() {
    return chosen;
  }

  /** Whether it drives devices for others, and so may ask where its memory is. */
  public boolean isDriverDomain() {
    return domain.isHardwareDomain() || chosen.isPresent();
  }

  /** Whether its devices' requests are to go past the remapping units. */
  public boolean isUnchecked() {
    return chosen.filter(mode -> !mode.isChecked()).isPresent();
  }

  /**
   * Takes up another mode, or again Xen's own. Its devices are the caller's business.
   *
   * @see io.hypercalld.core.dma.DmaMode
   */
  public void choose(Optional<DmaMode> wanted) {
    chosen = wanted;
  }

  @Override
  public boolean relinquish() {
    return true;
  }

  @Override
  public void digest(StateDigest digest) {
    digest.section("dma").put(chosen.map(DmaMode::toString).orElse(""));
  }
}
