package io.hypercalld.api.experiment;

import java.util.List;

/**
 * What each mode cost. Immutable.
 *
 * @param sameMappings whether, when all was done, the same guest frames were mapped in every mode,
 *     and each device reached exactly what its guest's P2M says
 */
public record PageTableAnswer(
    PageTableQuestion question, List<Row> modes, boolean sameMappings, Reserve reserve)
    implements Findings {

  /**
   * What one mode cost.
   *
   * @param p2m tables of the P2M
   * @param iommu tables that devices have besides
   * @param changes what the random changes cost
   * @param access what DMA and guest met
   */
  public record Row(TableMode mode, Tables p2m, Tables iommu, Changes changes, Access access) {}

  /** Tables right after the guest was made. */
  public record Tables(long tables, long bytes) {}

  /** Words written and commands sent for the changes. */
  public record Changes(
      long p2mWrites, long iommuWrites, long splits, long coalesces, long flushes) {}

  /** What devices and guest met. */
  public record Access(long iotlbHits, long iotlbMisses, long faults, long tlbInserts) {}

  /**
   * What dom0 once set aside for tables beforehand: four words a page, for pages of 16 KiB.
   *
   * @param pages of 16 KiB
   */
  public record Reserve(long pages, long bytes) {}

  @Override
  public String toText() {
    TextTable table =
        new TextTable(
            "mode",
            "P2M KiB",
            "DMA tables",
            "DMA KiB",
            "P2M writes",
            "DMA writes",
            "splits",
            "flushes",
            "faults",
            "TLB inserts");
    for (Row row : modes) {
      table.add(
          row.mode,
          row.p2m.bytes >>> 10,
          row.iommu.tables,
          row.iommu.bytes >>> 10,
          row.changes.p2mWrites,
          row.changes.iommuWrites,
          row.changes.splits,
          row.changes.flushes,
          row.access.faults,
          row.access.tlbInserts);
    }
    return table + "same mappings: " + (sameMappings ? "yes" : "no") + "\n";
  }
}
