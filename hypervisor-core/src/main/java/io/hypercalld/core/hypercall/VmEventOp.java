package io.hypercalld.core.hypercall;

import io.hypercalld.core.domain.DomainId;

/**
 * {@code vm_event_op}: lets somebody listen to a domain's event ring, or no longer.
 *
 * <p>Before it can be enabled, {@code hvm_op.set_param} has to name the ring's page, a populated
 * guest frame. There are no event channels behind it: who listens reads {@code
 * /v1/domains/{d}/vm-events} and posts answers there, each of which takes effect at once, so that
 * resuming finds nothing left to be done.
 *
 * <ul>
 *   <li>{@code ESRCH} no such domain
 *   <li>{@code EPERM} the caller is no control domain
 *   <li>{@code EINVAL} the caller itself; the domain has no vCPU; nobody listens that could be
 *       disabled; the page is not the domain's or cannot be written
 *   <li>{@code ENOSYS} no such mode or operation
 *   <li>{@code ENODEV} no hardware-assisted paging; nobody listens that could be resumed
 *   <li>{@code EMLINK} paging, of a domain that has an IOMMU, unless its policy {@code
 *       devicePaging} allows both
 *   <li>{@code EXDEV} paging, while memory is to be populated on demand
 *   <li>{@code EBUSY} somebody listens already
 *   <li>{@code EOPNOTSUPP} no page is named; a PV domain
 *   <li>{@code ENOENT} the page is paged out or shared
 * </ul>
 *
 * @param op 0 enable, 1 disable, 2 resume, 3 get the version
 * @param mode 1 paging, 2 monitor, 3 sharing
 * @see "Xen XEN_DOMCTL_vm_event_op"
 */
public record VmEventOp(DomainId domain, long op, @OrElse("0") long mode) implements Hypercall {}
