package io.hypercalld.ioreq.dispatch;

import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.ioreq.page.IoRequest;
import io.hypercalld.ioreq.page.RequestType;

/**
 * An instruction's access to a port. Immutable.
 *
 * @param size bytes: 1, 2 or 4
 * @param reads in rather than out
 * @param data what is written; 0 for a read
 */
public record PortAccess(int vcpu, int port, int size, boolean reads, long data) {
  private static final int PORTS = 0x1_0000;

  /** What device models are asked. */
  public IoRequest request() {
    return IoRequest.single(RequestType.PIO, port, size, reads, data);
  }

  /**
   * Refuses what no instruction does.
   *
   * @throws Refusal EINVAL
   */
  public void check() {
    if (size < 1 || size > Integer.BYTES || Integer.bitCount(size) != 1) {
      throw Refusal.of(Errno.EINVAL, "no instruction accesses %d bytes at a port", size);
    }
    if (port < 0 || port > PORTS - size) {
      throw Refusal.of(Errno.EINVAL, "%d bytes at port 0x%x go beyond the last", size, port);
    }
    if (data >>> (size * Byte.SIZE) != 0) {
      throw Refusal.of(Errno.EINVAL, "0x%x has more than %d bytes", data, size);
    }
  }
}
