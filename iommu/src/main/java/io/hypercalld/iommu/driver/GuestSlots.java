package io.hypercalld.iommu.driver;

import io.hypercalld.iommu.pci.Sbdf;
import java.util.Collection;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.IntStream;

/** Where a guest sees the devices that it is given. Immutable. */
final class GuestSlots {
  /** Below lie the emulated host bridge, its companions, and the graphics adapter. */
  private static final int FIRST_SLOT = 4;

  private static final int SLOTS = 32;
  private static final int FUNCTIONS = 8;

  private GuestSlots() {}

  /**
   * The first free place on bus 0: a slot of its own, and when slots run out a further function of
   * a slot. Empty when even those have run out.
   */
  static Optional<Sbdf> firstFree(Collection<PciDevice> present) {
    Predicate<Sbdf> free = place -> !isTaken(present, place);
    return IntStream.range(0, FUNCTIONS)
        .boxed()
        .flatMap(
            function ->
                IntStream.range(FIRST_SLOT, SLOTS).mapToObj(slot -> new Sbdf(0, 0, slot, function)))
        .filter(free)
        .findFirst();
  }

  static boolean isTaken(Collection<PciDevice> present, Sbdf place) {
    return present.stream()
        .anyMatch(device -> device.guestAddress().filter(place::equals).isPresent());
  }
}
