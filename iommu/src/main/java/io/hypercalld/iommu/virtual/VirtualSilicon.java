package io.hypercalld.iommu.virtual;

import static io.hypercalld.iommu.vtd.CapabilityFields.CM;
import static io.hypercalld.iommu.vtd.CapabilityFields.DRD;
import static io.hypercalld.iommu.vtd.CapabilityFields.DWD;
import static io.hypercalld.iommu.vtd.CapabilityFields.FRO;
import static io.hypercalld.iommu.vtd.CapabilityFields.MAMV;
import static io.hypercalld.iommu.vtd.CapabilityFields.MGAW;
import static io.hypercalld.iommu.vtd.CapabilityFields.ND;
import static io.hypercalld.iommu.vtd.CapabilityFields.PSI;
import static io.hypercalld.iommu.vtd.CapabilityFields.SAGAW;
import static io.hypercalld.iommu.vtd.CapabilityFields.SLLPS;
import static io.hypercalld.iommu.vtd.CapabilityFields.ZLR;

import io.hypercalld.core.bits.BitField;
import io.hypercalld.iommu.driver.UnitDriver;
import io.hypercalld.iommu.unit.Defects;
import io.hypercalld.iommu.unit.UnitSettings;
import io.hypercalld.iommu.unit.UnitSettings.CacheSizes;
import io.hypercalld.iommu.vtd.AddressWidth;
import io.hypercalld.iommu.vtd.Capabilities;
import io.hypercalld.iommu.vtd.CapabilityFields;
import io.hypercalld.iommu.vtd.ExtendedCapabilityFields;
import io.hypercalld.iommu.vtd.UnitVersion;
import java.util.List;

/**
 * The silicon of which virtual units are made. Stateless.
 *
 * <p>One that only remaps interrupts is that of the last series of patches: one fault record at
 * 0xc0, no register-based invalidation. One that translates announces what the machine's units can
 * do for its shadows, and with scalable mode what those can do that nest; it has its record and its
 * invalidation registers where QEMU has them.
 *
 * @see "spec/documents.md S1-D6"
 */
final class VirtualSilicon {
  /** Bits of a guest-physical address. */
  static final int ADDRESS_BITS = 48;

  private static final int INTERRUPTS_ONLY_ADDRESS_BITS = 39;
  private static final int DOMAIN_IDS_65536 = 6;
  private static final int RECORD_AT_0XC0 = 0xc;
  private static final int RECORD_AT_0X220 = 0x22;
  private static final int INVALIDATION_AT_0XF0 = 0xf;
  private static final int LARGEST_INDEX_MASK = 0xf;
  private static final int LARGEST_ADDRESS_MASK = 18;
  private static final int SUPERPAGES_2M_1G = 0b11;
  private static final CacheSizes CACHES = new CacheSizes(1024, 256, 256);

  private VirtualSilicon() {}

  /**
   * The silicon of a unit.
   *
   * @param host the units behind its shadows
   * @param asShipped whether it has the defects of the last series
   */
  static UnitSettings of(VirtualUnitSettings wanted, List<UnitDriver> host, boolean asShipped) {
    UnitSettings sound =
        wanted.l2()
            ? UnitSettings.of(UnitVersion.V1_0, translating(wanted, host), ADDRESS_BITS)
            : UnitSettings.of(UnitVersion.V1_0, interruptsOnly(), INTERRUPTS_ONLY_ADDRESS_BITS);
    return sound.withCaches(CACHES).with(new Defects(asShipped, asShipped, !wanted.l2()));
  }

  private static Capabilities interruptsOnly() {
    long cap =
        ND.of(DOMAIN_IDS_65536)
            | SAGAW.of(1L << AddressWidth.BITS_39.encoding())
            | MGAW.of(INTERRUPTS_ONLY_ADDRESS_BITS - 1)
            | FRO.of(RECORD_AT_0XC0);
    return new Capabilities(cap, ExtendedCapabilityFields.QI.of(1) | interruptRemapping());
  }

  private static Capabilities translating(VirtualUnitSettings wanted, List<UnitDriver> units) {
    List<UnitDriver> host = wanted.l1() ? units.stream().filter(UnitDriver::nests).toList() : units;
    int width =
        host.stream()
            .mapToInt(unit -> Math.min(reach(unit), unit.capabilities().maximumGuestAddressWidth()))
            .min()
            .orElse(AddressWidth.BITS_48.bits());
    long widths = 1L << AddressWidth.BITS_39.encoding();
    if (width > AddressWidth.BITS_39.bits()) {
      widths |= 1L << AddressWidth.BITS_48.encoding();
    }
    long cap =
        ND.of(DOMAIN_IDS_65536)
            | flag(CM, wanted.cachingMode())
            | SAGAW.of(widths)
            | MGAW.of(width - 1)
            | ZLR.of(1)
            | FRO.of(RECORD_AT_0X220)
            | SLLPS.of(SUPERPAGES_2M_1G)
            | PSI.of(1)
            | MAMV.of(LARGEST_ADDRESS_MASK)
            | DWD.of(1)
            | DRD.of(1);
    long ecap =
        ExtendedCapabilityFields.C.of(1)
            | ExtendedCapabilityFields.QI.of(1)
            | ExtendedCapabilityFields.PT.of(1)
            | ExtendedCapabilityFields.IRO.of(INVALIDATION_AT_0XF0)
            | (wanted.intremap() ? interruptRemapping() : 0);
    if (wanted.l1()) {
      cap |= common(host, new Capabilities(CapabilityFields.FL1GP.mask(), 0)).cap();
      ecap |= scalable(host);
    }
    return new Capabilities(cap, ecap);
  }

  /** Scalable mode, with what all of the host's units have of what is left to each. */
  private static long scalable(List<UnitDriver> host) {
    long optional =
        ExtendedCapabilityFields.DT.mask()
            | ExtendedCapabilityFields.ERS.mask()
            | ExtendedCapabilityFields.SRS.mask()
            | ExtendedCapabilityFields.EAFS.mask()
            | ExtendedCapabilityFields.PASID.mask()
            | ExtendedCapabilityFields.RPS.mask();
    int pasidBits = host.stream().mapToInt(unit -> unit.capabilities().pasidBits()).min().orElse(1);
    return common(host, new Capabilities(0, optional)).ecap()
        | ExtendedCapabilityFields.PSS.of(pasidBits - 1)
        | ExtendedCapabilityFields.SMTS.of(1)
        | ExtendedCapabilityFields.SLTS.of(1)
        | ExtendedCapabilityFields.FLTS.of(1)
        | ExtendedCapabilityFields.NEST.of(1);
  }

  /** Those of these bits that all of the host's units announce. */
  private static Capabilities common(List<UnitDriver> host, Capabilities bits) {
    long cap = bits.cap();
    long ecap = bits.ecap();
    for (UnitDriver unit : host) {
      cap &= unit.capabilities().cap();
      ecap &= unit.capabilities().ecap();
    }
    return new Capabilities(cap, ecap);
  }

  private static int reach(UnitDriver unit) {
    return AddressWidth.ofLevels(unit.levels()).bits();
  }

  private static long interruptRemapping() {
    return ExtendedCapabilityFields.IR.of(1)
        | ExtendedCapabilityFields.EIM.of(1)
        | ExtendedCapabilityFields.MHMV.of(LARGEST_INDEX_MASK);
  }

  private static long flag(BitField field, boolean on) {
    return field.of(on ? 1 : 0);
  }
}
