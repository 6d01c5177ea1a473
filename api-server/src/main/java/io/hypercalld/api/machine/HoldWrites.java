package io.hypercalld.api.machine;

import io.hypercalld.iommu.pci.Sbdf;
import io.hypercalld.iommu.unit.PostedWrites;

/**
 * Somebody holds a device's writes up between their translation and memory, or lets them go.
 *
 * <p>Refused with ENODEV where there is no such device or no unit sees it.
 */
public record HoldWrites(Sbdf sbdf, boolean held) implements MachineCommand<PostedWrites> {
  @Override
  public PostedWrites execute(Machine machine) {
    PostedWrites writes = SetEndpoint.unitOf(machine, sbdf).postedWrites();
    writes.hold(sbdf.sourceId(), held);
    return writes;
  }
}
