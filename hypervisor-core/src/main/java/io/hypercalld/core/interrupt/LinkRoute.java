package io.hypercalld.core.interrupt;

/**
 * Where a PCI link leads. Immutable.
 *
 * @param link 0 to 3
 * @param irq ISA line from 1 on; 0 for none
 */
public record LinkRoute(int link, int irq) {}
