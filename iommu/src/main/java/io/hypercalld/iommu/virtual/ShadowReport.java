package io.hypercalld.iommu.virtual;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.p2m.DmaPermission;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.iommu.driver.DmaRun;
import io.hypercalld.iommu.driver.PasidView;
import io.hypercalld.iommu.driver.PciDevice;
import io.hypercalld.iommu.driver.TableCounters;
import io.hypercalld.iommu.unit.RequesterSpace.Translated;
import io.hypercalld.iommu.virtual.Differences.Difference;
import io.hypercalld.iommu.vtd.PasidEntry;
import io.hypercalld.iommu.vtd.PasidPrefix;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/** The shadows of a guest's tables, to be looked at; changes nothing. */
public final class ShadowReport {
  private static final int SHIFT = 12;

  private final Shadows shadows;

  ShadowReport(Shadows shadows) {
    this.shadows = shadows;
  }

  /**
   * One shadow.
   *
   * @param source the guest's table; empty for the space of devices that the guest blocks
   * @param tag the pseudo domain id that stands for it in the machine's units
   * @param root machine address of its top table
   * @param frames of 4 KiB that it maps
   * @param costs what its table has cost so far
   */
  public record Space(
      Optional<Translated> source, DomainId tag, Word root, long frames, TableCounters costs) {
    /** Frames of its table. */
    public long tables() {
      return costs.tables();
    }
  }

  /**
   * What a shadow maps.
   *
   * @param gpa guest-physical address that the guest's table leads to
   */
  public record Mapping(
      DomainId tag, Word iova, Word gpa, Word maddr, long frames, DmaPermission permission) {}

  /**
   * Frames of a guest's table that lead elsewhere than when it was last read.
   *
   * @param before guest-physical address that they led to
   * @param now where the table leads them now
   * @param stale whether devices may still use what the guest has taken away
   */
  public record Change(
      DomainId tag,
      Word iova,
      long frames,
      Optional<Word> before,
      Optional<Word> now,
      boolean stale) {}

  /** How a device's requests are translated. */
  public DeviceMode modeOf(PciDevice device) {
    return shadows.placeOf(device).mode();
  }

  /** The shadow that a device goes through. */
  public Optional<DomainId> shadowOf(PciDevice device) {
    return shadows.placeOf(device).space().map(space -> space.context().tag());
  }

  /** Which table translates guest-physical addresses, or what the guest takes for such. */
  public enum SecondStage {
    P2M,
    DMA_TABLE,
    SHADOW;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
  }

  /**
   * What one of a device's PASIDs goes through.
   *
   * @param type of the guest's entry
   * @param domainId the guest's
   * @param tag whose domain-id stands for it in the machine's units
   * @param guestRoot where the guest has its first-level tables; empty where it has none
   */
  public record Pasid(
      int pasid,
      PasidEntry.Granularity type,
      int domainId,
      DomainId tag,
      SecondStage secondStage,
      Optional<Word> guestRoot) {}

  /** What a device's PASIDs go through; empty where the guest does not use scalable mode. */
  public Optional<List<Pasid>> pasidsOf(PciDevice device) {
    Place place = shadows.placeOf(device);
    return place
        .view()
        .map(
            view ->
                place.said().entries().entrySet().stream()
                    .map(each -> pasid(device, view, each.getKey(), each.getValue()))
                    .toList());
  }

  private Pasid pasid(PciDevice device, PasidView view, int pasid, PasidEntry entry) {
    PasidEntry.Granularity type = entry.granularity().orElseThrow();
    SecondStage own = shadows.sharesP2m() ? SecondStage.P2M : SecondStage.DMA_TABLE;
    return new Pasid(
        pasid,
        type,
        entry.domainId(),
        Objects.requireNonNull(view.spaces().get(pasid)).tag(device.owner()),
        type.usesSecondLevel() ? SecondStage.SHADOW : own,
        type.usesFirstLevel() ? Optional.of(new Word(entry.firstLevelRoot())) : Optional.empty());
  }

  /** Where the guest's tables and the P2M send a device's read as they are now. */
  public Optional<GuestJudgement> judge(PciDevice device, PasidPrefix prefix, Word iova) {
    return shadows.walks().judge(device, prefix, iova.value());
  }

  /** The shadows that a device's requests go through, by what tells these apart. */
  public Map<PasidPrefix, DomainId> shadowsOf(PciDevice device) {
    Place place = shadows.placeOf(device);
    Map<PasidPrefix, DomainId> found = new LinkedHashMap<>();
    place
        .spaces()
        .forEach(
            (pasid, space) ->
                found.put(
                    place.view().isPresent() ? PasidPrefix.of(pasid) : PasidPrefix.NONE,
                    space.context().tag()));
    return found;
  }

  public ShadowCounters counters() {
    return shadows.counters();
  }

  /** Pages of 4 KiB that the guest's tables led anywhere when they were last read. */
  public long pages() {
    return shadows.all().stream().mapToLong(space -> space.captured().pages()).sum();
  }

  /** Frames of all shadows' tables. */
  public long tables() {
    return shadows.all().stream().mapToLong(space -> space.context().counters().tables()).sum();
  }

  /** The shadows, in the order in which they were made. */
  public List<Space> spaces() {
    return shadows.all().stream()
        .map(
            space ->
                new Space(
                    space.source(),
                    space.context().tag(),
                    new Word(space.context().root()),
                    space.mappedFrames(),
                    space.context().counters()))
        .toList();
  }

  /** What the shadows map, as runs of frames that lead to consecutive ones of the machine. */
  public List<Mapping> mappings() {
    List<Mapping> found = new ArrayList<>();
    for (ShadowSpace space : shadows.all()) {
      for (GuestRun run : space.captured().all()) {
        collect(space, run, found);
      }
    }
    return found;
  }

  private static void collect(ShadowSpace space, GuestRun run, List<Mapping> found) {
    Optional<DmaRun> mapped = space.context().nextRun(new Gfn(run.dfn()));
    while (mapped.isPresent() && mapped.get().dfn().value() < run.end()) {
      DmaRun there = mapped.get();
      GuestRun part = run.within(there.dfn().value(), there.end());
      found.add(
          new Mapping(
              space.context().tag(),
              address(part.dfn()),
              address(part.gfn()),
              address(there.at(part.dfn()).value()),
              part.frames(),
              there.permission()));
      mapped = space.context().nextRun(new Gfn(part.end()));
    }
  }

  /** Where the guest's tables say something else than when they were last read. */
  public List<Change> changes() {
    List<Change> found = new ArrayList<>();
    for (ShadowSpace space : shadows.all()) {
      List<GuestRun> before = space.captured().all();
      for (Difference one : Differences.between(before, space.current(0, ShadowSpace.END))) {
        found.add(
            new Change(
                space.context().tag(),
                address(one.dfn()),
                one.frames(),
                one.before().map(run -> address(run.gfn())),
                one.now().map(run -> address(run.gfn())),
                one.isStale()));
      }
    }
    return found;
  }

  /** Where a shadow is not what the last reading and the P2M make of it. */
  public List<String> violations() {
    return shadows.violations();
  }

  private static Word address(long frame) {
    return new Word(frame << SHIFT);
  }
}
