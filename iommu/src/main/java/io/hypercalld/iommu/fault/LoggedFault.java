package io.hypercalld.iommu.fault;

import io.hypercalld.core.domain.DomainId;
import io.hypercalld.iommu.driver.FaultRegisters;
import io.hypercalld.iommu.pci.Sbdf;
import java.util.Optional;

/**
 * A fault that was read out of a unit. Immutable.
 *
 * @param number counts the machine's faults, from 1
 * @param time nanoseconds since power-on
 * @param iommu the unit that recorded it
 * @param sbdf the requester
 * @param domain whose request it was; {@link DomainId#IO} in quarantine, empty where nobody knows
 * @param taken the record and where it was
 */
public record LoggedFault(
    long number,
    long time,
    int iommu,
    Sbdf sbdf,
    Optional<DomainId> domain,
    FaultRegisters.Taken taken) {}
