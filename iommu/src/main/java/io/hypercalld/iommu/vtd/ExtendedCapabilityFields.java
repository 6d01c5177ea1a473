package io.hypercalld.iommu.vtd;

import static io.hypercalld.core.bits.BitField.bit;
import static io.hypercalld.core.bits.BitField.bits;
import static io.hypercalld.core.bits.BitField.reserved;

import io.hypercalld.core.bits.BitField;
import io.hypercalld.core.bits.WordLayout;

/**
 * The extended capability register, ECAP_REG. Stateless.
 *
 * @see "VT-d §11.4.3"
 */
public final class ExtendedCapabilityFields {
  public static final BitField C = bit("C", 0);
  public static final BitField QI = bit("QI", 1);
  public static final BitField DT = bit("DT", 2);
  public static final BitField IR = bit("IR", 3);
  public static final BitField EIM = bit("EIM", 4);

  /** Caching hints: named by old revisions, reserved since. */
  public static final BitField CH = bit("CH", 5);

  public static final BitField PT = bit("PT", 6);
  public static final BitField SC = bit("SC", 7);
  public static final BitField IRO = bits("IRO", 17, 8);
  public static final BitField MHMV = bits("MHMV", 23, 20);

  /** Extended context support of revision 2, withdrawn since, like the two PASID bits below. */
  public static final BitField ECS = bit("ECS", 24);

  public static final BitField MTS = bit("MTS", 25);
  public static final BitField NEST = bit("NEST", 26);
  public static final BitField DIS = bit("DIS", 27);
  public static final BitField PASID_OLD = bit("PASID_OLD", 28);
  public static final BitField PRS = bit("PRS", 29);
  public static final BitField ERS = bit("ERS", 30);
  public static final BitField SRS = bit("SRS", 31);
  public static final BitField NWFS = bit("NWFS", 33);
  public static final BitField EAFS = bit("EAFS", 34);
  public static final BitField PSS = bits("PSS", 39, 35);
  public static final BitField PASID = bit("PASID", 40);
  public static final BitField DIT = bit("DIT", 41);
  public static final BitField PDS = bit("PDS", 42);
  public static final BitField SMTS = bit("SMTS", 43);
  public static final BitField VCS = bit("VCS", 44);
  public static final BitField SLADS = bit("SLADS", 45);
  public static final BitField SLTS = bit("SLTS", 46);
  public static final BitField FLTS = bit("FLTS", 47);
  public static final BitField SMPWCS = bit("SMPWCS", 48);
  public static final BitField RPS = bit("RPS", 49);
  public static final BitField TDXIO = bit("TDXIO", 50);
  public static final BitField PMS = bit("PMS", 51);
  public static final BitField ADMS = bit("ADMS", 52);
  public static final BitField RPRIVS = bit("RPRIVS", 53);
  public static final BitField HPTS = bit("HPTS", 55);
  public static final BitField PTRS = bit("PTRS", 56);

  public static final WordLayout LAYOUT =
      WordLayout.covering(
          "ECAP",
          C,
          QI,
          DT,
          IR,
          EIM,
          CH,
          PT,
          SC,
          IRO,
          reserved(19, 18),
          MHMV,
          ECS,
          MTS,
          NEST,
          DIS,
          PASID_OLD,
          PRS,
          ERS,
          SRS,
          reserved(32, 32),
          NWFS,
          EAFS,
          PSS,
          PASID,
          DIT,
          PDS,
          SMTS,
          VCS,
          SLADS,
          SLTS,
          FLTS,
          SMPWCS,
          RPS,
          TDXIO,
          PMS,
          ADMS,
          RPRIVS,
          reserved(54, 54),
          HPTS,
          PTRS,
          reserved(63, 57));

  private ExtendedCapabilityFields() {}
}
