package io.hypercalld.api.resource;

import io.hypercalld.api.machine.Machine;
import io.hypercalld.api.resource.ExplainRoutes.StepView;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.iommu.driver.PciDevice;
import io.hypercalld.iommu.driver.UnitDriver;
import io.hypercalld.iommu.pci.Sbdf;
import io.hypercalld.iommu.unit.Explanation;
import io.hypercalld.iommu.unit.MemoryRequest;
import io.hypercalld.iommu.virtual.GuestJudgement;
import io.hypercalld.iommu.virtual.ShadowReport;
import io.hypercalld.iommu.vtd.DmaAccess;
import io.hypercalld.iommu.vtd.PasidPrefix;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Stream;

/**
 * Reads of a device's, walked through the guest's tables and the P2M and, beside that, through what
 * the machine's unit has: the first page of each run that a shadow maps or should map, and each
 * page of first-level tables that the unit remembers. Immutable.
 */
record ShadowWalks(
    Machine machine,
    ShadowReport report,
    List<ShadowReport.Mapping> mappings,
    List<ShadowReport.Change> changes) {
  /**
   * One page both ways.
   *
   * @param pasid empty for requests of legacy mode
   * @param page bytes of the page as the unit translates it
   * @param gpa where the guest's walk ends; empty where it is blocked
   * @param expected where the host's walk of that ends
   * @param maddr where the unit sends the request; empty where it blocks it
   * @param stale whether the guest, or the host, has not had something forgotten
   * @param guest the guest's tables by its addresses, then the P2M
   * @param machine the unit's tables, of which shadows are the second level
   */
  record Walk(
      Sbdf sbdf,
      Optional<Integer> pasid,
      Word iova,
      long page,
      Optional<Word> gpa,
      Optional<Word> expected,
      Optional<Word> maddr,
      boolean stale,
      List<StepView> guest,
      List<StepView> machine) {}

  /** Those of a device. */
  Stream<Walk> of(PciDevice device) {
    return device.unit().stream()
        .flatMap(unit -> Stream.concat(shadowed(device, unit), nested(device, unit)));
  }

  private Stream<Walk> shadowed(PciDevice device, UnitDriver unit) {
    return report.shadowsOf(device).entrySet().stream()
        .flatMap(
            each -> pages(each.getValue()).map(iova -> walk(device, unit, each.getKey(), iova)))
        .flatMap(Optional::stream);
  }

  /** The first page of each run of a shadow, ascending. */
  private Stream<Word> pages(DomainId shadow) {
    return Stream.concat(
            mappings.stream()
                .filter(run -> run.tag().equals(shadow))
                .map(ShadowReport.Mapping::iova),
            changes.stream().filter(run -> run.tag().equals(shadow)).map(ShadowReport.Change::iova))
        .distinct()
        .sorted((one, other) -> Long.compareUnsigned(one.value(), other.value()));
  }

  private Stream<Walk> nested(PciDevice device, UnitDriver unit) {
    return ShadowView.firstLevels(device, report)
        .flatMap(
            pasid ->
                remembered(unit, pasid)
                    .map(iova -> walk(device, unit, PasidPrefix.of(pasid.pasid()), iova)))
        .flatMap(Optional::stream);
  }

  private Stream<Word> remembered(UnitDriver unit, ShadowReport.Pasid pasid) {
    OptionalInt domainId = unit.domainIdOf(pasid.tag());
    return machine.unit(unit.index()).iotlb().stream()
        .filter(cached -> OptionalInt.of(cached.domainId()).equals(domainId))
        .filter(cached -> cached.pasid().equals(OptionalInt.of(pasid.pasid())))
        .map(cached -> new Word(cached.iova()));
  }

  /** Both walks; none where the guest does not see the device. */
  private Optional<Walk> walk(PciDevice device, UnitDriver unit, PasidPrefix prefix, Word iova) {
    Explanation there =
        machine
            .unit(unit.index())
            .explain(
                new MemoryRequest(device.sbdf().sourceId(), prefix, iova.value(), DmaAccess.READ));
    return report
        .judge(device, prefix, iova)
        .map(
            judged ->
                new Walk(
                    device.sbdf(),
                    prefix.present() ? Optional.of(prefix.pasid()) : Optional.empty(),
                    iova,
                    there.page().bytes(),
                    judged.gpa(),
                    judged.maddr(),
                    there.passes() ? Optional.of(new Word(there.maddr())) : Optional.empty(),
                    isStale(judged, there),
                    GuestTablesView.steps(judged).toList(),
                    there.steps().stream().map(ExplainRoutes::view).toList()));
  }

  private static boolean isStale(GuestJudgement judged, Explanation there) {
    return judged.unsaid().isPresent()
        || (there.passes() && !judged.maddr().equals(Optional.of(new Word(there.maddr()))));
  }
}
