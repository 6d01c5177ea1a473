package io.hypercalld.core.guest;

import java.util.Optional;

/**
 * Devices that the hypervisor emulates itself, which no emulator outside is asked for.
 *
 * @see "xen/arch/x86/hvm/intercept.c, hvm_mmio_ops"
 */
@FunctionalInterface
public interface InternalDevices {
  /** The answer to an access; empty where it is to none of them. */
  Optional<Emulation.Answer> access(Emulation.MmioAccess access);

  /** Somebody else is done with an access that was left to him. */
  default void completed(Emulation.MmioAccess access) {}
}
