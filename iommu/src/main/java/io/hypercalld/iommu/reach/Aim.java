package io.hypercalld.iommu.reach;

import io.hypercalld.core.interrupt.Interrupt;
import java.util.Optional;
import java.util.function.IntFunction;

/**
 * One way of a kind of source to send an interrupt to a processor. Immutable.
 *
 * @param missing why the domain has no such way; empty where it has
 * @param at what arrives when it is aimed at an APIC id as well as the format can
 */
record Aim(
    SourceKind kind,
    AimFormat format,
    Optional<String> missing,
    IntFunction<Optional<Interrupt>> at) {
  /** A way that the domain has. */
  static Aim of(SourceKind kind, AimFormat format, IntFunction<Optional<Interrupt>> at) {
    return new Aim(kind, format, Optional.empty(), at);
  }

  /** The same, unless something is in its way. */
  Aim unless(Optional<String> obstacle) {
    return new Aim(kind, format, missing.or(() -> obstacle), at);
  }
}
