package io.hypercalld.iommu.interrupt;

import io.hypercalld.core.interrupt.PciLine;

/**
 * An interrupt line that a domain sees. Immutable.
 *
 * @param bus told only to find it again
 */
public record GuestLine(int bus, PciLine line) {}
