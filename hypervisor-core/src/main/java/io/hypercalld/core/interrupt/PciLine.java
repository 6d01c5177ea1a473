package io.hypercalld.core.interrupt;

/**
 * An interrupt line of a device on a domain's bus 0. Immutable.
 *
 * @param device 0 to 31
 * @param line 0 for INTA# to 3 for INTD#
 * @see "xen/include/asm-x86/hvm/irq.h, hvm_pci_intx_gsi and hvm_pci_intx_link"
 */
public record PciLine(int device, int line) {
  static final int DEVICES = 32;
  static final int LINES = 4;

  private static final int FIRST_GSI = 16;

  public PciLine {
    if (device < 0 || device >= DEVICES || line < 0 || line >= LINES) {
      throw new IllegalArgumentException("no line %d of device %d".formatted(line, device));
    }
  }

  /** Whether there are such a device and line. */
  public static boolean exists(long device, int line) {
    return device >= 0 && device < DEVICES && line >= 0 && line < LINES;
  }

  /** The pin of the I/O APIC that it is wired to. */
  public int gsi() {
    return ((device * LINES + device / 8 + line) & 31) + FIRST_GSI;
  }

  /** The link that may route it to an ISA line. */
  public int link() {
    return (device + line) & (InterruptLines.LINKS - 1);
  }

  int wire() {
    return device * LINES + line;
  }
}
