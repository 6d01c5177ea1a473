package io.hypercalld.iommu.interrupt;

import io.hypercalld.core.domain.DomainId;
import java.util.List;
import java.util.OptionalInt;

/**
 * An interrupt of the machine that was passed on to a domain. Immutable.
 *
 * @param vcpus that took it; several where the domain wants it so, none where none is eligible
 * @param vector in the domain; empty where it asserted a wire
 */
public record GuestArrival(DomainId domain, List<Integer> vcpus, OptionalInt vector) {}
