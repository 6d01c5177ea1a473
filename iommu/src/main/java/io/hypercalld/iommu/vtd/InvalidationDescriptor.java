package io.hypercalld.iommu.vtd;

import static io.hypercalld.core.bits.BitField.bit;
import static io.hypercalld.core.bits.BitField.bits;
import static io.hypercalld.core.bits.BitField.reserved;

import io.hypercalld.core.bits.BitField;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.bits.WordLayout;
import io.hypercalld.core.memory.PhysicalMemory;
import io.hypercalld.iommu.pci.SourceId;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * One entry of the invalidation queue, of 128 bits or of 256. Immutable.
 *
 * <p>There is one factory per legal descriptor, so an illegal one has to be spelled in words.
 *
 * @param more third word; zero in a descriptor of 128 bits
 * @param most fourth word; zero in a descriptor of 128 bits
 * @see "VT-d §6.5.2"
 */
public record InvalidationDescriptor(long lo, long hi, long more, long most) {
  /** Bytes of a descriptor of 128 bits. */
  public static final int BYTES = 16;

  /** Bytes of a descriptor of 256 bits. */
  public static final int WIDE_BYTES = 32;

  public static final BitField TYPE = bits("TYPE", 3, 0);
  static final BitField G = bits("G", 5, 4);
  static final BitField DID = bits("DID", 31, 16);

  static final BitField CONTEXT_SID = bits("SID", 47, 32);
  static final BitField FM = bits("FM", 49, 48);
  static final WordLayout CONTEXT_LO =
      WordLayout.covering(
          "context-cache.lo", TYPE, G, reserved(15, 6), DID, CONTEXT_SID, FM, reserved(63, 50));
  static final WordLayout RESERVED_HI = WordLayout.covering("reserved.hi", reserved(63, 0));

  static final BitField DW = bit("DW", 6);
  static final BitField DR = bit("DR", 7);
  static final BitField AM = bits("AM", 5, 0);
  static final BitField IH = bit("IH", 6);
  static final BitField ADDR = bits("ADDR", 63, 12);
  static final WordLayout IOTLB_LO =
      WordLayout.covering("iotlb.lo", TYPE, G, DW, DR, reserved(15, 8), DID, reserved(63, 32));
  static final WordLayout IOTLB_HI = WordLayout.covering("iotlb.hi", AM, IH, reserved(11, 7), ADDR);

  static final BitField PFSID_LOW = bits("PFSID_LOW", 15, 12);
  static final BitField MIP = bits("MIP", 20, 16);
  static final BitField DEVICE_SID = bits("SID", 47, 32);
  static final BitField PFSID_HIGH = bits("PFSID_HIGH", 63, 52);
  static final BitField S = bit("S", 0);
  static final WordLayout DEVICE_TLB_LO =
      WordLayout.covering(
          "device-tlb.lo",
          TYPE,
          reserved(11, 4),
          PFSID_LOW,
          MIP,
          reserved(31, 21),
          DEVICE_SID,
          reserved(51, 48),
          PFSID_HIGH);
  static final WordLayout DEVICE_TLB_HI =
      WordLayout.covering("device-tlb.hi", S, reserved(11, 1), ADDR);

  static final BitField INDEX_SELECTIVE = bit("G", 4);
  static final BitField IM = bits("IM", 31, 27);
  static final BitField IIDX = bits("IIDX", 47, 32);
  static final WordLayout INTERRUPT_LO =
      WordLayout.covering(
          "interrupt-entry.lo", TYPE, INDEX_SELECTIVE, reserved(26, 5), IM, IIDX, reserved(63, 48));

  static final BitField IF = bit("IF", 4);
  static final BitField SW = bit("SW", 5);
  static final BitField FN = bit("FN", 6);
  static final BitField PD = bit("PD", 7);
  static final BitField STDATA = bits("STDATA", 63, 32);
  static final BitField STADDR = bits("STADDR", 63, 2);
  static final WordLayout WAIT_LO =
      WordLayout.covering("wait.lo", TYPE, IF, SW, FN, PD, reserved(31, 8), STDATA);
  static final WordLayout WAIT_HI = WordLayout.covering("wait.hi", reserved(1, 0), STADDR);

  static final BitField PASID = bits("PASID", 51, 32);
  static final WordLayout PASID_LO =
      WordLayout.covering("pasid.lo", TYPE, G, reserved(15, 6), DID, PASID, reserved(63, 52));

