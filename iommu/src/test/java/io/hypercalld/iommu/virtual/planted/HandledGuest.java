package io.hypercalld.iommu.virtual.planted;

import io.hypercalld.iommu.fault.planted.SilentFault;

/** A guest's unit that reaches up to those who hear of the machine's faults. */
public record HandledGuest(SilentFault fault) {}
