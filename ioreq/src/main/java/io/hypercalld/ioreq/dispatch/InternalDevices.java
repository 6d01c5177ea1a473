package io.hypercalld.ioreq.dispatch;

import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.interrupt.DomainInterrupts;
import io.hypercalld.core.interrupt.VirtualIoApic;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.ioreq.page.IoRequest;
import io.hypercalld.ioreq.page.RequestType;
import java.util.OptionalLong;

/**
 * Devices that the hypervisor emulates itself, which are asked before any server. Never
 * instantiated.
 *
 * @see "xen/arch/x86/hvm/intercept.c; xen/arch/x86/hvm/vioapic.c, vioapic_range"
 */
final class InternalDevices {
  /** {@code XEN_X86_EMU_IOAPIC}. */
  private static final long EMULATES_IOAPIC = 0x10;

  private static final long WORD = 0xffff_ffffL;

  private InternalDevices() {}

  /** Whether one of them answers for where the request begins. */
  static boolean claim(Domain domain, RequestType type, long address) {
    return type == RequestType.COPY
        && address >>> PageSize.SHIFT_4K == VirtualIoApic.ADDRESS >>> PageSize.SHIFT_4K
        && (domain.settings().platform().emulationFlags() & EMULATES_IOAPIC) != 0;
  }

  /** What one element's access to such a device reads, 0 for a write; empty where there is none. */
  static OptionalLong access(Domain domain, IoRequest request) {
    if (!claim(domain, request.type(), request.address())) {
      return OptionalLong.empty();
    }
    VirtualIoApic ioApic = domain.facet(DomainInterrupts.class).ioApic();
    long offset = request.address() - VirtualIoApic.ADDRESS;
    if (!request.flags().reads()) {
      ioApic.store(offset, (int) request.data());
      return OptionalLong.of(0);
    }
    return OptionalLong.of(request.cut(ioApic.load(offset) & WORD));
  }
}
