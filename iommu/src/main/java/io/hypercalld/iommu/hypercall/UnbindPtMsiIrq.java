package io.hypercalld.iommu.hypercall;

import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.hypercall.Hypercall;

/**
 * {@code unbind_pt_msi_irq}: have an interrupt of the machine arrive as a message no more.
 *
 * <ul>
 *   <li>{@code ESRCH} no such domain
 *   <li>{@code EPERM} the domain itself, or the caller is not its device model, or may not have the
 *       interrupt, or nobody mapped it
 *   <li>{@code EINVAL} the domain is PV, or never bound an interrupt
 * </ul>
 *
 * @param machineIrq the number that the domain knows it under
 * @see "spec/documents.md S1-D16"
 */
public record UnbindPtMsiIrq(DomainId domid, long machineIrq) implements Hypercall {}
