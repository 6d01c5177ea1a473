package io.hypercalld.api.experiment;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.iommu.driver.PciDevice;
import io.hypercalld.iommu.driver.UnitDriver;
import io.hypercalld.iommu.virtual.ShadowReport;
import io.hypercalld.iommu.vtd.ContextEntry;
import io.hypercalld.iommu.vtd.PasidEntry;
import java.util.Locale;
import java.util.Optional;

/**
 * What a device's context entry in the machine's unit points at, or in scalable mode the entry of
 * requests without PASID at as second level. Immutable.
 *
 * @param mode how the guest's unit has the device translated; empty where it has no say
 * @param root machine address of the table; empty where there is no present entry
 * @param domainId the unit's tag for it
 */
public record ContextView(
    Table table, Optional<String> mode, Optional<Word> root, Optional<Integer> domainId) {
  /** Whose table it is. */
  public enum Table {
    /** No present entry. */
    NONE,
    /** Dom0's, or the quarantine's. */
    HOST,
    /** The guest's P2M itself. */
    EPT,
    /** The domain's own table beside its P2M. */
    MIRROR,
    /** The shadow of a table of the guest's. */
    SHADOW;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** For people: whose table, where it lies, and under which tag. */
  String words() {
    return table
        + root.map(address -> " " + address).orElse("")
        + domainId.map(tag -> " did " + tag).orElse("");
  }

  static ContextView of(ScratchGuest scratch, int device) {
    PciDevice function = scratch.function(device);
    UnitDriver unit = function.unit().orElseThrow();
    ContextEntry entry = unit.contextEntry(function.sbdf().sourceId());
    boolean owned = function.owner().equals(scratch.guest().id());
    Optional<String> mode =
        scratch
            .iommu()
            .report()
            .filter(_ -> owned)
            .map(report -> report.modeOf(function).toString());
    Optional<PasidEntry> space =
        unit.pasids(function.sbdf().sourceId()).flatMap(all -> Optional.ofNullable(all.get(0)));
    if (owned && space.isPresent()) {
      return translated(
          scratch, function, mode, space.get().secondLevelRoot(), space.get().domainId());
    }
    if (!entry.isPresent()) {
      return new ContextView(Table.NONE, mode, Optional.empty(), Optional.empty());
    }
    long root = ContextEntry.SLPTPTR.inPlace(entry.lo());
    return owned
        ? translated(scratch, function, mode, root, entry.domainId())
        : new ContextView(
            Table.HOST, mode, Optional.of(new Word(root)), Optional.of(entry.domainId()));
  }

  private static ContextView translated(
      ScratchGuest scratch, PciDevice function, Optional<String> mode, long root, int domainId) {
    return new ContextView(
        table(scratch, root, shadow(scratch, function)),
        mode,
        Optional.of(new Word(root)),
        Optional.of(domainId));
  }

  private static Optional<DomainId> shadow(ScratchGuest scratch, PciDevice function) {
    return scratch.iommu().report().flatMap((ShadowReport report) -> report.shadowOf(function));
  }

  private static Table table(ScratchGuest scratch, long root, Optional<DomainId> shadow) {
    if (shadow.isPresent()) {
      return Table.SHADOW;
    }
    return root == scratch.guest().p2m().root() ? Table.EPT : Table.MIRROR;
  }
}
