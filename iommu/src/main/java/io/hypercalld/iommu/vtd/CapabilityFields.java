package io.hypercalld.iommu.vtd;

import static io.hypercalld.core.bits.BitField.bit;
import static io.hypercalld.core.bits.BitField.bits;
import static io.hypercalld.core.bits.BitField.reserved;

import io.hypercalld.core.bits.BitField;
import io.hypercalld.core.bits.WordLayout;

/**
 * The capability register, CAP_REG. Stateless.
 *
 * @see "VT-d §11.4.2"
 */
public final class CapabilityFields {
  public static final BitField ND = bits("ND", 2, 0);
  public static final BitField AFL = bit("AFL", 3);
  public static final BitField RWBF = bit("RWBF", 4);
  public static final BitField PLMR = bit("PLMR", 5);
  public static final BitField PHMR = bit("PHMR", 6);
  public static final BitField CM = bit("CM", 7);
  public static final BitField SAGAW = bits("SAGAW", 12, 8);
  public static final BitField MGAW = bits("MGAW", 21, 16);
  public static final BitField ZLR = bit("ZLR", 22);

  /** Isochronous unit: named by old revisions, reserved since. */
  public static final BitField ISOCH = bit("ISOCH", 23);

  public static final BitField FRO = bits("FRO", 33, 24);
  public static final BitField SLLPS = bits("SLLPS", 37, 34);
  public static final BitField PSI = bit("PSI", 39);
  public static final BitField NFR = bits("NFR", 47, 40);
  public static final BitField MAMV = bits("MAMV", 53, 48);
  public static final BitField DWD = bit("DWD", 54);
  public static final BitField DRD = bit("DRD", 55);
  public static final BitField FL1GP = bit("FL1GP", 56);
  public static final BitField PI = bit("PI", 59);
  public static final BitField FL5LP = bit("FL5LP", 60);
  public static final BitField ECMDS = bit("ECMDS", 61);
  public static final BitField ESIRTPS = bit("ESIRTPS", 62);
  public static final BitField ESRTPS = bit("ESRTPS", 63);

  public static final WordLayout LAYOUT =
      WordLayout.covering(
          "CAP",
          ND,
          AFL,
          RWBF,
          PLMR,
          PHMR,
          CM,
          SAGAW,
          reserved(15, 13),
          MGAW,
          ZLR,
          ISOCH,
          FRO,
          SLLPS,
          reserved(38, 38),
          PSI,
          NFR,
          MAMV,
          DWD,
          DRD,
          FL1GP,
          reserved(58, 57),
          PI,
          FL5LP,
          ECMDS,
          ESIRTPS,
          ESRTPS);

  private CapabilityFields() {}
}
