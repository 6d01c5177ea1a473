package io.hypercalld.iommu.interrupt;

import java.util.Optional;

/**
 * An interrupt of the machine under the number that a domain knows. Immutable.
 *
 * @param number in the domain
 * @param irq of the machine
 * @param binding what the domain gets; empty while it has bound nothing
 */
public record Pirq(int number, int irq, Optional<GuestBinding> binding) {
  Pirq with(Optional<GuestBinding> other) {
    return new Pirq(number, irq, other);
  }
}
