package io.hypercalld.core.event;

import io.hypercalld.core.memory.MachineMemory;

/**
 * Which events are pending and which are masked, in the page that a 64-bit domain shares with the
 * hypervisor: the two-level interface. Confined to the machine thread.
 *
 * <pre>
 *   0x000  vcpu_info[32], 64 bytes each:  u8 evtchn_upcall_pending @0, u64 evtchn_pending_sel @8
 *   0x800  u64 evtchn_pending[64]
 *   0xa00  u64 evtchn_mask[64]
 * </pre>
 *
 * @see "xen/include/public/xen.h, struct shared_info; xen/common/event_2l.c"
 */
final class SharedEventBits {
  /** Ports of the two-level interface, port 0 included. */
  static final int PORTS = Long.SIZE * Long.SIZE;

  /** vCPUs whose {@code vcpu_info} is in the page; the others' is nowhere until they register. */
  private static final int LEGACY_VCPUS = 32;

  private static final int VCPU_INFO_BYTES = 64;
  private static final int PENDING_SEL = 8;
  private static final int PENDING = 0x800;
  private static final int MASK = 0xa00;
  private static final int UPCALL_PENDING = 1;

  private final MachineMemory memory;
  private final long page;

  /**
   * The bits in a page.
   *
   * @param page its machine address
   */
  SharedEventBits(MachineMemory memory, long page) {
    this.memory = memory;
    this.page = page;
  }

  /** Sets a port's bit and, unless it was set or is masked, has the vCPU see it. */
  void setPending(int port, int vcpu) {
    if (isPending(port)) {
      return;
    }
    put(PENDING, port, true);
    if (!isMasked(port) && vcpu < LEGACY_VCPUS) {
      long info = page + (long) vcpu * VCPU_INFO_BYTES;
      long selected = memory.readWord(info + PENDING_SEL);
      memory.writeWord(info + PENDING_SEL, selected | 1L << (port / Long.SIZE));
      memory.writeWord(info, memory.readWord(info) | UPCALL_PENDING);
    }
  }

  void clearPending(int port) {
    if (isPending(port)) {
      put(PENDING, port, false);
    }
  }

  boolean isPending(int port) {
    return isSet(PENDING, port);
  }

  boolean isMasked(int port) {
    return isSet(MASK, port);
  }

  private boolean isSet(int array, int port) {
    return (memory.readWord(word(array, port)) >>> port & 1) != 0;
  }

  private void put(int array, int port, boolean set) {
    long at = word(array, port);
    long bit = 1L << port;
    long word = memory.readWord(at);
    memory.writeWord(at, set ? word | bit : word & ~bit);
  }

  private long word(int array, int port) {
    return page + array + (long) (port / Long.SIZE) * Long.BYTES;
  }
}
