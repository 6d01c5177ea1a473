package io.hypercalld.iommu.interrupt;

/**
 * How a pin of an I/O APIC is to be set: level triggered, as the hypervisor has them all.
 * Immutable.
 *
 * @param at where its interrupt goes
 */
record PinSetting(ProcessorVector at, boolean masked) {}
