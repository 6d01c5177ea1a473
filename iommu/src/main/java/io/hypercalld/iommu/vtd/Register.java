package io.hypercalld.iommu.vtd;

import static io.hypercalld.core.bits.BitField.bits;
import static io.hypercalld.core.bits.BitField.reserved;
import static io.hypercalld.iommu.vtd.BitKinds.READ_ONLY;
import static io.hypercalld.iommu.vtd.BitKinds.readWrite;

import io.hypercalld.core.bits.WordLayout;

/**
 * The registers of a unit: where they lie, how wide they are, and how each bit answers software.
 * Immutable.
 *
 * <p>Fault records are not listed: see {@link Capabilities#faultRecordOffset} and {@link
 * #FAULT_RECORD_HI}.
 *
 * @see "VT-d §11.4"
 */
public enum Register {
  VER(0x000, 4, Layouts.VERSION, READ_ONLY),
  CAP(0x008, 8, CapabilityFields.LAYOUT, READ_ONLY),
  ECAP(0x010, 8, ExtendedCapabilityFields.LAYOUT, READ_ONLY),
  GCMD(0x018, 4, GlobalCommand.LAYOUT, READ_ONLY),
  GSTS(0x01c, 4, GlobalCommand.LAYOUT, READ_ONLY),
  RTADDR(0x020, 8, RootTableAddress.LAYOUT, readWrite(RootTableAddress.RTA, RootTableAddress.TTM)),
  CCMD(
      0x028,
      8,
      ContextCommand.LAYOUT,
      readWrite(ContextCommand.DID, ContextCommand.CIRG, ContextCommand.ICC)
          .andWriteOnly(ContextCommand.SID, ContextCommand.FM)),
  FSTS(
      0x034,
      4,
      FaultStatus.LAYOUT,
      READ_ONLY
          .andWriteOneClears(FaultStatus.PFO, FaultStatus.IQE, FaultStatus.ICE, FaultStatus.ITE)
          .andSticky(
              FaultStatus.PFO,
              FaultStatus.PPF,
              FaultStatus.AFO,
              FaultStatus.APF,
              FaultStatus.IQE,
              FaultStatus.ICE,
              FaultStatus.ITE,
              FaultStatus.FRI)),
  FECTL(0x038, 4, EventControl.CONTROL, Layouts.EVENT_CONTROL),
  FEDATA(0x03c, 4, EventControl.MESSAGE, readWrite(EventControl.IMD)),
  FEADDR(0x040, 4, EventControl.ADDRESS, readWrite(EventControl.MA)),
  FEUADDR(0x044, 4, EventControl.UPPER_ADDRESS, readWrite(EventControl.MUA)),
  PMEN(0x064, 4, ProtectedMemoryFields.ENABLE, readWrite(ProtectedMemoryFields.EPM)),
  PLMBASE(0x068, 4, ProtectedMemoryFields.LOW_ADDRESS, readWrite(ProtectedMemoryFields.LOW)),
  PLMLIMIT(0x06c, 4, ProtectedMemoryFields.LOW_ADDRESS, readWrite(ProtectedMemoryFields.LOW)),
  PHMBASE(0x070, 8, ProtectedMemoryFields.HIGH_ADDRESS, readWrite(ProtectedMemoryFields.HIGH)),
  PHMLIMIT(0x078, 8, ProtectedMemoryFields.HIGH_ADDRESS, readWrite(ProtectedMemoryFields.HIGH)),
  IQH(0x080, 8, InvalidationQueueFields.HEAD, READ_ONLY),
  IQT(0x088, 8, InvalidationQueueFields.TAIL, readWrite(InvalidationQueueFields.QT)),
  IQA(
      0x090,
      8,
      InvalidationQueueFields.ADDRESS,
      readWrite(
          InvalidationQueueFields.IQA, InvalidationQueueFields.DW, InvalidationQueueFields.QS)),
  ICS(
      0x09c,
      4,
      InvalidationQueueFields.COMPLETION,
      READ_ONLY.andWriteOneClears(InvalidationQueueFields.IWC)),
  IECTL(0x0a0, 4, EventControl.CONTROL, Layouts.EVENT_CONTROL),
  IEDATA(0x0a4, 4, EventControl.MESSAGE, readWrite(EventControl.IMD)),
  IEADDR(0x0a8, 4, EventControl.ADDRESS, readWrite(EventControl.MA)),
  IEUADDR(0x0ac, 4, EventControl.UPPER_ADDRESS, readWrite(EventControl.MUA)),
  IQERCD(0x0b0, 8, InvalidationQueueFields.ERROR, READ_ONLY),
  IRTA(
      0x0b8,
      8,
      InterruptTableAddress.LAYOUT,
      readWrite(InterruptTableAddress.IRTA, InterruptTableAddress.EIME, InterruptTableAddress.S)),
  PQH(0x0c0, 8, PageRequestFields.HEAD, readWrite(PageRequestFields.PQH)),
  PQT(0x0c8, 8, PageRequestFields.TAIL, readWrite(PageRequestFields.PQT)),
  PQA(0x0d0, 8, PageRequestFields.ADDRESS, readWrite(PageRequestFields.PQA, PageRequestFields.PQS)),
  PRS(
      0x0dc,
      4,
      PageRequestFields.STATUS,
      READ_ONLY.andWriteOneClears(PageRequestFields.PPR, PageRequestFields.PRO)),
  PECTL(0x0e0, 4, EventControl.CONTROL, Layouts.EVENT_CONTROL),
  PEDATA(0x0e4, 4, EventControl.MESSAGE, readWrite(EventControl.IMD)),
  PEADDR(0x0e8, 4, EventControl.ADDRESS, readWrite(EventControl.MA)),
  PEUADDR(0x0ec, 4, EventControl.UPPER_ADDRESS, readWrite(EventControl.MUA)),
  IVA(
      Register.RELOCATABLE,
      8,
      IotlbCommand.ADDRESS_LAYOUT,
      READ_ONLY.andWriteOnly(IotlbCommand.AM, IotlbCommand.IH, IotlbCommand.ADDR)),
  IOTLB(
      Register.RELOCATABLE,
      8,
      IotlbCommand.LAYOUT,
      readWrite(
          IotlbCommand.DID, IotlbCommand.DW, IotlbCommand.DR, IotlbCommand.IIRG, IotlbCommand.IVT));

