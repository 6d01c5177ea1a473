package io.hypercalld.iommu.driver;

import static io.hypercalld.iommu.driver.SimulatedMachine.NVME;
import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.iommu.unit.DmaSegment;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** B180: DMA between any two steps of a reassignment. */
class AtomicSwapTest {
  private static final long ADDRESS = 0x3000;

  static Stream<SimulatedMachine> machines() {
    return Stream.of(
        SimulatedMachine.boot(),
        SimulatedMachine.withCachingMode(),
        SimulatedMachine.scalable(false),
        SimulatedMachine.scalable(true));
  }

  /** JUnit closes the machine. */
  @ParameterizedTest
  @MethodSource("machines")
  void reassignment_whileDmaGoesOn_isTheOldMappingOrTheNewOneAtEveryStep(SimulatedMachine machine) {
    Domain guest = machine.guest(16);
    long old = maddrOf(machine.hypervisor.domains().byId(DomainId.DOM0));
    long now = maddrOf(guest);
    assertThat(arrival(machine)).isEqualTo(old);
    List<Long> arrived = new ArrayList<>();
    machine.betweenSteps = () -> arrived.add(arrival(machine));

    machine.assign(NVME, guest);

    assertThat(arrived).hasSizeGreaterThanOrEqualTo(2).containsOnly(old, now);
    assertThat(arrived).isSortedAccordingTo((a, b) -> Boolean.compare(a == now, b == now));
    machine.betweenSteps = () -> {};
    assertThat(arrival(machine)).isEqualTo(now);
  }

  private static long maddrOf(Domain domain) {
    return domain.p2m().lookup(new Gfn(ADDRESS >>> 12)).mfn().maddr();
  }

  private static long arrival(SimulatedMachine machine) {
    DmaSegment.End end = machine.read(NVME, ADDRESS, 4).segments().getFirst().end();
    assertThat(end).isInstanceOf(DmaSegment.Moved.class);
    return ((DmaSegment.Moved) end).maddr();
  }
}
