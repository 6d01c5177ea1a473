package io.hypercalld.iommu.unit;

import io.hypercalld.core.bits.BitField;
import io.hypercalld.iommu.vtd.AddressWidth;
import io.hypercalld.iommu.vtd.Capabilities;
import io.hypercalld.iommu.vtd.CapabilityFields;
import io.hypercalld.iommu.vtd.ExtendedCapabilityFields;
import io.hypercalld.iommu.vtd.Habits;
import io.hypercalld.iommu.vtd.UnitVersion;

/**
 * What a unit is before any software touches it. Immutable.
 *
 * @param version what VER_REG says
 * @param capabilities what the unit announces: exactly what it implements
 * @param hostAddressWidth bits of a machine address, from the DMAR table
 * @param windowBytes bytes of the register window, a multiple of 4096
 * @param cacheSizes how much the unit remembers
 * @param habits what it does where the specification leaves a choice
 * @param defects what it does that the specification forbids
 */
public record UnitSettings(
    UnitVersion version,
    Capabilities capabilities,
    int hostAddressWidth,
    int windowBytes,
    CacheSizes cacheSizes,
    Habits habits,
    Defects defects) {
  private static final int PAGE_BYTES = 4096;
  private static final int INVALIDATION_BYTES = 2 * Long.BYTES;

  /** Where the registers end whose place is fixed: with page requests, and without. */
  private static final int PAGE_REQUESTS_END = 0xf0;

  private static final int INTERRUPT_TABLE_END = 0xc0;
  private static final int MINIMUM_HOST_ADDRESS_WIDTH = 32;
  private static final int MAXIMUM_HOST_ADDRESS_WIDTH = 52;

  /**
   * Number of entries of each cache; powers of two, at least {@link #SMALLEST}.
   *
   * @param iotlb leaf translations
   * @param contexts context entries, and as many PASID entries
   * @param tables entries that lead to a table of level 1
   */
  public record CacheSizes(int iotlb, int contexts, int tables) {
    /** Large enough that ordinary work evicts nothing. */
    public static final CacheSizes LARGE = new CacheSizes(8192, 4096, 2048);

    /** The smallest cache: one set. */
    public static final int SMALLEST = 4;

    public CacheSizes {
      if (!isPossible(iotlb) || !isPossible(contexts) || !isPossible(tables)) {
        throw new IllegalArgumentException(
            "cache sizes are powers of two from 4 on: %d, %d, %d"
                .formatted(iotlb, contexts, tables));
      }
    }

    /** Caches of these sizes, and a large one of tables. */
    public CacheSizes(int iotlb, int contexts) {
      this(iotlb, contexts, LARGE.tables);
    }

    private static boolean isPossible(int entries) {
      return entries >= SMALLEST && Integer.bitCount(entries) == 1;
    }
  }

  private static final long IMPLEMENTED_CAP =
      mask(
          CapabilityFields.ND,
          CapabilityFields.RWBF,
          CapabilityFields.PLMR,
          CapabilityFields.PHMR,
          CapabilityFields.CM,
          CapabilityFields.MGAW,
          CapabilityFields.ZLR,
          CapabilityFields.ISOCH,
          CapabilityFields.FRO,
          CapabilityFields.PSI,
          CapabilityFields.NFR,
          CapabilityFields.MAMV,
          CapabilityFields.DWD,
          CapabilityFields.DRD,
          CapabilityFields.FL1GP,
          CapabilityFields.PI,
          CapabilityFields.FL5LP,
          CapabilityFields.ESIRTPS,
          CapabilityFields.ESRTPS);

  private static final long IMPLEMENTED_WIDTHS =
      CapabilityFields.SAGAW.of(
          1L << AddressWidth.BITS_39.encoding()
              | 1L << AddressWidth.BITS_48.encoding()
              | 1L << AddressWidth.BITS_57.encoding());

  /** Superpages of 2 MiB and of 1 GiB. */
  private static final long IMPLEMENTED_PAGE_SIZES = CapabilityFields.SLLPS.of(0b11);

  private static final long IMPLEMENTED_ECAP =
      mask(
          ExtendedCapabilityFields.C,
          ExtendedCapabilityFields.QI,
          ExtendedCapabilityFields.DT,
          ExtendedCapabilityFields.IR,
          ExtendedCapabilityFields.EIM,
          ExtendedCapabilityFields.MHMV,
          ExtendedCapabilityFields.PT,
          ExtendedCapabilityFields.SC,
          ExtendedCapabilityFields.NEST,
          ExtendedCapabilityFields.ERS,
          ExtendedCapabilityFields.SRS,
          ExtendedCapabilityFields.EAFS,
          ExtendedCapabilityFields.PRS,
          ExtendedCapabilityFields.PSS,
          ExtendedCapabilityFields.PASID,
          ExtendedCapabilityFields.SMTS,
          ExtendedCapabilityFields.SLADS,
          ExtendedCapabilityFields.SLTS,
          ExtendedCapabilityFields.FLTS,
          ExtendedCapabilityFields.SMPWCS,
          ExtendedCapabilityFields.RPS,
          ExtendedCapabilityFields.ADMS,
          ExtendedCapabilityFields.RPRIVS,
          ExtendedCapabilityFields.IRO);

  public UnitSettings {
    if (hostAddressWidth < MINIMUM_HOST_ADDRESS_WIDTH
        || hostAddressWidth > MAXIMUM_HOST_ADDRESS_WIDTH) {
      throw new IllegalArgumentException("host address width of " + hostAddressWidth + " bits");
    }
    if (windowBytes < PAGE_BYTES || windowBytes % PAGE_BYTES != 0) {
      throw new IllegalArgumentException("register window of " + windowBytes + " bytes");
    }
    capabilities = implemented(capabilities);
    checkCapabilities(capabilities, windowBytes);
  }

  /** A unit with strict habits. */
  public UnitSettings(
      UnitVersion version,
      Capabilities capabilities,
      int hostAddressWidth,
      int windowBytes,
      CacheSizes cacheSizes) {
    this(version, capabilities, hostAddressWidth, windowBytes, cacheSizes, Habits.STRICT);
  }

  /** A unit without defects. */
  public UnitSettings(
      UnitVersion version,
      Capabilities capabilities,
      int hostAddressWidth,
      int windowBytes,
      CacheSizes cacheSizes,
      Habits habits) {
    this(version, capabilities, hostAddressWidth, windowBytes, cacheSizes, habits, Defects.NONE);
  }

  /** A unit with one page of registers and large caches. */
  public static UnitSettings of(
      UnitVersion version, Capabilities capabilities, int hostAddressWidth) {
    return new UnitSettings(version, capabilities, hostAddressWidth, PAGE_BYTES, CacheSizes.LARGE);
  }

  /** The same unit with caches of other sizes. */
  public UnitSettings withCaches(CacheSizes sizes) {
    return new UnitSettings(
        version, capabilities, hostAddressWidth, windowBytes, sizes, habits, defects);
  }

  /** A table's or the ring's address as this unit takes it from a register into use. */
  long latched(long register) {
    return habits.dropsHighAddressBits() ? register & ((1L << hostAddressWidth) - 1) : register;
  }

  /**
   * Whether the unit remembers entries that are absent or wrong: with caching mode, and where a
   * write buffer may still hold what makes them present.
   */
  boolean remembersAbsence() {
    return (capabilities.cachingMode() || capabilities.requiresWriteBufferFlush())
        && habits.remembersAbsence();
  }

  /** Whether absent entries are remembered only until the write buffer is flushed. */
  boolean buffersWrites() {
    return capabilities.requiresWriteBufferFlush() && !capabilities.cachingMode();
  }

  /** The same unit with other habits. */
  public UnitSettings withHabits(Habits others) {
    return new UnitSettings(
        version, capabilities, hostAddressWidth, windowBytes, cacheSizes, others, defects);
  }

  /** The same unit with these defects. */
  public UnitSettings with(Defects others) {
    return new UnitSettings(
        version, capabilities, hostAddressWidth, windowBytes, cacheSizes, habits, others);
  }

  /** Whether it has CCMD, IVA and IOTLB, for which ECAP.IRO names a place other than 0. */
  boolean invalidatesByRegisters() {
    return version.invalidatesByRegisters() && capabilities.invalidateAddressOffset() != 0;
  }

  /** What of a real unit's capabilities this silicon implements, and so announces. */
  public static Capabilities implemented(Capabilities real) {
    return new Capabilities(
        real.cap() & (IMPLEMENTED_CAP | IMPLEMENTED_WIDTHS | IMPLEMENTED_PAGE_SIZES),
        real.ecap() & IMPLEMENTED_ECAP);
  }

  private static void checkCapabilities(Capabilities capabilities, int windowBytes) {
    if (capabilities.domainIdsAreReserved()) {
      throw new IllegalArgumentException("CAP.ND holds the reserved encoding 7");
    }
    if (capabilities.sagaw() == 0) {
      throw new IllegalArgumentException("CAP.SAGAW names no address width of 39, 48 or 57 bits");
    }
    int recordsEnd = capabilities.faultRecordOffset(capabilities.faultRecords());
    if (recordsEnd > windowBytes
        || capabilities.invalidateAddressOffset() + INVALIDATION_BYTES > windowBytes) {
      throw new IllegalArgumentException(
          "registers at 0x%x do not fit a window of 0x%x bytes"
              .formatted(Math.max(recordsEnd, capabilities.iotlbOffset()), windowBytes));
    }
    int records = capabilities.faultRecordOffset(0);
    int invalidation = capabilities.invalidateAddressOffset();
    boolean none = invalidation == 0;
    boolean apart = recordsEnd <= invalidation || invalidation + INVALIDATION_BYTES <= records;
    int fixedEnd = capabilities.pageRequests() ? PAGE_REQUESTS_END : INTERRUPT_TABLE_END;
    boolean reachable =
        none ? capabilities.queuedInvalidation() : apart && invalidation >= fixedEnd;
    if (records < fixedEnd || !reachable) {
      throw new IllegalArgumentException(
          "CAP.FRO and ECAP.IRO put registers at 0x%x and 0x%x onto others"
              .formatted(records, invalidation));
    }
  }

  private static long mask(BitField... fields) {
    long mask = 0;
    for (BitField field : fields) {
      mask |= field.mask();
    }
    return mask;
  }
}
