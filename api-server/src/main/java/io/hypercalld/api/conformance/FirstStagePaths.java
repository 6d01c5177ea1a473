package io.hypercalld.api.conformance;

import io.hypercalld.iommu.pci.SourceId;
import io.hypercalld.iommu.vtd.FirstLevelEntry;
import io.hypercalld.iommu.vtd.PasidDirectoryEntry;
import io.hypercalld.iommu.vtd.PasidEntry;
import io.hypercalld.iommu.vtd.Register;
import io.hypercalld.iommu.vtd.RootTableAddress;
import io.hypercalld.iommu.vtd.ScalableContextEntry;
import io.hypercalld.iommu.vtd.ScalableRootEntry;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.Set;

/**
 * The first-stage entries that requests of this case may have come by: those on the way of the
 * tables as they are, from every table that some requester has had. Confined to the thread that
 * runs the case.
 */
final class FirstStagePaths {
  private static final int BITS_OF_LEVEL = 9;
  private static final int BITS_OF_PAGE = 12;

  private final CaseMachine machine;
  private final Set<Long> roots = new LinkedHashSet<>();
  private final Set<Long> visited = new HashSet<>();
  private final Set<Long> leaves = new HashSet<>();

  FirstStagePaths(CaseMachine machine) {
    this.machine = machine;
  }

  /** A device asks for an address. */
  void follow(SourceId requester, long iova) {
    PasidEntry entry = pasidEntry(requester);
    if (entry.isPresent()) {
      roots.add(entry.firstLevelRoot());
    }
    for (long root : roots) {
      walk(root, iova, 4 + PasidEntry.FIVE_LEVELS);
      walk(root, iova, 4);
    }
  }

  private void walk(long root, long iova, int levels) {
    long table = root;
    for (int level = levels; level > 0; level--) {
      int shift = BITS_OF_PAGE + BITS_OF_LEVEL * (level - 1);
      long at = table + (iova >>> shift & (1 << BITS_OF_LEVEL) - 1) * Long.BYTES;
      long entry = machine.word(at);
      if (!FirstLevelEntry.isPresent(entry)) {
        return;
      }
      visited.add(at);
      if (FirstLevelEntry.isLeaf(entry, level)) {
        leaves.add(at);
        return;
      }
      table = FirstLevelEntry.target(entry);
    }
  }

  /** The entry of the address space that requests without a PASID use. */
  private PasidEntry pasidEntry(SourceId requester) {
    long root = machine.unit().read64(Register.RTADDR.offset());
    if (RootTableAddress.mode(root) == RootTableAddress.Mode.LEGACY) {
      return PasidEntry.ABSENT;
    }
    long lower = RootTableAddress.table(root) + ScalableRootEntry.offset(requester);
    long contexts = new ScalableRootEntry(machine.word(lower)).contextTable();
    long context = machine.word(contexts + ScalableContextEntry.offset(requester));
    long directory = ScalableContextEntry.directory(context);
    long table = new PasidDirectoryEntry(machine.word(directory)).table();
    return new PasidEntry(
        machine.word(table),
        machine.word(table + Long.BYTES),
        machine.word(table + 2 * Long.BYTES),
        0);
  }

  boolean isEntry(long address) {
    return visited.contains(address);
  }

  boolean isLeaf(long address) {
    return leaves.contains(address);
  }
}
