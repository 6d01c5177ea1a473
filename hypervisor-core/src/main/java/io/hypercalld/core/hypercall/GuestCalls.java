package io.hypercalld.core.hypercall;

/** The way into the hypervisor of one domain's kernel. */
@FunctionalInterface
public interface GuestCalls {
  /** Makes a hypercall, however many steps it takes. */
  Outcome call(Hypercall arguments);
}
