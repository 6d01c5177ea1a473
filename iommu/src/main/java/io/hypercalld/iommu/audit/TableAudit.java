package io.hypercalld.iommu.audit;

import io.hypercalld.core.Hypervisor;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.memory.FrameTable;
import io.hypercalld.core.memory.FrameUse;
import io.hypercalld.core.memory.MachineMemory;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.iommu.driver.UnitDriver;
import io.hypercalld.iommu.driver.VtdDriver;
import io.hypercalld.iommu.pci.SourceId;
import io.hypercalld.iommu.vtd.AddressWidth;
import io.hypercalld.iommu.vtd.ContextEntry;
import io.hypercalld.iommu.vtd.SecondStageEntry;
import io.hypercalld.iommu.vtd.TranslationType;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;

/** I3, I5: what the tables in memory say, read without any cache. */
final class TableAudit {
  private final MachineMemory memory;
  private final FrameTable frames;
  private final VtdDriver driver;

  TableAudit(Hypervisor hypervisor, VtdDriver driver) {
    this.driver = driver;
    this.memory = hypervisor.memory();
    this.frames = hypervisor.frames();
  }

  void check(UnitDriver unit, List<Violation> found) {
    Map<Integer, ContextEntry> byDomainId = new TreeMap<>();
    present(unit)
        .forEach(
            space -> {
              SourceId requester = space.requester();
              ContextEntry entry = space.entry();
              checkDomainId(unit, requester, entry, found);
              ContextEntry other = byDomainId.putIfAbsent(entry.domainId(), entry);
              if (other != null && other.secondStageRoot() != entry.secondStageRoot()) {
                found.add(
                    new Violation(
                        "I3",
                        "domain-id %d of iommu %d stands for two tables, %s and, for %s, %s"
                            .formatted(
                                entry.domainId(),
                                unit.index(),
                                table(other),
                                requester,
                                table(entry))));
              }
            });
    byDomainId.values().forEach(entry -> checkTables(unit, entry, found));
  }

  private String table(ContextEntry entry) {
    long root = entry.secondStageRoot();
    int owner = frames.owner(root >>> PageSize.SHIFT_4K);
    return "0x%x of %s".formatted(root, new DomainId(owner));
  }

  private static void checkDomainId(
      UnitDriver unit, SourceId requester, ContextEntry entry, List<Violation> found) {
    int did = entry.domainId();
    int known = unit.capabilities().domainIds();
    if (did >= known) {
      found.add(
          new Violation(
              "I3",
              "%s has domain-id %d, but iommu %d tells only %d apart: %s overflows it"
                  .formatted(requester, did, unit.index(), known, owner(unit, did))));
    }
    if (did == 0 && unit.capabilities().cachingMode()) {
      found.add(
          new Violation(
              "I3",
              "%s of %s has domain-id 0, which iommu %d in caching mode keeps for entries that are"
                      .formatted(requester, owner(unit, did), unit.index())
                  + " not present"));
    }
  }

  private static String owner(UnitDriver unit, int did) {
    return unit.ownerOf(did).map(DomainId::toString).orElse("nobody");
  }

  private void checkTables(UnitDriver unit, ContextEntry entry, List<Violation> found) {
    if (entry.translationType() == TranslationType.PASS_THROUGH) {
      return;
    }
    int owner =
        unit.ownerOf(entry.domainId())
            .map(driver.ioContexts()::secondLevelOf)
            .map(DomainId::value)
            .orElse(FrameTable.NO_OWNER);
    int levels = AddressWidth.of(entry.addressWidthEncoding()).orElseThrow().levels();
    checkTable(new Walked(unit, owner, new HashSet<>(), found), entry.secondStageRoot(), levels);
  }

  /** What stays the same all through one tree of tables. */
  private record Walked(UnitDriver unit, int owner, Set<Long> seen, List<Violation> found) {}

  private void checkTable(Walked walked, long table, int level) {
    long mfn = table >>> PageSize.SHIFT_4K;
    if (!walked.seen().add(mfn)) {
      return;
    }
    FrameUse use = frames.use(mfn);
    boolean isTable = use == FrameUse.DMA_TABLE || use == FrameUse.P2M_TABLE;
    if (!isTable || frames.owner(mfn) != walked.owner()) {
      walked
          .found()
          .add(
              new Violation(
                  "I5",
                  "iommu %d of d%d uses frame 0x%x as a table, which is %s of d%d"
                      .formatted(
                          walked.unit().index(), walked.owner(), mfn, use, frames.owner(mfn))));
      return;
    }
    for (int i = 0; level > 1 && i < SecondStageEntry.ENTRIES; i++) {
      long entry = memory.readWord(table + (long) i * SecondStageEntry.BYTES);
      if (SecondStageEntry.isPresent(entry) && !SecondStageEntry.isLeaf(entry, level)) {
        checkTable(walked, SecondStageEntry.target(entry), level - 1);
      }
    }
  }

  /**
   * One address space of a requester's.
   *
   * @param entry its second level, as legacy mode's context entry says it
   */
  record Space(SourceId requester, int pasid, ContextEntry entry) {}

  /** Every address space that a unit's tables lead to. */
  List<Space> present(UnitDriver unit) {
    List<Space> spaces = new ArrayList<>();
    for (SourceId requester : unit.requesters()) {
      unit.spaces(requester)
          .forEach((pasid, entry) -> spaces.add(new Space(requester, pasid, entry)));
    }
    return spaces;
  }

  /**
   * The leaf that maps {@code iova}, with permissions reduced to what the way allows; empty for
   * none.
   */
  OptionalLong leaf(ContextEntry entry, long iova) {
    long table = entry.secondStageRoot();
    int permissions = SecondStageEntry.READ_WRITE;
    for (int level = AddressWidth.of(entry.addressWidthEncoding()).orElseThrow().levels();
        memory.isRam(table);
        level--) {
      long found = memory.readWord(table + SecondStageEntry.offset(iova, level));
      permissions &= SecondStageEntry.permissions(found);
      if (permissions == 0) {
        return OptionalLong.empty();
      }
      if (SecondStageEntry.isLeaf(found, level)) {
        long inside = iova & ((1L << SecondStageEntry.shift(level)) - 1);
        return OptionalLong.of((SecondStageEntry.target(found) + inside) | permissions);
      }
      table = SecondStageEntry.target(found);
    }
    return OptionalLong.empty();
  }

  /** How many bytes the entry at which a walk of {@code iova} ends stands for. */
  long leafBytes(ContextEntry entry, long iova) {
    long table = entry.secondStageRoot();
    int level = AddressWidth.of(entry.addressWidthEncoding()).orElseThrow().levels();
    while (level > 1 && memory.isRam(table)) {
      long found = memory.readWord(table + SecondStageEntry.offset(iova, level));
      if (!SecondStageEntry.isPresent(found) || SecondStageEntry.isLeaf(found, level)) {
        break;
      }
      table = SecondStageEntry.target(found);
      level--;
    }
    return 1L << SecondStageEntry.shift(level);
  }
}
