package io.hypercalld.core.domain;

/**
 * What the machine offers to domains. Immutable.
 *
 * @param iommu whether it has remapping units
 * @param snoop whether all of them can snoop
 */
public record Host(boolean iommu, boolean snoop) {}
