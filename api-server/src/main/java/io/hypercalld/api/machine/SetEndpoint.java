package io.hypercalld.api.machine;

import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.iommu.pci.Sbdf;
import io.hypercalld.iommu.unit.Endpoint;
import io.hypercalld.iommu.unit.RemappingUnit;

/**
 * Somebody sets the ATS and page request control registers of a device.
 *
 * <p>Refused with ENODEV where there is no such device or no unit sees it, and with EOPNOTSUPP
 * where the unit has no device-TLBs or takes no page requests.
 *
 * @param translations whether the device keeps translations of its own
 * @param pageRequests whether it asks for pages that it may not use
 */
public record SetEndpoint(Sbdf sbdf, boolean translations, boolean pageRequests)
    implements MachineCommand<Endpoint> {
  @Override
  public Endpoint execute(Machine machine) {
    RemappingUnit unit = unitOf(machine, sbdf);
    if (translations && !unit.capabilities().deviceTlbs()) {
      throw Refusal.of(Errno.EOPNOTSUPP, "the unit of %s takes no translation requests", sbdf);
    }
    if (pageRequests && !unit.capabilities().pageRequests()) {
      throw Refusal.of(Errno.EOPNOTSUPP, "the unit of %s takes no page requests", sbdf);
    }
    Endpoint endpoint = unit.endpoints().of(sbdf.sourceId());
    endpoint.enableTranslations(translations);
    endpoint.enablePageRequests(pageRequests);
    return endpoint;
  }

  /**
   * The unit that sees a device's requests.
   *
   * @throws Refusal ENODEV no such device, or no unit sees it
   */
  public static RemappingUnit unitOf(Machine machine, Sbdf sbdf) {
    machine.topology().require(sbdf);
    return machine.unit(
        machine
            .scopes()
            .unitOf(sbdf)
            .orElseThrow(() -> Refusal.of(Errno.ENODEV, "no remapping unit covers %s", sbdf)));
  }
}
