package io.hypercalld.core.hypercall;

/**
 * {@code machphys_compat_mfn_list}: where the table from frames to guest frames is for PV guests of
 * 32 bits. There are none of these, so it is always refused with {@code EOPNOTSUPP}, or {@code
 * EINVAL} for a start_extent.
 *
 * @see "Xen XENMEM_machphys_compat_mfn_list"
 */
public record MachphysCompatMfnList(@OrElse("0") long maxExtents, @OrElse("0") long startExtent)
    implements Hypercall {}
