package io.hypercalld.core.hypercall;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.DomainId;
import java.util.Optional;

/**
 * {@code getpageframeinfo}: what kind of page is behind guest frames, as {@link PageFrameTypes}.
 *
 * <ul>
 *   <li>{@code ESRCH}, {@code EPERM} as for {@link DestroyDomain}
 *   <li>{@code E2BIG} more than 1024
 *   <li>{@code EFAULT} the list is shorter than the number
 * </ul>
 *
 * @param num elements; where left out, as many as the list has
 * @see "Xen XEN_DOMCTL_getpageframeinfo3"
 */
public record GetPageFrameTypes(
    DomainId domain, @OrElse("null") Optional<Word> num, GuestFrames array) implements Hypercall {}
