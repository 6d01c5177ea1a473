package io.hypercalld.api.debug;

import io.hypercalld.api.machine.Machine;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.memory.MachineMemory;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.iommu.driver.DomainIommu;
import io.hypercalld.iommu.driver.Mirror;
import io.hypercalld.iommu.vtd.SecondStageEntry;
import java.util.Optional;

/**
 * Key {@code o}. Never instantiated.
 *
 * @see "xen/drivers/passthrough/iommu.c, iommu_dump_page_tables; vtd/iommu.c,
 *     vtd_dump_page_table_level"
 */
final class PageTableDump {
  private static final int ENTRIES = 512;
  private static final int INDEX_BITS = 9;

  private PageTableDump() {}

  static void print(Machine machine, Lines out) {
    machine.hypervisor().domains().all().stream()
        .filter(domain -> !domain.isHardwareDomain())
        .forEach(
            domain ->
                domain
                    .findFacet(DomainIommu.class)
                    .ifPresent(iommu -> print(machine, domain, iommu, out)));
  }

  private static void print(Machine machine, Domain domain, DomainIommu iommu, Lines out) {
    if (iommu.sharesP2m()) {
      out.print("d%d sharing page tables", domain.id().value());
      return;
    }
    Optional<Mirror> mirror = iommu.mirror();
    if (mirror.isPresent()) {
      int levels = mirror.get().levels();
      out.print("[VT-D] d%d table has %d levels", domain.id().value(), levels);
      new Walk(machine.hypervisor().memory(), out).table(mirror.get().root(), levels, 0, 0);
    }
  }

  /** One walk of a whole table. */
  private record Walk(MachineMemory memory, Lines out) {
    void table(long maddr, int level, long dfn, int indent) {
      for (int index = 0; index < ENTRIES; index++) {
        long entry = memory.readWord(maddr + (long) index * Long.BYTES);
        if (SecondStageEntry.isPresent(entry)) {
          long at = dfn + ((long) index << ((level - 1) * INDEX_BITS));
          entry(entry, level, at, indent);
        }
      }
    }

    private void entry(long entry, int level, long dfn, int indent) {
      if (!SecondStageEntry.isLeaf(entry, level)) {
        table(SecondStageEntry.target(entry), level - 1, dfn, indent + 1);
        return;
      }
      out.print(
          "%sdfn: %08x mfn: %08x %c%c",
          " ".repeat(indent),
          dfn,
          SecondStageEntry.target(entry) >>> PageSize.SHIFT_4K,
          SecondStageEntry.R.isSet(entry) ? 'r' : '-',
          SecondStageEntry.W.isSet(entry) ? 'w' : '-');
    }
  }
}
