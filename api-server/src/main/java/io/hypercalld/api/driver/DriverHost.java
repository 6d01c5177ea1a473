package io.hypercalld.api.driver;

import io.hypercalld.core.Hypervisor;
import io.hypercalld.core.bits.HexBytes;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.hypercall.Hypercall;
import io.hypercalld.core.hypercall.Outcome;
import io.hypercalld.core.kernel.RunningKernel;
import io.hypercalld.iommu.pci.Sbdf;
import io.hypercalld.iommu.unit.DmaOutcome;
import java.util.Optional;

/** The machine that a driver's script runs on. */
public interface DriverHost {
  Hypervisor hypervisor();

  /** The kernel of a domain, booted where none is. */
  RunningKernel kernel(Domain domain);

  /** Makes a hypercall on behalf of a domain, however many steps it takes. */
  Outcome call(DomainId caller, Hypercall arguments);

  /**
   * Has a device read, or write the data.
   *
   * @param data what it writes; empty where it reads
   */
  Moved dma(Sbdf device, long bus, int length, Optional<HexBytes> data);

  /** What became of it, and what was read. */
  record Moved(DmaOutcome outcome, HexBytes data) {}
}
