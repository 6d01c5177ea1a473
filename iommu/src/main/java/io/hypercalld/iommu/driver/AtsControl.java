package io.hypercalld.iommu.driver;

import io.hypercalld.iommu.pci.Sbdf;

/**
 * The ATS capabilities of functions, by which these may keep translations, and what firmware says
 * of them.
 *
 * @see "xen/drivers/passthrough/ats.c; vtd/x86/ats.c, ats_device"
 */
public interface AtsControl {
  /** No function may. */
  AtsControl NONE =
      new AtsControl() {
        @Override
        public boolean permits(Sbdf sbdf) {
          return false;
        }

        @Override
        public void enable(Sbdf sbdf, boolean on) {}
      };

  /** Whether the function is below a root port that firmware names for it. */
  boolean permits(Sbdf sbdf);

  /** Writes bit E of the function's ATS control register: off, it forgets what it kept. */
  void enable(Sbdf sbdf, boolean on);
}
