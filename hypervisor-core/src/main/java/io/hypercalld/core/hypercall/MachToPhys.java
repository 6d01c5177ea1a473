package io.hypercalld.core.hypercall;

import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.p2m.Gfn;

/**
 * {@code machtophys}: the guest frame that a machine frame says it is mapped at, whosever it is;
 * {@code INVALID_M2P_ENTRY}, all ones, where it is mapped nowhere or no RAM. Refused only where the
 * caller does not exist.
 *
 * @see "spec/documents.md S3-D4, IA64_DOM0VP_machtophys"
 */
public record MachToPhys(Mfn mfn) implements Hypercall {
  /** The guest frame. */
  public record Found(Gfn gpfn) {}
}
