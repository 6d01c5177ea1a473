package io.hypercalld.api.resource;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.p2m.DmaPermission;
import io.hypercalld.iommu.unit.RequesterSpace.Translated;
import io.hypercalld.iommu.virtual.ShadowReport;
import java.util.List;
import java.util.Optional;

/**
 * The shadows of a guest's tables as they are told. Immutable.
 *
 * @param mappings runs of frames of 4 KiB, at most {@link #MOST} of them
 * @param differences what the guest's tables say otherwise by now; empty unless asked for
 */
record ShadowView(
    List<Space> spaces,
    List<Mapping> mappings,
    boolean truncated,
    Optional<List<Difference>> differences) {
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

  static ShadowView of(ShadowReport report, boolean diff) {
    List<ShadowReport.Mapping> mappings = report.mappings();
    return new ShadowView(
        report.spaces().stream().map(ShadowView::view).toList(),
        mappings.stream().limit(MOST).map(ShadowView::view).toList(),
        mappings.size() > MOST,
        diff
            ? Optional.of(report.changes().stream().map(ShadowView::view).toList())
            : Optional.empty());
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
