package io.hypercalld.api.machine;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.iommu.unit.RemappingUnit;

/**
 * A register of a unit, or half of one, as software that has the register window mapped sees it.
 */
public final class UnitRegister {
  private final RemappingUnit unit;
  private final int at;
  private final int size;

  private UnitRegister(RemappingUnit unit, int at, int size) {
    this.unit = unit;
    this.at = at;
    this.size = size;
  }

  /**
   * The register at an offset of a unit's window.
   *
   * @param size bytes: 4 or 8
   * @throws Refusal EINVAL where the window has no such place
   */
  public static UnitRegister of(RemappingUnit unit, Word offset, int size) {
    if (size != Integer.BYTES && size != Long.BYTES) {
      throw Refusal.of(Errno.EINVAL, "registers are accessed by 4 or 8 bytes, not by %d", size);
    }
    int window = unit.settings().windowBytes();
    long at = offset.value();
    if (at < 0 || at > window - size || at % size != 0) {
      throw Refusal.of(
          Errno.EINVAL, "%s is not an offset of %d aligned bytes below 0x%x", offset, size, window);
    }
    return new UnitRegister(unit, (int) at, size);
  }

  /** Its value. */
  public Word read() {
    return new Word(
        size == Integer.BYTES ? Integer.toUnsignedLong(unit.read32(at)) : unit.read64(at));
  }

  /**
   * Writes it.
   *
   * @throws Refusal ERANGE where the value does not fit
   */
  void write(Word value) {
    if (size == Long.BYTES) {
      unit.write64(at, value.value());
    } else if (value.value() >>> Integer.SIZE == 0) {
      unit.write32(at, (int) value.value());
    } else {
      throw Refusal.of(Errno.ERANGE, "%s does not fit 4 bytes", value);
    }
  }
}
