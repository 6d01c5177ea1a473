package io.hypercalld.core.hypercall;

import io.hypercalld.core.domain.DomainId;

/**
 * {@code nr_vcpus}: how many vCPUs a domain may have, as {@link VcpuCount}.
 *
 * <ul>
 *   <li>{@code ESRCH} no such domain, {@code EPERM} itself or not its device model, {@code EINVAL}
 *       a PV domain
 * </ul>
 *
 * @see "Xen XEN_DMOP_nr_vcpus"
 */
public record NrVcpus(DomainId domid) implements Hypercall {}
