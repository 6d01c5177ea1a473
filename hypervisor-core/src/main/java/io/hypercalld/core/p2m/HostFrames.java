package io.hypercalld.core.p2m;

import io.hypercalld.core.memory.Mfn;

/**
 * What the host knows of frames that decides how guests may cache them.
 *
 * @see "xen/arch/x86/mm/p2m-ept.c, epte_get_entry_emt"
 */
public interface HostFrames {
  /** A host without pages of these kinds. */
  HostFrames ORDINARY =
      new HostFrames() {
        @Override
        public Coverage special(Mfn first, long count) {
          return Coverage.NONE;
        }

        @Override
        public Coverage readOnlyMmio(Mfn first, long count) {
          return Coverage.NONE;
        }
      };

  /** How many of the frames the hypervisor shares with guests. */
  Coverage special(Mfn first, long count);

  /** How many of the frames are registers that no guest may write ({@code mmio_ro_ranges}). */
  Coverage readOnlyMmio(Mfn first, long count);
}
