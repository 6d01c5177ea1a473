package io.hypercalld.iommu.vtd;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.memory.PageSize;
import java.util.Map;

/**
 * What a unit can do: its CAP and ECAP registers, decoded. Immutable.
 *
 * @param cap value of CAP_REG
 * @param ecap value of ECAP_REG
 * @see "VT-d §11.4.2, §11.4.3"
 */
public record Capabilities(long cap, long ecap) {
  private static final int BYTES_PER_OFFSET = 16;
  private static final int FAULT_RECORD_BYTES = 16;
  private static final int ND_RESERVED = 7;

  /** Number of domain-ids; 2^18 for the reserved encoding, see {@link #domainIdsAreReserved}. */
  public int domainIds() {
    return 1 << domainIdBits();
  }

  /** Number of domain-id bits that a context entry may use. */
  public int domainIdBits() {
    return 4 + 2 * CapabilityFields.ND.getInt(cap);
  }

  /** Whether ND holds the one encoding that means nothing. */
  public boolean domainIdsAreReserved() {
    return CapabilityFields.ND.getInt(cap) == ND_RESERVED;
  }

  public boolean requiresWriteBufferFlush() {
    return CapabilityFields.RWBF.isSet(cap);
  }

  public boolean protectsLowMemory() {
    return CapabilityFields.PLMR.isSet(cap);
  }

  public boolean protectsHighMemory() {
    return CapabilityFields.PHMR.isSet(cap);
  }

  /** CM: not-present and erroneous entries may be cached, and domain-id 0 is the hardware's. */
  public boolean cachingMode() {
    return CapabilityFields.CM.isSet(cap);
  }

  public boolean supports(AddressWidth width) {
    return (CapabilityFields.SAGAW.get(cap) >>> width.encoding() & 1) != 0;
  }

  /** The widest supported address width, which pass-through entries must name. */
  public AddressWidth widest() {
    return AddressWidth.of(Long.SIZE - 1 - Long.numberOfLeadingZeros(sagaw()))
        .orElseThrow(() -> new IllegalStateException("no address width in " + this));
  }

  /** The raw SAGAW field: bit n set where the width encoded as n is supported. */
  public long sagaw() {
    return CapabilityFields.SAGAW.get(cap);
  }

  /** MGAW: number of input address bits, never more than which a request may use. */
  public int maximumGuestAddressWidth() {
    return CapabilityFields.MGAW.getInt(cap) + 1;
  }

  /** ZLR: a zero-length read of a write-only page is permitted. */
  public boolean zeroLengthReads() {
    return CapabilityFields.ZLR.isSet(cap);
  }

  /** Byte offset of fault record {@code index}. */
  public int faultRecordOffset(int index) {
    return CapabilityFields.FRO.getInt(cap) * BYTES_PER_OFFSET + index * FAULT_RECORD_BYTES;
  }

  /** Number of fault records, at least 1. */
  public int faultRecords() {
    return CapabilityFields.NFR.getInt(cap) + 1;
  }

  /** Whether a second-stage leaf may have this size; 4 KiB always may. */
  public boolean supports(PageSize size) {
    return size == PageSize.SIZE_4K
        || (CapabilityFields.SLLPS.get(cap) >>> (size.level() - 2) & 1) != 0;
  }

  public boolean pageSelectiveInvalidation() {
    return CapabilityFields.PSI.isSet(cap);
  }

  /** MAMV: log2 of the most pages that one page-selective invalidation covers. */
  public int maximumAddressMask() {
    return CapabilityFields.MAMV.getInt(cap);
  }

  public boolean drainsWrites() {
    return CapabilityFields.DWD.isSet(cap);
  }

  public boolean drainsReads() {
    return CapabilityFields.DRD.isSet(cap);
  }

  public boolean postedInterrupts() {
    return CapabilityFields.PI.isSet(cap);
  }

  /** ESRTPS: setting the root pointer invalidates all caches by itself. */
  public boolean invalidatesOnRootPointer() {
    return CapabilityFields.ESRTPS.isSet(cap);
  }

  /** ESIRTPS: setting the interrupt table pointer invalidates the interrupt-entry cache. */
  public boolean invalidatesOnInterruptTablePointer() {
    return CapabilityFields.ESIRTPS.isSet(cap);
  }

  /** C: hardware snoops the processor's caches when it reads tables. */
  public boolean coherentWalks() {
    return ExtendedCapabilityFields.C.isSet(ecap);
  }

  public boolean queuedInvalidation() {
    return ExtendedCapabilityFields.QI.isSet(ecap);
  }

