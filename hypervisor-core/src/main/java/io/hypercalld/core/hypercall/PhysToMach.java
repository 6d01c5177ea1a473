package io.hypercalld.core.hypercall;

import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.p2m.Gfn;

/**
 * {@code phystomach}: the machine frame behind a guest frame of the caller's, be it another
 * domain's page; {@code INVALID_MFN}, all ones, where there is none. A PV domain's guest frames are
 * its machine frames. Refused only where the caller does not exist.
 *
 * @see "spec/documents.md S3-D4, IA64_DOM0VP_phystomach"
 */
public record PhysToMach(Gfn gpfn) implements Hypercall {
  /** The frame. */
  public record Found(Mfn mfn) {}
}
