package io.hypercalld.iommu.fault;

import io.hypercalld.iommu.pci.Sbdf;
import io.hypercalld.iommu.vtd.FaultRecord;
import java.util.List;
import java.util.Locale;

/**
 * A fault in Xen's words. Never instantiated.
 *
 * @see "xen/drivers/passthrough/vtd/iommu.c, iommu_page_fault_do_one"
 */
final class FaultWords {
  private static final List<String> DMA =
      List.of(
          "Software",
          "Present bit in root entry is clear",
          "Present bit in context entry is clear",
          "Invalid context entry",
          "Access beyond MGAW",
          "PTE Write access is not set",
          "PTE Read access is not set",
          "Next page table ptr is invalid",
          "Root table address invalid",
          "Context table ptr is invalid",
          "non-zero reserved fields in RTP",
          "non-zero reserved fields in CTP",
          "non-zero reserved fields in PTE",
          "Blocked a DMA translation request");

  private static final List<String> INTERRUPT =
      List.of(
          "Detected reserved fields in the decoded interrupt-remapped request",
          "Interrupt index exceeded the interrupt-remapping table size",
          "Present field in the IRTE entry is clear",
          "Error accessing interrupt-remapping table pointed by IRTA_REG",
          "Detected reserved fields in the IRTE entry",
          "Blocked a compatibility format interrupt request",
          "Blocked an interrupt request due to source-id verification failure");

  private static final int FIRST_INTERRUPT = 0x20;
  private static final String PREFIX = "[VT-D]";

  private FaultWords() {}

  /** Whether the reason is one of interrupt remapping. */
  static boolean isInterrupt(int reason) {
    return reason >= FIRST_INTERRUPT && reason < FIRST_INTERRUPT + INTERRUPT.size();
  }

  /** The two lines that Xen prints. */
  static List<String> lines(int iommu, Sbdf sbdf, FaultRecord record) {
    int reason = record.reasonCode();
    if (isInterrupt(reason)) {
      return List.of(
          "%sINTR-REMAP: Request device [%s] fault index %x"
              .formatted(PREFIX, sbdf, record.interruptIndex()),
          because("INTR-REMAP", reason, INTERRUPT.get(reason - FIRST_INTERRUPT), iommu));
    }
    if (reason < DMA.size()) {
      return List.of(
          "%sDMAR:[DMA %s] Request device [%s] fault addr %x"
              .formatted(PREFIX, record.isRead() ? "Read" : "Write", sbdf, record.iova()),
          because("DMAR", reason, DMA.get(reason), iommu));
    }
    return List.of(
        "%sUNKNOWN: Request device [%s] fault addr %x".formatted(PREFIX, sbdf, record.iova()),
        because("UNKNOWN", reason, "Unknown", iommu));
  }

  private static String because(String kind, int reason, String words, int iommu) {
    return String.format(
        Locale.ROOT, "%s%s: reason %02x - %s on iommu:%d", PREFIX, kind, reason, words, iommu);
  }
}
