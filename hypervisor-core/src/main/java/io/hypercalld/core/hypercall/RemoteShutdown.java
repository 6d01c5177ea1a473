package io.hypercalld.core.hypercall;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.DomainId;

/**
 * {@code remote_shutdown}: end a domain, unless it has ended.
 *
 * <ul>
 *   <li>{@code ESRCH} no such domain, {@code EPERM} itself or not its device model, {@code EINVAL}
 *       a PV domain
 * </ul>
 *
 * @param reason poweroff 0, reboot 1, suspend 2, crash 3, watchdog 4, soft_reset 5; its lowest 8
 *     bits count
 * @see "Xen XEN_DMOP_remote_shutdown"
 */
public record RemoteShutdown(DomainId domid, Word reason) implements Hypercall {}
