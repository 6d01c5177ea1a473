package io.hypercalld.ioreq.dispatch;

import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.guest.Emulation;
import io.hypercalld.core.guest.InternalDevices;
import io.hypercalld.core.interrupt.DomainInterrupts;
import io.hypercalld.core.interrupt.VirtualIoApic;
import io.hypercalld.core.memory.PageSize;
import java.util.Optional;

/**
 * The registers of domains' I/O APICs, where they have one. Immutable.
 *
 * <p>Registers are words of 4 bytes: more is cut off what is written, and reads 0.
 *
 * @see "xen/arch/x86/hvm/vioapic.c, vioapic_range, vioapic_read and vioapic_write"
 */
final class IoApicPage implements InternalDevices {
  /** {@code XEN_X86_EMU_IOAPIC}. */
  private static final long EMULATES_IOAPIC = 0x10;

  private static final long WORD = 0xffff_ffffL;

  /** Whether an address is in the page of a domain's. */
  static boolean contains(Domain domain, long gpa) {
    return gpa >>> PageSize.SHIFT_4K == VirtualIoApic.ADDRESS >>> PageSize.SHIFT_4K
        && (domain.settings().platform().emulationFlags() & EMULATES_IOAPIC) != 0;
  }

  @Override
  public Optional<Emulation.Answer> access(Emulation.MmioAccess access) {
    if (!contains(access.domain(), access.gpa())) {
      return Optional.empty();
    }
    VirtualIoApic ioApic = access.domain().facet(DomainInterrupts.class).ioApic();
    long offset = access.gpa() - VirtualIoApic.ADDRESS;
    if (access.writes()) {
      ioApic.store(offset, (int) access.data());
      return Optional.of(new Emulation.Completed(0));
    }
    return Optional.of(new Emulation.Completed(ioApic.load(offset) & WORD));
  }
}
