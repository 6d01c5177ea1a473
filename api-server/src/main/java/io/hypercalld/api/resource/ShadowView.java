package io.hypercalld.api.resource;

import io.hypercalld.api.machine.Machine;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.p2m.DmaPermission;
import io.hypercalld.iommu.driver.PciDevice;
import io.hypercalld.iommu.driver.UnitDriver;
import io.hypercalld.iommu.pci.Sbdf;
import io.hypercalld.iommu.unit.CachedTranslation;
import io.hypercalld.iommu.unit.RequesterSpace.Translated;
import io.hypercalld.iommu.virtual.ShadowReport;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Stream;

/**
 * The shadows of a guest's tables as they are told. Immutable.
 *
 * @param mappings runs of frames of 4 KiB, at most {@link #MOST} of them
 * @param differences what the guest's tables say otherwise by now; empty unless asked for
 * @param walks what units remember of nested translations beside the walks of guest and host, at
 *     most {@link #MOST}; empty unless asked for
 */
record ShadowView(
    List<Space> spaces,
    List<Mapping> mappings,
    boolean truncated,
    Optional<List<Difference>> differences,
    List<Nested> nested,
    Optional<List<Walk>> walks) {
  private static final int MOST = 1000;

  /**
   * One shadow.
   *
   * @param shadow its pseudo domain id in the machine's units
   * @param domainId the guest's; empty, as is its table, for that of devices that the guest blocks
   * @param root machine address of the shadow's top table
   */
  record Space(
      int shadow,
      Optional<Integer> domainId,
      Optional<Word> guestRoot,
      Optional<Integer> levels,
      Word root,
      long tables,
      long frames) {}

  /** A run of frames that lead to consecutive frames of guest and machine. */
  record Mapping(
      int shadow, Word iova, Word gpa, Word maddr, long frames, DmaPermission permission) {}

  /**
   * A run of frames whose entry the guest has changed since its last invalidation.
   *
   * @param stale whether devices may use what the guest has taken away
   */
  record Difference(
      int shadow,
      Word iova,
      long frames,
      Optional<Word> before,
      Optional<Word> now,
      boolean stale,
      String oracle) {}

  /**
   * First-level tables that a device's unit walks where the guest has them; they have no shadow.
   *
   * @param tag pseudo domain id of both stages together
   * @param guestDomainId the guest's
   * @param guestRoot guest address of the top table
   * @param secondStage p2m, dma-table or shadow: what translates it, and what it leads to
   */
  record Nested(
      Sbdf sbdf,
      int pasid,
      String type,
      int tag,
      int guestDomainId,
      Word guestRoot,
      String secondStage) {}

  /**
   * A page that the device's unit remembers, beside what the guest's tables and the P2M say now.
   *
   * @param gpa where the guest's walk ends; empty where it is blocked
   * @param expected where the host's walk of that ends
   * @param maddr where the unit sends requests
   * @param stale whether they are not the same: the guest, or the host, has not had it forgotten
   */
  record Walk(
      Sbdf sbdf,
      int pasid,
      Word iova,
      long page,
      Optional<Word> gpa,
      Optional<Word> expected,
      Word maddr,
      boolean stale) {}

  static ShadowView of(Machine machine, Domain domain, ShadowReport report, boolean diff) {
    List<ShadowReport.Mapping> mappings = report.mappings();
    return new ShadowView(
        report.spaces().stream().map(ShadowView::view).toList(),
        mappings.stream().limit(MOST).map(ShadowView::view).toList(),
        mappings.size() > MOST,
        diff
            ? Optional.of(report.changes().stream().map(ShadowView::view).toList())
            : Optional.empty(),
        devices(machine, domain).flatMap(device -> nested(device, report)).toList(),
        diff
            ? Optional.of(
                devices(machine, domain)
                    .flatMap(device -> walks(machine, device, report))
                    .limit(MOST)
                    .toList())
            : Optional.empty());
  }

  private static Stream<PciDevice> devices(Machine machine, Domain domain) {
    return machine.driver().devices().ownedBy(domain.id()).stream();
  }

  private static Stream<Nested> nested(PciDevice device, ShadowReport report) {
    return firstLevels(device, report).map(pasid -> view(device, pasid));
  }

  private static Stream<ShadowReport.Pasid> firstLevels(PciDevice device, ShadowReport report) {
    return report.pasidsOf(device).stream()
        .flatMap(List::stream)
        .filter(pasid -> pasid.guestRoot().isPresent());
  }

  private static Nested view(PciDevice device, ShadowReport.Pasid pasid) {
    return new Nested(
        device.sbdf(),
        pasid.pasid(),
        pasid.type().name().toLowerCase(Locale.ROOT).replace('_', '-'),
        pasid.tag().value(),
        pasid.domainId(),
        pasid.guestRoot().orElseThrow(),
        pasid.secondStage().toString());
  }

  private static Stream<Walk> walks(Machine machine, PciDevice device, ShadowReport report) {
    return device.unit().stream()
        .flatMap(
            unit ->
                firstLevels(device, report)
                    .flatMap(
                        pasid ->
                            walks(machine, unit, pasid)
                                .map(cached -> view(device, report, pasid.pasid(), cached))));
  }

  private static Stream<CachedTranslation> walks(
      Machine machine, UnitDriver unit, ShadowReport.Pasid pasid) {
    OptionalInt domainId = unit.domainIdOf(pasid.tag());
    return machine.unit(unit.index()).iotlb().stream()
        .filter(cached -> OptionalInt.of(cached.domainId()).equals(domainId))
        .filter(cached -> cached.pasid().equals(OptionalInt.of(pasid.pasid())));
  }

  private static Walk view(
      PciDevice device, ShadowReport report, int pasid, CachedTranslation cached) {
    Word iova = new Word(cached.iova());
    Word maddr = new Word(cached.maddr());
    ShadowReport.Walk now = report.walk(device, pasid, iova);
    return new Walk(
        device.sbdf(),
        pasid,
        iova,
        cached.size().bytes(),
        now.gpa(),
        now.maddr(),
        maddr,
        !now.maddr().equals(Optional.of(maddr)));
  }

  private static Space view(ShadowReport.Space space) {
    return new Space(
        space.tag().value(),
        space.source().map(Translated::domainId),
        space.source().map(source -> new Word(source.root())),
        space.source().map(Translated::levels),
        space.root(),
        space.tables(),
        space.frames());
  }

  private static Mapping view(ShadowReport.Mapping mapping) {
    return new Mapping(
        mapping.tag().value(),
        mapping.iova(),
        mapping.gpa(),
        mapping.maddr(),
        mapping.frames(),
        mapping.permission());
  }

  private static Difference view(ShadowReport.Change change) {
    return new Difference(
        change.tag().value(),
        change.iova(),
        change.frames(),
        change.before(),
        change.now(),
        change.stale(),
        "guest bug: missing invalidation");
  }
}