  static final BitField PASID_DEVICE_MIP = bits("MIP", 8, 4);
  static final BitField PASID_DEVICE_SID = bits("SID", 31, 16);
  static final WordLayout PASID_DEVICE_TLB_LO =
      WordLayout.covering(
          "pasid-device-tlb.lo",
          TYPE,
          PASID_DEVICE_MIP,
          reserved(11, 9),
          PFSID_LOW,
          PASID_DEVICE_SID,
          PASID,
          PFSID_HIGH);
  static final BitField EVERY_PASID = bit("G", 0);
  static final BitField PASID_DEVICE_S = bit("S", 11);
  static final WordLayout PASID_DEVICE_TLB_HI =
      WordLayout.covering(
          "pasid-device-tlb.hi", EVERY_PASID, reserved(10, 1), PASID_DEVICE_S, ADDR);

  static final BitField PASID_PRESENT = bit("PP", 4);
  static final BitField PRIVATE = bit("PDP", 5);
  static final BitField RESPONSE = bits("RC", 15, 12);
  static final WordLayout RESPONSE_LO =
      WordLayout.covering(
          "page-group-response.lo",
          TYPE,
          PASID_PRESENT,
          PRIVATE,
          reserved(11, 6),
          RESPONSE,
          PASID_DEVICE_SID,
          PASID,
          reserved(63, 52));
  static final BitField LAST = bit("LPIG", 2);
  static final BitField PRGI = bits("PRGI", 11, 3);
  static final WordLayout RESPONSE_HI =
      WordLayout.covering("page-group-response.hi", reserved(1, 0), LAST, PRGI, reserved(63, 12));

  static final int CONTEXT = 1;
  static final int IOTLB = 2;
  static final int DEVICE_TLB = 3;
  static final int INTERRUPT = 4;
  static final int WAIT = 5;
  static final int PASID_IOTLB = 6;
  static final int PASID_CACHE = 7;
  static final int PASID_DEVICE_TLB = 8;
  static final int PAGE_RESPONSE = 9;

  private static final long EVERY_PASID_OF_DOMAIN = 0;
  private static final long ONE_PASID = 1;
  private static final long PASID_SELECTIVE = 2;
  private static final long ALL_PASIDS = 3;
  private static final int ALL_PAGES = 52;

  /** A descriptor of 128 bits, or one of 256 whose upper half is zero. */
  public InvalidationDescriptor(long lo, long hi) {
    this(lo, hi, 0, 0);
  }

  /**
   * Reads one from a ring.
   *
   * @param maddr machine address, in memory for all of the descriptor's bytes
   */
  public static InvalidationDescriptor read(PhysicalMemory memory, long maddr, QueueMode mode) {
    return mode.wide()
        ? new InvalidationDescriptor(
            memory.readWord(maddr),
            memory.readWord(maddr + Long.BYTES),
            memory.readWord(maddr + 2 * Long.BYTES),
            memory.readWord(maddr + 3 * Long.BYTES))
        : new InvalidationDescriptor(memory.readWord(maddr), memory.readWord(maddr + Long.BYTES));
  }

  /** All context entries. */
  public static InvalidationDescriptor allContexts() {
    return new InvalidationDescriptor(context(InvalidationGranularity.GLOBAL), 0);
  }

  /** Context entries tagged with a domain-id. */
  public static InvalidationDescriptor domainContexts(int domainId) {
    return new InvalidationDescriptor(
        context(InvalidationGranularity.DOMAIN) | DID.of(domainId), 0);
  }

  /**
   * Context entries of one requester or, masked, of up to eight functions of its device.
   *
   * @param domainId the one that the cached entry holds, not the one that replaces it
   * @param functionMask 0 exact, 1 to 3 ignore bit 2, bits 2:1, bits 2:0 of the source-id
   */
  public static InvalidationDescriptor deviceContexts(
      int domainId, SourceId requester, int functionMask) {
    return new InvalidationDescriptor(
        context(InvalidationGranularity.SELECTIVE)
            | DID.of(domainId)
            | CONTEXT_SID.of(requester.value())
            | FM.of(functionMask),
        0);
  }

  /** DW of a descriptor that invalidates translations; means nothing in any other. */
  public boolean asksToDrainWrites() {
    return DW.isSet(lo);
  }

