/**
 * A domain's table from guest frames to machine frames, in the format of Intel's extended page
 * tables as Xen uses it.
 *
 * <p>Depends on {@code core.memory}, {@code core.bits}, {@code core.errno} and {@code core.digest}.
 * It does not know what a domain or an IOMMU is: whoever has to follow it is a {@link
 * io.hypercalld.core.p2m.P2mObserver}. Invariant: a walk from the root finds complete tables only,
 * at any moment between two stores. Levels count from 1, the lowest. Specification: Intel SDM Vol.
 * 3, chapter 30; Xen's {@code p2m-ept.c} for the bits that hardware ignores.
 */
@NullMarked
package io.hypercalld.core.p2m;

import org.jspecify.annotations.NullMarked;
