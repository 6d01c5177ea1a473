package io.hypercalld.iommu.virtual;

import io.hypercalld.core.Hypervisor;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainFacet;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.guest.Emulation.Answer;
import io.hypercalld.core.guest.Emulation.MmioAccess;
import io.hypercalld.iommu.driver.PciDevice;
import io.hypercalld.iommu.driver.Profile;
import io.hypercalld.iommu.driver.VtdDriver;
import io.hypercalld.iommu.pci.Sbdf;
import io.hypercalld.iommu.unit.MemoryRequest;
import io.hypercalld.iommu.unit.UnitSettings;
import io.hypercalld.iommu.vtd.FaultRecord;
import io.hypercalld.iommu.vtd.PasidPrefix;
import io.hypercalld.iommu.vtd.RemappableMessage;
import java.util.List;
import java.util.Optional;
import java.util.function.BiConsumer;
import java.util.function.Predicate;

/**
 * Virtual IOMMUs of all domains, and what they need of the machine. Confined to the machine thread.
 */
public final class VirtualIommus implements Digestible {
  private final Hypervisor hypervisor;
  private final VtdDriver driver;
  private BiConsumer<Domain, Predicate<RemappableMessage>> remapping = (_, _) -> {};
  private SyncWatcher syncs = SyncWatcher.NONE;
  private boolean allowed;

  /** Has every HVM and PVH domain created from now on able to have one. */
  public VirtualIommus(Hypervisor hypervisor, VtdDriver driver) {
    this.hypervisor = hypervisor;
    this.driver = driver;
    hypervisor.domains().addFacet(this::facetFor);
    hypervisor.guestAccess().answerFirst(VirtualIommus::access);
  }

  private Optional<DomainFacet> facetFor(Domain domain) {
    return domain.type().isTranslated()
        ? Optional.of(new VirtualIommu(domain, this))
        : Optional.empty();
  }

  private static Optional<Answer> access(MmioAccess access) {
    return access.domain().findFacet(VirtualIommu.class).flatMap(own -> own.access(access));
  }

  /**
   * The virtual IOMMU that a domain has or may be given.
   *
   * @throws Refusal EINVAL a PV domain
   */
  public VirtualIommu of(Domain domain) {
    return domain
        .findFacet(VirtualIommu.class)
        .orElseThrow(
            () -> Refusal.of(Errno.EINVAL, "%s is PV: it has no virtual IOMMU", domain.id()));
  }

  /** Whether the host allows virtual IOMMUs, which v3 of the hypercall asks: option viommu. */
  public boolean allowed() {
    return allowed;
  }

  /** Allows virtual IOMMUs from now on, or not. */
  public void allow(boolean on) {
    allowed = on;
  }

  /** Has somebody told from now on whenever messages of a domain's may go elsewhere. */
  public void onRemapping(BiConsumer<Domain, Predicate<RemappableMessage>> listener) {
    remapping = listener;
  }

  /** Has somebody told from now on how long domains' shadows take to be brought into step. */
  public void watchSyncs(SyncWatcher watcher) {
    syncs = watcher;
  }

  SyncWatcher syncs() {
    return syncs;
  }

  void remapped(Domain domain, Predicate<RemappableMessage> affected) {
    remapping.accept(domain, affected);
  }

  void requireAllowed(ViommuApi api) {
    if (api.asksTheHost() && !allowed) {
      throw Refusal.of(Errno.ENODEV, "the host's option viommu is off");
    }
  }

  VtdDriver driver() {
    return driver;
  }

  /** A physical device's request was blocked by the machine's unit: its guest may have to know. */
  public void faulted(PciDevice device, FaultRecord record) {
    ownerOf(device).ifPresent(iommu -> iommu.faulted(device, record));
  }

  /**
   * What was wrong with a request of a physical device that passed: it met what its guest has
   * changed and not had forgotten. Empty where nothing was.
   *
   * @param maddr where it went
   */
  public Optional<String> oracle(Sbdf sbdf, PasidPrefix prefix, Word iova, Word maddr) {
    return driver
        .devices()
        .find(sbdf)
        .flatMap(device -> ownerOf(device).flatMap(own -> own.oracle(device, prefix, iova, maddr)));
  }

  /**
   * What a guest's own tables make of a physical device's request as they are now; empty where the
   * device goes by none.
   */
  public Optional<GuestJudgement> judge(Sbdf sbdf, MemoryRequest sent) {
    return driver
        .devices()
        .find(sbdf)
        .flatMap(device -> ownerOf(device).flatMap(own -> own.judge(device, sent)));
  }

  private Optional<VirtualIommu> ownerOf(PciDevice device) {
    return hypervisor
        .domains()
        .find(device.owner())
        .flatMap(domain -> domain.findFacet(VirtualIommu.class));
  }

  /** Where shadows are not what they should be. */
  public List<String> violations() {
    return hypervisor.domains().all().stream()
        .flatMap(domain -> domain.findFacet(VirtualIommu.class).stream())
        .flatMap(iommu -> iommu.report().stream())
        .flatMap(report -> report.violations().stream())
        .toList();
  }

  /** Whether units made now have the defects of the last series of patches. */
  boolean isAsShipped() {
    return driver.profile() == Profile.AS_SHIPPED;
  }

  /** The silicon of which a unit is made unless somebody wants another. */
  UnitSettings silicon(VirtualUnitSettings wanted) {
    return VirtualSilicon.of(wanted, driver.units(), isAsShipped());
  }

  VirtualUnit.Silicon silicon(Domain domain, UnitSettings settings) {
    return new VirtualUnit.Silicon(
        settings, new GuestPhysicalMemory(domain, hypervisor.memory()), isAsShipped());
  }

  @Override
  public void digest(StateDigest digest) {
    digest.section("virtual-iommus").put(allowed);
  }
}
