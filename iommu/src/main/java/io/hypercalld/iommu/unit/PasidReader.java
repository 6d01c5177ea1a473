package io.hypercalld.iommu.unit;

import io.hypercalld.iommu.pci.SourceId;
import io.hypercalld.iommu.vtd.PasidDirectoryEntry;
import io.hypercalld.iommu.vtd.PasidEntry;
import io.hypercalld.iommu.vtd.PasidPrefix;
import io.hypercalld.iommu.vtd.ScalableContextEntry;
import io.hypercalld.iommu.vtd.ScalableRootEntry;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Reads all that scalable mode's tables say of a requester, and remembers nothing. Immutable.
 *
 * @see "VT-d §3.4.3"
 */
record PasidReader(ScalableTables tables, ScalableRules rules) {
  private static final int ENTRIES = 64;

  /** What the tables say of a requester's requests. */
  RequesterPasids read(SourceId requester) {
    long rootAddress = tables.rootEntryAddress(requester);
    if (!tables.isReadable(rootAddress)) {
      return RequesterPasids.BLOCKED;
    }
    ScalableRootEntry root = tables.rootEntry(rootAddress);
    long address = root.contextTable() + ScalableContextEntry.offset(requester);
    if (tables.judge().fault(root).isPresent() || !tables.isReadable(address)) {
      return RequesterPasids.BLOCKED;
    }
    ScalableContextEntry context = tables.contextEntry(address);
    return JudgedContext.faults(tables.judge().judge(requester.value(), context))
        ? RequesterPasids.BLOCKED
        : new RequesterPasids(
            context.enablesDeviceTlb(),
            context.enablesPasids(),
            rules.pasid(context.q1(), PasidPrefix.NONE),
            entries(context));
  }

  private SortedMap<Integer, PasidEntry> entries(ScalableContextEntry context) {
    SortedMap<Integer, PasidEntry> found = new TreeMap<>();
    for (int first = 0; first < 1 << context.pasidBits(); first += ENTRIES) {
      long address = context.directory() + PasidDirectoryEntry.offset(first);
      if (tables.isReadable(address)) {
        PasidDirectoryEntry entry = tables.directoryEntry(address);
        if (tables.judge().fault(entry).isEmpty() && tables.isReadable(entry.table())) {
          collect(entry.table(), first, found);
        }
      }
    }
    return found;
  }

  private void collect(long table, int first, SortedMap<Integer, PasidEntry> found) {
    for (int pasid = first; pasid < first + ENTRIES; pasid++) {
      PasidEntry entry = tables.pasidEntry(table + PasidEntry.offset(pasid));
      if (!JudgedPasid.faults(tables.judge().judge(entry))) {
        found.put(pasid, entry);
      }
    }
  }
}
