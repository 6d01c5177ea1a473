package io.hypercalld.core.dma;

import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainFacet;
import io.hypercalld.core.domain.Host;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.FrameAllocator;
import io.hypercalld.core.p2m.DmaPermission;
import io.hypercalld.core.p2m.Gfn;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What a domain tells its devices as addresses. Confined to the machine thread. */
public final class DomainDma implements DomainFacet {
  private final Domain domain;
  private final DmaMode usual;
  private final StrayDma stray = new StrayDma();
  private final FrameAllocator allocator;
  private Optional<DmaMode> chosen = Optional.empty();
  private @Nullable ExposedP2m exposed;

  private DomainDma(Domain domain, Host host, FrameAllocator allocator) {
    this.domain = domain;
    this.usual = DmaMode.usual(domain.type(), host.iommu());
    this.allocator = allocator;
  }

  /** That of a new domain, which does what Xen does unless told otherwise. */
  public static Optional<DomainFacet> of(Domain domain, Host host, FrameAllocator allocator) {
    return Optional.of(new DomainDma(domain, host, allocator));
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

  /**
   * Shows it its P2M, read-only.
   *
   * @param first the first guest frame whose entry is shown
   * @param count how many entries, of which 512 fill a page
   * @param at where the table is to be
   * @throws Refusal EAGAIN one is shown already, or something is mapped there; ENOMEM. Nothing
   *     changed
   */
  public void expose(Gfn first, long count, Gfn at) {
    if (exposed != null) {
      throw Refusal.of(Errno.EAGAIN, "%s sees its P2M already", domain.id());
    }
    exposed = ExposedP2m.show(domain, allocator, new ExposedP2m.Range(first, count), at);
  }

  /**
   * The machine frame that its kernel reads for a guest frame.
   *
   * @return {@link AddressMode#NO_FRAME} where it finds none to be used so
   */
  public long exposedFrame(long gfn, DmaPermission permission) {
    return exposed == null ? AddressMode.NO_FRAME : exposed.frame(gfn, permission);
  }

  /** Whether a guest frame is one of those that show the P2M. */
  public boolean shows(Gfn gfn) {
    return exposed != null && exposed.isAt(gfn);
  }

  /** What its devices reached that is none of its business. */
  public StrayDma stray() {
    return stray;
  }

  @Override
  public boolean relinquish() {
    if (exposed != null) {
      domain.p2m().announcements().forget(exposed);
      exposed = null;
    }
    return true;
  }

  @Override
  public void digest(StateDigest digest) {
    digest.section("dma").put(chosen.map(DmaMode::toString).orElse(""));
    if (exposed != null) {
      digest.put(exposed);
    }
  }
}