  public boolean deviceTlbs() {
    return ExtendedCapabilityFields.DT.isSet(ecap);
  }

  public boolean interruptRemapping() {
    return ExtendedCapabilityFields.IR.isSet(ecap);
  }

  public boolean extendedInterruptMode() {
    return ExtendedCapabilityFields.EIM.isSet(ecap);
  }

  public boolean passThrough() {
    return ExtendedCapabilityFields.PT.isSet(ecap);
  }

  public boolean snoopControl() {
    return ExtendedCapabilityFields.SC.isSet(ecap);
  }

  public boolean scalableMode() {
    return ExtendedCapabilityFields.SMTS.isSet(ecap);
  }

  /** FLTS: PASID entries may name first-level tables. */
  public boolean firstLevelTranslation() {
    return ExtendedCapabilityFields.FLTS.isSet(ecap);
  }

  /** SLTS: PASID entries may name second-level tables. */
  public boolean secondLevelTranslation() {
    return ExtendedCapabilityFields.SLTS.isSet(ecap);
  }

  /** NEST: PASID entries may name first-level tables that second-level ones translate. */
  public boolean nestedTranslation() {
    return ExtendedCapabilityFields.NEST.isSet(ecap);
  }

  /** FL1GP: a first-level leaf may map 1 GiB. */
  public boolean firstLevelGigabytePages() {
    return CapabilityFields.FL1GP.isSet(cap);
  }

  /** FL5LP: first-level tables may have five levels. */
  public boolean firstLevelFiveLevels() {
    return CapabilityFields.FL5LP.isSet(cap);
  }

  /** SLADS: second-level entries may be marked accessed and dirty. */
  public boolean secondLevelAccessedDirty() {
    return ExtendedCapabilityFields.SLADS.isSet(ecap);
  }

  /** PASID: requests may carry a PASID. */
  public boolean requestsWithPasid() {
    return ExtendedCapabilityFields.PASID.isSet(ecap);
  }

  /** PSS: number of PASID bits that the unit looks at. */
  public int pasidBits() {
    return ExtendedCapabilityFields.PSS.getInt(ecap) + 1;
  }

  /** ERS: requests may ask to execute. */
  public boolean executeRequests() {
    return ExtendedCapabilityFields.ERS.isSet(ecap);
  }

  /** SRS: requests may ask for supervisor privilege. */
  public boolean supervisorRequests() {
    return ExtendedCapabilityFields.SRS.isSet(ecap);
  }

  /** EAFS: first-level entries may be marked extended-accessed. */
  public boolean extendedAccessed() {
    return ExtendedCapabilityFields.EAFS.isSet(ecap);
  }

  /** RPS: a context entry names the PASID of requests without PASID; else it is 0. */
  public boolean requestPasids() {
    return ExtendedCapabilityFields.RPS.isSet(ecap);
  }

  /** RPRIVS: a context entry says whether requests without PASID are a supervisor's. */
  public boolean requestPrivileges() {
    return ExtendedCapabilityFields.RPRIVS.isSet(ecap);
  }

  /** SMPWCS: PASID entries say whether table walks are snooped. */
  public boolean walkSnoopControl() {
    return ExtendedCapabilityFields.SMPWCS.isSet(ecap);
  }

  /** ADMS: RTADDR.TTM may name the mode in which every request is blocked. */
  public boolean abortMode() {
    return ExtendedCapabilityFields.ADMS.isSet(ecap);
  }

  public boolean pageRequests() {
    return ExtendedCapabilityFields.PRS.isSet(ecap);
  }

  /** MHMV: the largest index mask of an interrupt-entry invalidation. */
  public int maximumHandleMask() {
    return ExtendedCapabilityFields.MHMV.getInt(ecap);
  }

  /** Byte offset of IVA_REG. */
  public int invalidateAddressOffset() {
    return ExtendedCapabilityFields.IRO.getInt(ecap) * BYTES_PER_OFFSET;
  }

  /** Byte offset of IOTLB_REG. */
  public int iotlbOffset() {
    return invalidateAddressOffset() + Long.BYTES;
  }

  /** Names and values of CAP's fields, lowest bit first. */
  public Map<String, Word> decodeCap() {
    return CapabilityFields.LAYOUT.decode(cap);
  }

  /** Names and values of ECAP's fields, lowest bit first. */
  public Map<String, Word> decodeEcap() {
    return ExtendedCapabilityFields.LAYOUT.decode(ecap);
  }
}
