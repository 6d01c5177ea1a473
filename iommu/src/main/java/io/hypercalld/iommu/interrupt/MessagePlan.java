package io.hypercalld.iommu.interrupt;

import io.hypercalld.iommu.driver.PciDevice;
import java.util.OptionalInt;

/**
 * One message that a function is to be given. Immutable.
 *
 * @param msiX whether it is an entry of the MSI-X table
 * @param entry of the table; of a block its place in the block
 * @param block messages that are enabled together
 * @param base remapping entry of the block's first message; empty where it is to be found
 */
record MessagePlan(PciDevice device, boolean msiX, int entry, int block, OptionalInt base) {}
