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
 * one; those of scalable mode, which Xen does not use, begin with {@code SM:} as in other drivers'
 * logs. Numbers whose conditions belong to features that no unit here announces are none of these.
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

  ROOT_TABLE_MODE_INVALID(0x30, DMA, UNQUALIFIED, "SM: Invalid Root Table Address"),
  PASID_IN_LEGACY_MODE(0x31, DMA, UNQUALIFIED, "SM: TTM 0 for request with PASID"),
  PAGE_GROUP_IN_LEGACY_MODE(0x32, DMA, UNQUALIFIED, "SM: TTM 0 for page group request"),
  DMA_ABORTED(0x33, DMA, UNQUALIFIED, "SM: Translation table mode aborts every DMA request"),

  SCALABLE_ROOT_UNREADABLE(0x38, DMA, UNQUALIFIED, "SM: Error attempting to access Root Entry"),
  SCALABLE_ROOT_NOT_PRESENT(0x39, DMA, UNQUALIFIED, "SM: Present bit in Root Entry is clear"),
  SCALABLE_ROOT_RESERVED(0x3a, DMA, UNQUALIFIED, "SM: Non-zero reserved field set in Root Entry"),

  SCALABLE_CONTEXT_UNREADABLE(
      0x40, DMA, UNQUALIFIED, "SM: Error attempting to access Context Entry"),
  SCALABLE_CONTEXT_NOT_PRESENT(0x41, DMA, QUALIFIED, "SM: Present bit in Context Entry is clear"),
  SCALABLE_CONTEXT_RESERVED(
      0x42, DMA, QUALIFIED, "SM: Non-zero reserved field set in the Context Entry"),
  SCALABLE_CONTEXT_INVALID(0x43, DMA, QUALIFIED, "SM: Invalid Context Entry"),
  DEVICE_TLB_DISABLED(0x44, DMA, QUALIFIED, "SM: DTE field in Context Entry is clear"),
  PASID_DISABLED(0x45, DMA, QUALIFIED, "SM: PASID Enable field in Context Entry is clear"),
  PASID_BEYOND_DIRECTORY(0x46, DMA, QUALIFIED, "SM: PASID is larger than the max in Context Entry"),
  PAGE_REQUESTS_DISABLED(0x47, DMA, QUALIFIED, "SM: PRE field in Context-Entry is clear"),
  RID_PASID_BEYOND_DIRECTORY(0x48, DMA, QUALIFIED, "SM: RID_PASID field error in Context-Entry"),

  PASID_DIRECTORY_UNREADABLE(
      0x50, DMA, QUALIFIED, "SM: Error attempting to access the PASID Directory Entry"),
  PASID_DIRECTORY_NOT_PRESENT(0x51, DMA, QUALIFIED, "SM: Present bit in Directory Entry is clear"),
  PASID_DIRECTORY_RESERVED(
      0x52, DMA, QUALIFIED, "SM: Non-zero reserved field set in PASID Directory Entry"),
  PASID_ENTRY_UNREADABLE(0x58, DMA, QUALIFIED, "SM: Error attempting to access PASID Table Entry"),
  PASID_ENTRY_NOT_PRESENT(0x59, DMA, QUALIFIED, "SM: Present bit in PASID Table Entry is clear"),
  PASID_ENTRY_RESERVED(
      0x5a, DMA, QUALIFIED, "SM: Non-zero reserved field set in PASID Table Entry"),
  PASID_ENTRY_INVALID(0x5b, DMA, QUALIFIED, "SM: Invalid Scalable-Mode PASID Table Entry"),
  EXECUTE_REQUESTS_DISABLED(0x5c, DMA, QUALIFIED, "SM: ERE field is clear in PASID Table Entry"),
  SUPERVISOR_REQUESTS_DISABLED(0x5d, DMA, QUALIFIED, "SM: SRE field is clear in PASID Table Entry"),

  FIRST_LEVEL_UNREADABLE(
      0x70, DMA, QUALIFIED, "SM: Error attempting to access first-level paging entry"),
  FIRST_LEVEL_NOT_PRESENT(
      0x71, DMA, QUALIFIED, "SM: Present bit in first-level paging entry is clear"),
  FIRST_LEVEL_RESERVED(
      0x72, DMA, QUALIFIED, "SM: Non-zero reserved field set in first-level paging entry"),
  FIRST_LEVEL_TOP_UNREADABLE(0x73, DMA, QUALIFIED, "SM: Error attempting to access FL-PML4 entry"),
  NESTED_ADDRESS_BEYOND_WIDTH(
      0x74, DMA, QUALIFIED, "SM: First-level entry address beyond MGAW in Nested translation"),
  NESTED_TOP_NOT_READABLE(
      0x75, DMA, QUALIFIED, "SM: Read permission error in FL-PML4 entry in Nested translation"),
  NESTED_TABLE_NOT_READABLE(
      0x76,
      DMA,
      QUALIFIED,
      "SM: Read permission error in first-level paging entry in Nested translation"),
  NESTED_TABLE_NOT_WRITABLE(
      0x77,
      DMA,
      QUALIFIED,
      "SM: Write permission error in first-level paging entry in Nested translation"),

  SECOND_LEVEL_UNREADABLE(
      0x78, DMA, QUALIFIED, "SM: Error attempting to access second-level paging entry"),
  SECOND_LEVEL_NOT_PERMITTED(
      0x79, DMA, QUALIFIED, "SM: Read/Write permission error in second-level paging entry"),
  SECOND_LEVEL_RESERVED(
      0x7a, DMA, QUALIFIED, "SM: Non-zero reserved field set in second-level paging entry"),
  SECOND_LEVEL_TOP_UNREADABLE(0x7b, DMA, QUALIFIED, "SM: Invalid second-level page table pointer"),
  SECOND_LEVEL_UPDATE_NOT_SNOOPED(
      0x7c,
      DMA,
      QUALIFIED,
      "SM: A/D bit update needed in second-level entry when set up in no snoop"),
  SECOND_LEVEL_UPDATE_FAILED(
      0x7d, DMA, QUALIFIED, "SM: Error attempting to update A/D bits in second-level paging entry"),

  ADDRESS_NOT_CANONICAL(
      0x80, DMA, QUALIFIED, "SM: Address in first-level translation is not canonical"),
  USER_NOT_PERMITTED(
      0x81, DMA, QUALIFIED, "SM: U/S set 0 for first-level translation with user privilege"),
  EXECUTE_NOT_PERMITTED(
      0x82, DMA, QUALIFIED, "SM: No execute permission for request with PASID and ER=1"),
  OUTPUT_BEYOND_HARDWARE(0x83, DMA, QUALIFIED, "SM: Address beyond the DMA hardware max"),
  INPUT_BEYOND_SECOND_LEVEL(0x84, DMA, QUALIFIED, "SM: Second-level entry address beyond the max"),
  SCALABLE_WRITE_NOT_PERMITTED(
      0x85, DMA, QUALIFIED, "SM: No write permission for Write/AtomicOp request"),
  SCALABLE_READ_NOT_PERMITTED(
      0x86, DMA, QUALIFIED, "SM: No read permission for Read/AtomicOp request"),
  SCALABLE_OUTPUT_IN_INTERRUPT_RANGE(0x87, DMA, QUALIFIED, "SM: Invalid address-interrupt address"),

  FIRST_LEVEL_UPDATE_NOT_SNOOPED(
      0x90,
      DMA,
      QUALIFIED,
      "SM: A/D bit update needed in first-level entry when set up in no snoop"),
  FIRST_LEVEL_UPDATE_FAILED(
      0x91, DMA, QUALIFIED, "SM: Error attempting to update A/D bits in first-level paging entry");

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

  private static final FaultReason[] BY_CODE = new FaultReason[0x92];

  static {
    for (FaultReason reason : values()) {
      BY_CODE[reason.code] = reason;
    }
  }

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
    return code >= 0 && code < BY_CODE.length
        ? Optional.ofNullable(BY_CODE[code])
        : Optional.empty();
  }

  /**
   * The reason with this number, which is one.
   *
   * @throws IllegalArgumentException where it is not
   */
  public static FaultReason require(int code) {
    return of(code)
        .orElseThrow(() -> new IllegalArgumentException("no fault reason 0x%x".formatted(code)));
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
