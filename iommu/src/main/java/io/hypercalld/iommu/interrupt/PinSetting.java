package io.hypercalld.iommu.interrupt;

/**
 * How a pin of an I/O APIC is to be set. Immutable.
 *
 * @param at where its interrupt goes
 * @param level whether it is level triggered
 */
record PinSetting(ProcessorVector at, boolean level, boolean masked) {}
