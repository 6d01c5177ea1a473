package io.hypercalld.iommu.pci;

import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

/**
 * Which numbers the buses behind a bridge can have, and where the functions behind it are then.
 * Immutable.
 *
 * @see "PCI-to-PCI Bridge Architecture 1.2 §3.2.5.3"
 */
record BusNumbering(Collection<PciFunction> functions, PciFunction bridge) {
  /** The functions on the buses behind the bridge; bridges among them with their own buses. */
  List<PciFunction> behind() {
    return bridge.buses().stream().flatMap(buses -> on(buses).stream()).toList();
  }

  private List<PciFunction> on(BusRange buses) {
    return functions.stream()
        .filter(function -> function.sbdf().segment() == bridge.sbdf().segment())
        .filter(function -> buses.contains(function.sbdf().bus()))
        .toList();
  }

  /**
   * Refuses buses that the bridge cannot have.
   *
   * @throws Refusal EINVAL it is no bridge, they are not numbered above its own, or are not among
   *     those that a bridge above it passes on; EBUSY somebody else has one of them
   */
  void require(BusRange wanted) {
    if (!bridge.kind().isBridge()) {
      throw Refusal.of(Errno.EINVAL, "%s is no bridge", bridge.sbdf());
    }
    if (wanted.secondary() <= bridge.sbdf().bus()) {
      throw Refusal.of(
          Errno.EINVAL, "the bus below %s has to be numbered higher than its own", bridge.sbdf());
    }
    List<PciFunction> moving = behind();
    for (PciFunction other : functions) {
      if (other.sbdf().segment() == bridge.sbdf().segment()
          && !other.sbdf().equals(bridge.sbdf())
          && !moving.contains(other)) {
        requireApart(other, wanted);
      }
    }
  }

  private void requireApart(PciFunction other, BusRange wanted) {
    Optional<BusRange> below = other.buses();
    boolean above = below.filter(buses -> buses.contains(bridge.sbdf().bus())).isPresent();
    if (above
        && !(below.get().contains(wanted.secondary())
            && below.get().contains(wanted.subordinate()))) {
      throw Refusal.of(
          Errno.EINVAL,
          "%s passes on buses %02x to %02x only",
          other.sbdf(),
          below.get().secondary(),
          below.get().subordinate());
    }
    boolean overlaps =
        below
            .filter(buses -> buses.secondary() <= wanted.subordinate())
            .filter(buses -> wanted.secondary() <= buses.subordinate())
            .isPresent();
    if (wanted.contains(other.sbdf().bus()) || (!above && overlaps)) {
      throw Refusal.of(
          Errno.EBUSY,
          "%s has one of the buses %02x to %02x",
          other.sbdf(),
          wanted.secondary(),
          wanted.subordinate());
    }
  }

  /**
   * The functions behind the bridge when its buses have other numbers: as far from the first one as
   * before.
   *
   * @throws Refusal EINVAL there are too few of them
   */
  List<PciFunction> moved(BusRange wanted) {
    int offset = wanted.secondary() - bridge.buses().map(BusRange::secondary).orElse(0);
    List<PciFunction> moved = behind();
    for (PciFunction function : moved) {
      int last = function.buses().map(BusRange::subordinate).orElse(function.sbdf().bus());
      if (!wanted.contains(last + offset)) {
        throw Refusal.of(
            Errno.EINVAL, "%s would be left without its bus or those below", function.sbdf());
      }
    }
    return moved.stream().map(function -> shifted(function, offset)).toList();
  }

  private static PciFunction shifted(PciFunction function, int offset) {
    PciFunction moved = function.at(shifted(function.sbdf(), offset));
    PciFunction linked =
        function
            .physicalFunction()
            .map(physical -> moved.asVirtualFunctionOf(shifted(physical, offset)))
            .orElse(moved);
    return linked.withBuses(
        function
            .buses()
            .map(buses -> new BusRange(buses.secondary() + offset, buses.subordinate() + offset)));
  }

  private static Sbdf shifted(Sbdf sbdf, int offset) {
    return new Sbdf(sbdf.segment(), sbdf.bus() + offset, sbdf.device(), sbdf.function());
  }
}
