package io.hypercalld.ioreq.server;

import static io.hypercalld.core.bits.BitField.bit;
import static io.hypercalld.core.bits.BitField.bits;
import static io.hypercalld.core.bits.BitField.ignored;

import io.hypercalld.core.bits.BitField;
import io.hypercalld.core.bits.WordLayout;
import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;

/**
 * The address register of PCI configuration space, at port 0xcf8. Confined to the machine thread.
 *
 * <pre>
 *   enable[31] reserved[30:24] bus, device and function[23:8] register[7:2] reserved[1:0]
 * </pre>
 *
 * @see "PCI Local Bus 3.0 §3.2.2.3.2; xen/arch/x86/hvm/ioreq.c, hvm_access_cf8"
 */
public final class PortLatch implements Digestible {
  static final BitField REGISTER = bits("register", 7, 2);
  static final BitField BDF = bits("bdf", 23, 8);
  static final BitField ENABLE = bit("enable", 31);
  static final WordLayout LAYOUT =
      WordLayout.covering(
          "cf8", ignored(1, 0), REGISTER, BDF, ignored(30, 24), ENABLE, ignored(63, 32));

  private static final int ADDRESS_PORT = 0xcf8;
  private static final int DATA_PORT = 0xcfc;
  private static final int DATA_BYTES = 3;
  private long latched;

  /** Takes a write: only one of four bytes to the register itself counts. */
  public void write(long port, int size, long data) {
    if (port == ADDRESS_PORT && size == Integer.BYTES) {
      latched = data;
    }
  }

  /** What was latched. */
  public long value() {
    return latched;
  }

  /** Whether an access to the port is one to configuration space. */
  public boolean selects(long port) {
    return (port & ~DATA_BYTES) == DATA_PORT && ENABLE.isSet(latched);
  }

  /** The function that is selected, of segment 0. */
  public long sbdf() {
    return BDF.get(latched);
  }

  /** The register that an access to the port is to. */
  public long register(long port) {
    return REGISTER.inPlace(latched) | (port & DATA_BYTES);
  }

  @Override
  public void digest(StateDigest digest) {
    digest.put(latched);
  }
}
