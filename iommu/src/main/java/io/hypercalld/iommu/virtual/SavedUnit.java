package io.hypercalld.iommu.virtual;

import io.hypercalld.core.bits.BitField;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.iommu.unit.RemappingUnit;
import io.hypercalld.iommu.unit.UnitState;
import io.hypercalld.iommu.vtd.GlobalCommand;
import io.hypercalld.iommu.vtd.InterruptTableAddress;
import io.hypercalld.iommu.vtd.InvalidationQueueFields;
import io.hypercalld.iommu.vtd.Register;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The record of a virtual unit that goes with its domain when that is saved: type 21, VVTD.
 * Stateless.
 *
 * <pre>
 * byte  0   bit 0 eim, bit 1 intremap     u32, little-endian as everything here
 *       4   fault_index                   u32
 *       8   irt_max_entry                 u32: entries of the table in use; 0 where there is none
 *      16   irt                           u64: guest frame number of that table
 *      24   regs                          u32 each: the register window from its start
 * </pre>
 *
 * <p>A unit that only remaps interrupts saves 0xd0 bytes of registers, one that translates requests
 * 0x230.
 *
 * @see "spec/documents.md S1-D5"
 */
final class SavedUnit {
  private static final int INTERRUPTS_ONLY_BYTES = 0xd0;
  private static final int TRANSLATING_BYTES = 0x230;
  private static final int EIM = 0x1;
  private static final int INTREMAP = 0x2;
  private static final int IRT_AT = 16;
  private static final int REGISTERS_AT = 24;
  private static final int MOST_ENTRIES = 1 << 16;
  private static final int[] CONSTANTS = {
    Register.VER.offset(),
    Register.CAP.offset(),
    Register.CAP.offset() + Integer.BYTES,
    Register.ECAP.offset(),
    Register.ECAP.offset() + Integer.BYTES
  };

  private final VirtualUnit unit;

  SavedUnit(VirtualUnit unit) {
    this.unit = unit;
  }

  private int windowBytes() {
    return unit.settings().l2() ? TRANSLATING_BYTES : INTERRUPTS_ONLY_BYTES;
  }

  private static boolean isEnabled(UnitState state, BitField status) {
    return status.isSet(Integer.toUnsignedLong(state.word(Register.GSTS.offset())));
  }

  byte[] encode() {
    UnitState state = unit.save(windowBytes());
    long table = state.interruptTable();
    boolean latched = isEnabled(state, GlobalCommand.SIRTP);
    byte[] record = new byte[REGISTERS_AT + windowBytes()];
    ByteBuffer bytes = buffer(record);
    bytes.putInt(
        (InterruptTableAddress.EIME.isSet(table) ? EIM : 0)
            | (isEnabled(state, GlobalCommand.IRE) ? INTREMAP : 0));
    bytes.putInt(state.nextFault());
    bytes.putInt(latched ? InterruptTableAddress.entries(table) : 0);
    bytes.putLong(IRT_AT, InterruptTableAddress.IRTA.get(table));
    bytes.position(REGISTERS_AT);
    state.words().forEach(bytes::putInt);
    return record;
  }

  /**
   * What a record says.
   *
   * @throws Refusal EINVAL it is none of a unit like this one
   */
  UnitState decode(byte[] record) {
    require(
        record.length == REGISTERS_AT + windowBytes(),
        "a record has %d bytes".formatted(REGISTERS_AT + windowBytes()));
    ByteBuffer bytes = buffer(record);
    int flags = bytes.getInt();
    int nextFault = bytes.getInt();
    int entries = bytes.getInt();
    long frame = bytes.getLong(IRT_AT);
    bytes.position(REGISTERS_AT);
    List<Integer> words =
        IntStream.range(0, windowBytes() / Integer.BYTES).map(_ -> bytes.getInt()).boxed().toList();
    UnitState state = new UnitState(table(flags, entries, frame), nextFault, words);
    check(state, flags, entries);
    return state;
  }

  private static long table(int flags, int entries, long frame) {
    require(
        entries == 0 || (entries >= 2 && entries <= MOST_ENTRIES && Integer.bitCount(entries) == 1),
        "no interrupt table has %d entries".formatted(entries));
    require(
        frame >>> InterruptTableAddress.IRTA.width() == 0,
        "no interrupt table is at guest frame 0x%x".formatted(frame));
    int size = entries == 0 ? 0 : Integer.numberOfTrailingZeros(entries) - 1;
    return InterruptTableAddress.IRTA.of(frame)
        | InterruptTableAddress.S.of(size)
        | InterruptTableAddress.EIME.of((flags & EIM) != 0 ? 1 : 0);
  }

  private void check(UnitState state, int flags, int entries) {
    RemappingUnit silicon = unit.silicon();
    require((flags & ~(EIM | INTREMAP)) == 0, "only flags 0 and 1 are known");
    require(
        state.nextFault() >= 0 && state.nextFault() < silicon.capabilities().faultRecords(),
        "there is no fault record %d".formatted(state.nextFault()));
    for (int offset : CONSTANTS) {
      require(
          state.word(offset) == silicon.read32(offset),
          "the register at 0x%x is that of another unit".formatted(offset));
    }
    require(
        isEnabled(state, GlobalCommand.IRE) == ((flags & INTREMAP) != 0)
            && isEnabled(state, GlobalCommand.SIRTP) == (entries != 0),
        "GSTS and the table in use disagree");
    for (int offset = 0; offset < windowBytes(); offset += Integer.BYTES) {
      require(
          state.word(offset) == 0 || isRegister(silicon, offset),
          "there is no register at 0x%x".formatted(offset));
    }
    long ring = state.doubleWord(Register.IQA.offset());
    require(
        !isEnabled(state, GlobalCommand.QIE)
            || state.doubleWord(Register.IQH.offset()) < InvalidationQueueFields.bytes(ring),
        "IQH lies beyond the ring");
  }

  private static boolean isRegister(RemappingUnit silicon, int offset) {
    return silicon.registers().stream()
        .anyMatch(each -> each.offset() <= offset && offset < each.offset() + each.bytes());
  }

  private static void require(boolean right, String why) {
    if (!right) {
      throw Refusal.of(Errno.EINVAL, "%s", why);
    }
  }

  private static ByteBuffer buffer(byte[] bytes) {
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }
}