  /** All translations; reads and writes in flight are drained. */
  public static InvalidationDescriptor allTranslations() {
    return new InvalidationDescriptor(iotlb(InvalidationGranularity.GLOBAL), 0);
  }

  /** Translations tagged with a domain-id; reads and writes in flight are drained. */
  public static InvalidationDescriptor domainTranslations(int domainId) {
    return new InvalidationDescriptor(iotlb(InvalidationGranularity.DOMAIN) | DID.of(domainId), 0);
  }

  /**
   * A domain's translations of 2^addressMask pages; reads and writes in flight are drained.
   *
   * @param iova first address, a multiple of 2^(12+addressMask)
   * @param leavesOnly IH: no non-leaf entry of the range changed
   */
  public static InvalidationDescriptor pageTranslations(
      int domainId, long iova, int addressMask, boolean leavesOnly) {
    return new InvalidationDescriptor(
        iotlb(InvalidationGranularity.SELECTIVE) | DID.of(domainId),
        ADDR.of(iova >>> ADDR.lsb()) | AM.of(addressMask) | IH.of(leavesOnly ? 1 : 0));
  }

  /**
   * Translations that a device keeps, of 2^addressMask pages; 52 means all it keeps.
   *
   * @param iova first address, a multiple of 2^(12+addressMask)
   * @see "PCIe Address Translation Services §3.1, which codes the size in the address"
   */
  public static InvalidationDescriptor deviceTranslations(
      SourceId device, long iova, int addressMask) {
    return new InvalidationDescriptor(
        TYPE.of(DEVICE_TLB) | DEVICE_SID.of(device.value()),
        sized(iova, addressMask) | S.of(addressMask == 0 ? 0 : 1));
  }

  private static long sized(long iova, int addressMask) {
    long pages = addressMask == 0 ? 0 : (1L << (addressMask - 1)) - 1;
    return ADDR.of(iova >>> ADDR.lsb() | pages);
  }

  /** The same of one address space; 256 bits wide. */
  public static InvalidationDescriptor devicePasidTranslations(
      SourceId device, int pasid, long iova, int addressMask) {
    return new InvalidationDescriptor(
        TYPE.of(PASID_DEVICE_TLB) | PASID_DEVICE_SID.of(device.value()) | PASID.of(pasid),
        sized(iova, addressMask) | PASID_DEVICE_S.of(addressMask == 0 ? 0 : 1));
  }

  /** All translations that a device keeps under PASIDs; 256 bits wide. */
  public static InvalidationDescriptor allDevicePasidTranslations(SourceId device) {
    return new InvalidationDescriptor(
        TYPE.of(PASID_DEVICE_TLB) | PASID_DEVICE_SID.of(device.value()),
        sized(0, ALL_PAGES) | PASID_DEVICE_S.of(1) | EVERY_PASID.of(1));
  }

  /** All translations of one PASID in a domain; 256 bits wide. */
  public static InvalidationDescriptor pasidTranslations(int domainId, int pasid) {
    return new InvalidationDescriptor(pasid(PASID_IOTLB, PASID_SELECTIVE, domainId, pasid), 0);
  }

  /**
   * The translations of 2^addressMask pages of one PASID in a domain; 256 bits wide.
   *
   * @param iova first address, a multiple of 2^(12+addressMask)
   */
  public static InvalidationDescriptor pasidPages(
      int domainId, int pasid, long iova, int addressMask) {
    return new InvalidationDescriptor(
        pasid(PASID_IOTLB, InvalidationGranularity.SELECTIVE.encoding(), domainId, pasid),
        ADDR.of(iova >>> ADDR.lsb()) | AM.of(addressMask));
  }

  /** All PASID-table entries; 256 bits wide. */
  public static InvalidationDescriptor allPasids() {
    return new InvalidationDescriptor(pasid(PASID_CACHE, ALL_PASIDS, 0, 0), 0);
  }

  /** PASID-table entries that name a domain-id; 256 bits wide. */
  public static InvalidationDescriptor domainPasids(int domainId) {
    return new InvalidationDescriptor(pasid(PASID_CACHE, EVERY_PASID_OF_DOMAIN, domainId, 0), 0);
  }

