package io.hypercalld.api.acceptance;

import io.hypercalld.core.bits.BitField;
import io.hypercalld.iommu.vtd.Capabilities;
import io.hypercalld.iommu.vtd.CapabilityFields;
import io.hypercalld.iommu.vtd.ExtendedCapabilityFields;

/** The capabilities of the model unit of spec/vtd.md 7, and of units that differ from it. */
final class ModelUnit {
  private static final long MODEL_CAP =
      CapabilityFields.ND.of(2)
          | CapabilityFields.PLMR.of(1)
          | CapabilityFields.PHMR.of(1)
          | CapabilityFields.SAGAW.of(0b0_0110)
          | CapabilityFields.MGAW.of(47)
          | CapabilityFields.ZLR.of(1)
          | CapabilityFields.FRO.of(0x20)
          | CapabilityFields.SLLPS.of(0b11)
          | CapabilityFields.PSI.of(1)
          | CapabilityFields.NFR.of(7)
          | CapabilityFields.MAMV.of(18)
          | CapabilityFields.DWD.of(1)
          | CapabilityFields.DRD.of(1);
  private static final long MODEL_ECAP =
      ExtendedCapabilityFields.C.of(1)
          | ExtendedCapabilityFields.QI.of(1)
          | ExtendedCapabilityFields.IR.of(1)
          | ExtendedCapabilityFields.EIM.of(1)
          | ExtendedCapabilityFields.PT.of(1)
          | ExtendedCapabilityFields.SC.of(1)
          | ExtendedCapabilityFields.MHMV.of(15)
          | ExtendedCapabilityFields.IRO.of(0x50);

  /** The model unit's. */
  static final Capabilities CAPABILITIES = new Capabilities(MODEL_CAP, MODEL_ECAP);

  private ModelUnit() {}

  /** The model unit's but for one field. */
  static Capabilities with(BitField field, long value) {
    return with(CAPABILITIES, field, value);
  }

  /** Some capabilities but for one field of CAP or ECAP, whichever has it. */
  static Capabilities with(Capabilities base, BitField field, long value) {
    boolean extended = ExtendedCapabilityFields.LAYOUT.decode(0).containsKey(field.name());
    return extended
        ? new Capabilities(base.cap(), field.put(base.ecap(), value))
        : new Capabilities(field.put(base.cap(), value), base.ecap());
  }
}
