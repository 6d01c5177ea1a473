package io.hypercalld.api.resource;

import io.hypercalld.api.machine.Machine;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.p2m.DmaPermission;
import io.hypercalld.iommu.driver.PciDevice;
import io.hypercalld.iommu.pci.Sbdf;
import io.hypercalld.iommu.unit.RequesterSpace.Translated;
import io.hypercalld.iommu.virtual.ShadowReport;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The shadows of a guest's tables as they are told. Immutable.
 *
 * @param mappings runs of frames of 4 KiB, at most {@link #MOST} of them
 * @param differences what the guest's tables say otherwise by now; empty unless asked for
 * @param walks the guest's walks beside those of the machine, at most {@link #MOST_WALKS} of them;
 *     empty unless asked for
 */
record ShadowView(
    List<Space> spaces,
    List<Mapping> mappings,
    boolean truncated,
    Optional<List<Difference>> differences,
    List<Nested> nested,
    Optional<List<ShadowWalks.Walk>> walks) {
  private static final int MOST = 1000;
  private static final int MOST_WALKS = 100;

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

  static ShadowView of(Machine machine, Domain domain, ShadowReport report, boolean diff) {
    List<ShadowReport.Mapping> mappings = report.mappings();
    Optional<List<ShadowReport.Change>> changes =
        diff ? Optional.of(report.changes()) : Optional.empty();
    return new ShadowView(
        report.spaces().stream().map(ShadowView::view).toList(),
        mappings.stream().limit(MOST).map(ShadowView::view).toList(),
        mappings.size() > MOST,
        changes.map(all -> all.stream().map(ShadowView::view).toList()),
        devices(machine, domain).flatMap(device -> nested(device, report)).toList(),
        changes.map(
            all ->
                devices(machine, domain)
                    .flatMap(new ShadowWalks(machine, report, mappings, all)::of)
                    .limit(MOST_WALKS)
                    .toList()));
  }

  private static Stream<PciDevice> devices(Machine machine, Domain domain) {
    return machine.driver().devices().ownedBy(domain.id()).stream();
  }

  private static Stream<Nested> nested(PciDevice device, ShadowReport report) {
    return firstLevels(device, report).map(pasid -> view(device, pasid));
  }

  static Stream<ShadowReport.Pasid> firstLevels(PciDevice device, ShadowReport report) {
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
