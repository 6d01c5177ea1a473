package io.hypercalld.core.hypercall;

/**
 * What {@link GetVcpuInfo} returns. Immutable.
 *
 * @param online whether it was started
 * @param blocked whether it waits
 * @param running whether it runs
 * @param cpuTime nanoseconds; no time passes here
 * @param cpu processor that it runs on; it is not said where that is
 * @see "xen/include/public/domctl.h"
 */
public record VcpuReport(int online, int blocked, int running, long cpuTime, long cpu) {}
