package io.hypercalld.iommu.vtd;

import static io.hypercalld.iommu.vtd.FaultReason.Kind.DMA;
import static io.hypercalld.iommu.vtd.FaultReason.Kind.INTERRUPT;
import static io.hypercalld.iommu.vtd.FaultReason.Qualification.QUALIFIED;
import static io.hypercalld.iommu.vtd.FaultReason.Qualification.UNQUALIFIED;

import java.util.Optional;

/**
 * Why a request was blocked, with the number that a fault record carries. Immutable.
 *
 * <p>The texts are those of Xen's driver (xen/drivers/passthrough/vtd/iommu.c) as far as it has
 * one.
 *
 * @see "VT-d §7.1.3"
 */
public enum FaultReason {
  ROOT_NOT_PRESENT(0x1, DMA, UNQUALIFIED, "Present bit in root entry is clear"),
  CONTEXT_NOT_PRESENT(0x2, DMA, QUALIFIED, "Present bit in context entry is clear"),
  CONTEXT_INVALID(0x3, DMA, QUALIFIED, "Invalid context entry"),
  ADDRESS_BEYOND_WIDTH(0x4, DMA, QUALIFIED, "Access beyond MGAW"),
  WRITE_NOT_PERMITTED(0x5, DMA, QUALIFIED, "PTE Write access is not set"),
  READ_NOT_PERMITTED(0x6, DMA, QUALIFIED, "PTE Read access is not set"),
  PAGING_ENTRY_UNREADABLE(0x7, DMA, QUALIFIED, "Next page table ptr is invalid"),
  ROOT_ENTRY_UNREADABLE(0x8, DMA, UNQUALIFIED, "Root table address invalid"),
  CONTEXT_ENTRY_UNREADABLE(0x9, DMA, UNQUALIFIED, "Context table ptr is invalid"),
  ROOT_ENTRY_RESERVED(0xa, DMA, UNQUALIFIED, "non-zero reserved fields in RTP"),
  CONTEXT_ENTRY_RESERVED(0xb, DMA, QUALIFIED, "non-zero reserved fields in CTP"),
  PAGING_ENTRY_RESERVED(0xc, DMA, QUALIFIED, "non-zero reserved fields in PTE"),
  REQUEST_TYPE_BLOCKED(0xd, DMA, QUALIFIED, "Blocked a DMA translation request"),
  OUTPUT_IN_INTERRUPT_RANGE(0xe, DMA, QUALIFIED, "Output address is in the interrupt range"),

  INTERRUPT_REQUEST_RESERVED(
      0x20,
      INTERRUPT,
      UNQUALIFIED,
      "Detected reserved fields in the decoded interrupt-remapped request"),
  INTERRUPT_INDEX_BEYOND_TABLE(
      0x21, INTERRUPT, UNQUALIFIED, "Interrupt index exceeded the interrupt-remapping table size"),
  INTERRUPT_ENTRY_NOT_PRESENT(
      0x22, INTERRUPT, QUALIFIED, "Present field in the IRTE entry is clear"),
  INTERRUPT_ENTRY_UNREADABLE(
      0x23,
      INTERRUPT,
      UNQUALIFIED,
      "Error accessing interrupt-remapping table pointed by IRTA_REG"),
  INTERRUPT_ENTRY_RESERVED(
      0x24, INTERRUPT, QUALIFIED, "Detected reserved fields in the IRTE entry"),
  COMPATIBILITY_INTERRUPT_BLOCKED(
      0x25, INTERRUPT, UNQUALIFIED, "Blocked a compatibility format interrupt request"),
  INTERRUPT_SOURCE_INVALID(
      0x26,
      INTERRUPT,
      QUALIFIED,
      "Blocked an interrupt request due to source-id verification failure"),
  POSTED_DESCRIPTOR_UNREADABLE(
      0x27, INTERRUPT, QUALIFIED, "Error accessing the posted-interrupt descriptor"),
  POSTED_DESCRIPTOR_RESERVED(
      0x28, INTERRUPT, QUALIFIED, "Detected reserved fields in the posted-interrupt descriptor"),
  INTERRUPT_REQUEST_WITH_PASID(
      0x29, INTERRUPT, UNQUALIFIED, "Blocked an interrupt request that carries a PASID"),

  ROOT_TABLE_MODE_INVALID(0x30, DMA, UNQUALIFIED, "Translation table mode is not supported"),
  DMA_ABORTED(0x33, DMA, UNQUALIFIED, "Translation table mode aborts every DMA request");

  /** What was blocked. */
  public enum Kind {
    DMA,
    INTERRUPT
  }

  /** Whether FPD in the entry that was used keeps the fault out of the log. */
  public enum Qualification {
    QUALIFIED,
    UNQUALIFIED
  }

  private static final FaultReason[] ALL = values();

  private final int code;
  private final Kind kind;
  private final Qualification qualification;
  private final String text;

  FaultReason(int code, Kind kind, Qualification qualification, String text) {
    this.code = code;
    this.kind = kind;
    this.qualification = qualification;
    this.text = text;
  }

  /** The reason with this number; empty where the architecture gives it to none we know. */
  public static Optional<FaultReason> of(int code) {
    for (FaultReason reason : ALL) {
      if (reason.code == code) {
        return Optional.of(reason);
      }
    }
    return Optional.empty();
  }

  /** The number in field FR of a fault record. */
  public int code() {
    return code;
  }

  public Kind kind() {
    return kind;
  }

  /** Whether FPD in the entry that was used keeps the fault out of the log. */
  public boolean isQualified() {
    return qualification == Qualification.QUALIFIED;
  }

  /** Xen's wording. */
  public String text() {
    return text;
  }
}
