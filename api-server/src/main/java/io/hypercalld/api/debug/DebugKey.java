package io.hypercalld.api.debug;

import io.hypercalld.api.machine.Machine;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.BiConsumer;

/** A key that Xen's console understands, and what it prints. */
public enum DebugKey {
  /** The units, their interrupt-remapping tables and the I/O APICs. */
  UNITS('V', RemappingDump::print),

  /** The DMA tables of guests. */
  PAGE_TABLES('o', PageTableDump::print),
  PCI_DEVICES('Q', DeviceDump::printDevices),
  MESSAGES('M', DeviceDump::printMessages);

  private final char key;
  private final BiConsumer<Machine, Lines> print;

  DebugKey(char key, BiConsumer<Machine, Lines> print) {
    this.key = key;
    this.print = print;
  }

  public static Optional<DebugKey> of(char key) {
    return Arrays.stream(values()).filter(one -> one.key == key).findFirst();
  }

  /** The lines that it prints now. */
  public List<String> lines(Machine machine) {
    Lines lines = new Lines();
    print.accept(machine, lines);
    return lines.all();
  }
}
