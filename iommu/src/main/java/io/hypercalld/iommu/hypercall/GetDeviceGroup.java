package io.hypercalld.iommu.hypercall;

import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.hypercall.Hypercall;
import io.hypercalld.core.hypercall.OrElse;
import io.hypercalld.iommu.pci.Sbdf;
import java.util.List;

/**
 * {@code get_device_group}: the domain's devices that cannot be told apart from the given one by
 * their requester ids, without that one itself.
 *
 * <ul>
 *   <li>{@code ESRCH} no such domain; {@code EPERM} the caller is no control domain
 *   <li>{@code ENODEV} no such device
 * </ul>
 *
 * @param maxSdevs the most that the answer may list
 * @see "Xen XEN_DOMCTL_get_device_group"
 */
public record GetDeviceGroup(DomainId domain, Sbdf machineSbdf, @OrElse("4294967295") long maxSdevs)
    implements Hypercall {
  /** What it answers: as many devices as there was room for. */
  public record Group(long numSdevs, List<Sbdf> sdevArray) {}
}