  /** How the first word of a fault record answers: software only reads it. */
  public static final BitKinds FAULT_RECORD_LO = READ_ONLY.andSticky(FaultRecord.FI);

  /** How the second word of a fault record answers: software clears F by writing one. */
  public static final BitKinds FAULT_RECORD_HI =
      READ_ONLY
          .andWriteOneClears(FaultRecord.F)
          .andSticky(
              FaultRecord.SID,
              FaultRecord.T2,
              FaultRecord.PRIV,
              FaultRecord.EXE,
              FaultRecord.PP,
              FaultRecord.FR,
              FaultRecord.PV,
              FaultRecord.AT,
              FaultRecord.T1,
              FaultRecord.F);

  private static final int RELOCATABLE = -1;

  /** What the constants above share and no other class spells. */
  private static final class Layouts {
    static final WordLayout VERSION =
        WordLayout.covering("VER", bits("MIN", 3, 0), bits("MAX", 7, 4), reserved(63, 8));

    static final BitKinds EVENT_CONTROL = readWrite(EventControl.IM).andSetAtReset(EventControl.IM);
  }

  private final int offset;
  private final int bytes;

  @SuppressWarnings("ImmutableEnumChecker") // WordLayout is immutable; the checker sees a List.
  private final WordLayout layout;

  private final BitKinds kinds;

  Register(int offset, int bytes, WordLayout layout, BitKinds kinds) {
    this.offset = offset;
    this.bytes = bytes;
    this.layout = layout;
    this.kinds = kinds;
  }

  /**
   * Byte offset in the window of every unit.
   *
   * @throws IllegalStateException for IVA and IOTLB, which each unit puts elsewhere
   */
  public int offset() {
    if (offset == RELOCATABLE) {
      throw new IllegalStateException(this + " lies where the unit's capabilities say");
    }
    return offset;
  }

  /** Byte offset in the window of a unit with these capabilities. */
  public int offset(Capabilities capabilities) {
    return switch (this) {
      case IVA -> capabilities.invalidateAddressOffset();
      case IOTLB -> capabilities.iotlbOffset();
      default -> offset;
    };
  }

  /** Bytes: 4 or 8. */
  public int bytes() {
    return bytes;
  }

  public WordLayout layout() {
    return layout;
  }

  /** How the bits answer on a unit that implements all of them. */
  public BitKinds kinds() {
    return kinds;
  }
}
