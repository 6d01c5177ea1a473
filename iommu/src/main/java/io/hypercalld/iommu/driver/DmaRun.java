package io.hypercalld.iommu.driver;

import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.p2m.DmaPermission;
import io.hypercalld.core.p2m.Gfn;

/**
 * Consecutive frames of a device's address space that lead to consecutive frames of the machine.
 * Immutable.
 *
 * @param dfn the first, as the device counts them; for a mirror the guest frame
 * @param frames how many of 4 KiB
 */
public record DmaRun(Gfn dfn, Mfn mfn, long frames, DmaPermission permission) {
  /** The first frame after the run. */
  public long end() {
    return dfn.value() + frames;
  }

  /** Whether the frame is one of the run's. */
  public boolean covers(long frame) {
    return frame >= dfn.value() && frame < end();
  }

  /** The machine frame of one of the run's frames. */
  public Mfn at(long frame) {
    return mfn.plus(frame - dfn.value());
  }
}
