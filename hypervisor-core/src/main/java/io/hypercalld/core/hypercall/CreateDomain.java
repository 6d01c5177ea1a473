package io.hypercalld.core.hypercall;

import io.hypercalld.core.domain.DomainId;
import java.util.Optional;
import java.util.UUID;

/**
 * {@code createdomain}: make a domain, paused and without memory or vCPUs; its id is returned as
 * {@link NewDomain}.
 *
 * <ul>
 *   <li>{@code EPERM} not privileged
 *   <li>{@code EEXIST} the id is taken, reserved, or none is free
 *   <li>{@code EINVAL} unknown flags or options, flags that contradict each other, numbers out of
 *       range
 *   <li>{@code EOPNOTSUPP} no machine of that kind has these emulated devices
 *   <li>{@code ENOMEM} no memory for its tables
 *   <li>{@code ESRCH} no such cpupool
 * </ul>
 *
 * @param domain a free id, or {@link DomainId#ANY}
 * @param arch where left out, what the flags call for: a local APIC for HVM (which makes it PVH),
 *     nothing for PV
 * @see "Xen XEN_DOMCTL_createdomain"
 */
public record CreateDomain(
    @OrElse("32757") DomainId domain,
    @OrElse("0") long ssidref,
    @OrElse("\"00000000-0000-0000-0000-000000000000\"") UUID handle,
    long flags,
    @OrElse("0") long iommuOpts,
    long maxVcpus,
    @OrElse("1023") long maxEvtchnPort,
    @OrElse("-1") int maxGrantFrames,
    @OrElse("-1") int maxMaptrackFrames,
    @OrElse("2") long grantOpts,
    @OrElse("{\"opts\":0,\"nr\":0}") Altp2m altp2m,
    @OrElse("0") long vmtraceSize,
    @OrElse("0") long cpupoolId,
    @OrElse("null") Optional<Arch> arch)
    implements Hypercall {
  /** Alternative views of the P2M. */
  public record Altp2m(@OrElse("0") int opts, @OrElse("0") int nr) {}

  /** {@code xen_arch_domainconfig} of x86. */
  public record Arch(long emulationFlags, @OrElse("0") long miscFlags) {}
}