  /** The entries of one PASID that name a domain-id; 256 bits wide. */
  public static InvalidationDescriptor onePasid(int domainId, int pasid) {
    return new InvalidationDescriptor(pasid(PASID_CACHE, ONE_PASID, domainId, pasid), 0);
  }

  private static long pasid(int type, long granularity, int domainId, int pasid) {
    return TYPE.of(type) | G.of(granularity) | DID.of(domainId) | PASID.of(pasid);
  }

  /**
   * The answer to a group of page requests; 256 bits wide.
   *
   * @param group PRGI, 0 to 511
   * @param code 0 success, 1 invalid request, 15 failure
   */
  public static InvalidationDescriptor pageGroupResponse(
      SourceId device, PasidPrefix prefix, int group, int code) {
    return new InvalidationDescriptor(
        TYPE.of(PAGE_RESPONSE)
            | PASID_PRESENT.of(prefix.present() ? 1 : 0)
            | RESPONSE.of(code)
            | PASID_DEVICE_SID.of(device.value())
            | PASID.of(prefix.pasid()),
        LAST.of(1) | PRGI.of(group));
  }

  /** All cached interrupt-remapping entries. */
  public static InvalidationDescriptor allInterrupts() {
    return new InvalidationDescriptor(TYPE.of(INTERRUPT), 0);
  }

  /** Cached interrupt-remapping entries whose index matches, its low bits ignored. */
  public static InvalidationDescriptor interrupts(int index, int ignoredBits) {
    return new InvalidationDescriptor(
        TYPE.of(INTERRUPT) | INDEX_SELECTIVE.of(1) | IM.of(ignoredBits) | IIDX.of(index), 0);
  }

  /**
   * A wait that stores a word and fences.
   *
   * @param statusAddress machine address, a multiple of 4
   */
  public static InvalidationDescriptor waitWithStatus(long statusAddress, int statusData) {
    return new InvalidationDescriptor(
        TYPE.of(WAIT) | SW.of(1) | FN.of(1) | STDATA.of(Integer.toUnsignedLong(statusData)),
        STADDR.of(statusAddress >>> STADDR.lsb()));
  }

  /** A wait that signals the completion event and fences. */
  public static InvalidationDescriptor waitWithInterrupt() {
    return new InvalidationDescriptor(TYPE.of(WAIT) | IF.of(1) | FN.of(1), 0);
  }

  private static long context(InvalidationGranularity granularity) {
    return TYPE.of(CONTEXT) | G.of(granularity.encoding());
  }

  private static long iotlb(InvalidationGranularity granularity) {
    return TYPE.of(IOTLB) | G.of(granularity.encoding()) | DW.of(1) | DR.of(1);
  }

  /** What a unit with these capabilities makes of it in a queue of 128-bit descriptors. */
  public Invalidation decode(Capabilities capabilities) {
    return decode(new QueueMode(capabilities, false, false));
  }

  /** What a unit makes of the descriptor. */
  public Invalidation decode(QueueMode mode) {
    return DescriptorDecoder.decode(this, mode);
  }

  /** Names and values of the fields, by the layout of the descriptor's type. */
  public Map<String, Word> fields() {
    return switch (TYPE.getInt(lo)) {
      case CONTEXT -> fields(CONTEXT_LO, RESERVED_HI);
      case IOTLB -> fields(IOTLB_LO, IOTLB_HI);
      case DEVICE_TLB -> fields(DEVICE_TLB_LO, DEVICE_TLB_HI);
      case INTERRUPT -> fields(INTERRUPT_LO, RESERVED_HI);
      case WAIT -> fields(WAIT_LO, WAIT_HI);
      case PASID_IOTLB -> fields(PASID_LO, IOTLB_HI);
      case PASID_CACHE -> fields(PASID_LO, RESERVED_HI);
      case PASID_DEVICE_TLB -> fields(PASID_DEVICE_TLB_LO, PASID_DEVICE_TLB_HI);
      case PAGE_RESPONSE -> fields(RESPONSE_LO, RESPONSE_HI);
      default -> Map.of(TYPE.name(), new Word(TYPE.get(lo)));
    };
  }

  private Map<String, Word> fields(WordLayout loLayout, WordLayout hiLayout) {
    Map<String, Word> fields = new LinkedHashMap<>(loLayout.decode(lo));
    fields.putAll(hiLayout.decode(hi));
    return fields;
  }
}
