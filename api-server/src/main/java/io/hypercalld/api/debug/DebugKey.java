package io.hypercalld.api.debug;

import com.google.errorprone.annotations.Immutable;
import io.hypercalld.api.machine.Machine;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** A key that Xen's console understands, and what it prints. */
public enum DebugKey {
  /** The units, their interrupt-remapping tables and the I/O APICs. */
  UNITS('V', RemappingDump::print),

  /** The DMA tables of guests. */
  PAGE_TABLES('o', PageTableDump::print),
  PCI_DEVICES('Q', DeviceDump::printDevices),
  MESSAGES('M', DeviceDump::printMessages);

  @Immutable
  @FunctionalInterface
  private interface Printer {
    void print(Machine machine, Lines out);
  }

  private final char key;
  private final Printer print;

  DebugKey(char key, Printer print) {
    this.key = key;
    this.print = print;
  }

  public static Optional<DebugKey> of(char key) {
    return Arrays.stream(values()).filter(one -> one.key == key).findFirst();
  }

  /** The lines that it prints now. */
  public List<String> lines(Machine machine) {
    Lines lines = new Lines();
    print.print(machine, lines);
    return lines.all();
  }
}
