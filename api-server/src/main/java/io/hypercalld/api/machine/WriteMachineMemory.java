package io.hypercalld.api.machine;

import io.hypercalld.core.bits.HexBytes;
import io.hypercalld.core.bits.Word;

/**
 * Somebody with a probe writes machine memory.
 *
 * <p>Refused with EFAULT where any of it is not RAM.
 */
public record WriteMachineMemory(Word maddr, HexBytes bytes) implements MachineCommand<Word> {
  @Override
  public Word execute(Machine machine) {
    machine.memoryProbe().write(maddr, bytes.toByteArray());
    return maddr;
  }
}
