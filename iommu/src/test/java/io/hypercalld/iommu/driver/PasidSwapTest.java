package io.hypercalld.iommu.driver;

import static io.hypercalld.iommu.driver.SimulatedMachine.NVME;
import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.memory.FrameRun;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.p2m.DmaPermission;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.iommu.unit.DmaSegment;
import io.hypercalld.iommu.vtd.FirstLevelEntry;
import io.hypercalld.iommu.vtd.PasidEntry;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** S1-D17: a device on its way from one kind of address space to another, and what it takes. */
class PasidSwapTest {
  private static final long ADDRESS = 0x3000;
  private static final int BELOW_GFN = 5;
  private static final int NESTED_GFN = 6;
  private static final int TABLE_GFN = 8;

  private final SimulatedMachine machine = SimulatedMachine.scalable(false);
  private final Domain guest = machine.guest(16);
  private final PciDevice device;
  private final IoContext context;
  private final NestedContext nested;

  PasidSwapTest() {
    machine.assign(NVME, guest);
    this.device = machine.driver.devices().find(NVME).orElseThrow();
    this.context = machine.driver.ioContexts().create(guest.id());
    this.nested = machine.driver.ioContexts().createNested(guest.id(), Optional.empty());
    context.map(
        new FrameRun(ADDRESS >>> 12, 1),
        new Mfn(maddr(BELOW_GFN) >>> 12),
        DmaPermission.READ_WRITE);
    for (int level = 4; level > 1; level--) {
      long table = TABLE_GFN + 4L - level;
      store(table, 0, FirstLevelEntry.table((table + 1) << 12));
    }
    store(TABLE_GFN + 3, ADDRESS >>> 12, leaf());
  }

  private static long leaf() {
    return FirstLevelEntry.leaf((long) NESTED_GFN << 12, PageSize.SIZE_4K, true);
  }

  private void store(long gfn, long index, long entry) {
    machine.hypervisor.memory().writeWord(maddr(gfn) + index * Long.BYTES, entry);
  }

  private long maddr(long gfn) {
    return guest.p2m().lookup(new Gfn(gfn)).mfn().maddr();
  }

  @AfterEach
  void allIsConsistent() {
    assertThat(machine.violations()).isEmpty();
    machine.close();
  }

  /** What a device can be pointed at. */
  private enum Way {
    DEFAULT,
    OWN,
    SHADOW,
    NESTED
  }

  static Stream<List<Way>> switches() {
    return Stream.of(Way.values())
        .flatMap(from -> Stream.of(Way.values()).map(to -> List.of(from, to)));
  }

  private void point(Way way) {
    switch (way) {
      case DEFAULT -> machine.driver.ioContexts().point(device, Optional.<IoContext>empty());
      case OWN -> point(new PasidSpace.Own());
      case SHADOW -> point(new PasidSpace.Through(context));
      case NESTED ->
          point(new PasidSpace.Nested(nested, PasidEntry.firstLevel((long) TABLE_GFN << 12, 1)));
    }
  }

  private void point(PasidSpace space) {
    machine
        .driver
        .ioContexts()
        .point(device, new PasidView(false, true, 0, new TreeMap<>(Map.of(0, space))));
  }

  private long expected(Way way) {
    return switch (way) {
      case DEFAULT, OWN -> maddr(ADDRESS >>> 12);
      case SHADOW -> maddr(BELOW_GFN);
      case NESTED -> maddr(NESTED_GFN);
    };
  }

  private long arrival() {
    DmaSegment.End end = machine.read(NVME, ADDRESS, 4).segments().getFirst().end();
    return end instanceof DmaSegment.Moved moved ? moved.maddr() : -1;
  }

  @ParameterizedTest
  @MethodSource("switches")
  void switching_whileDmaGoesOn_isTheOldMappingOrTheNewOneAtEveryStep(List<Way> ways) {
    long old = expected(ways.getFirst());
    long now = expected(ways.getLast());
    point(ways.getFirst());
    assertThat(arrival()).isEqualTo(old);
    List<Long> arrived = new ArrayList<>();
    machine.betweenSteps = () -> arrived.add(arrival());

    point(ways.getLast());

    machine.betweenSteps = () -> {};
    assertThat(arrived).allMatch(each -> each == old || each == now);
    assertThat(arrived).isSortedAccordingTo((a, b) -> Boolean.compare(a == now, b == now));
    assertThat(arrival()).isEqualTo(now);
  }

  @ParameterizedTest
  @MethodSource("switches")
  void switching_withoutMemory_leavesEverythingAsItWas(List<Way> ways) {
    point(ways.getFirst());
    assertThat(arrival()).isEqualTo(expected(ways.getFirst()));
    String before = machine.digest();
    machine.hypervisor.allocator().runOutAfter(0);

    boolean changes = !ways.getFirst().equals(ways.getLast());
    if (changes) {
      assertThat(SimulatedMachine.refusalOf(() -> point(ways.getLast()))).isEqualTo(Errno.ENOMEM);
    }

    machine.hypervisor.allocator().runOutNever();
    assertThat(machine.digest()).isEqualTo(before);
    assertThat(arrival()).isEqualTo(expected(ways.getFirst()));
  }

  @Test
  void switchingThereAndBack_givesBackEveryFrameAndDomainId() {
    point(Way.DEFAULT);
    long free = machine.hypervisor.allocator().freeFrames();
    int used = machine.unit(1).domainIds().used();

    point(Way.NESTED);
    assertThat(machine.unit(1).domainIds().used()).isEqualTo(used + 1);
    point(Way.SHADOW);
    point(Way.DEFAULT);

    assertThat(machine.hypervisor.allocator().freeFrames()).isEqualTo(free);
    assertThat(machine.unit(1).domainIds().used()).isEqualTo(used);
  }

  @Test
  void deviceThatIsTakenAway_leavesNothingOfItsPasids() {
    point(Way.NESTED);

    machine.deassign(NVME, guest.id());

    assertThat(device.pasids()).isEmpty();
    assertThat(machine.unit(1).domainIds().find(nested.tag())).isEmpty();
    assertThat(machine.unit(1).contextWords(NVME.sourceId()).isPresent()).isFalse();
  }

  @Test
  void pageThatGoes_isForgottenByWhatIsNestedOnTheP2m() {
    point(Way.NESTED);
    assertThat(arrival()).isEqualTo(maddr(NESTED_GFN));

    machine.remove(guest, NESTED_GFN);

    assertThat(arrival()).isEqualTo(-1);
  }

  @Test
  void nesting_onAUnitInLegacyMode_isRefused() {
    try (SimulatedMachine legacy = SimulatedMachine.boot()) {
      Domain other = legacy.guest(16);
      legacy.assign(NVME, other);
      PciDevice nvme = legacy.driver.devices().find(NVME).orElseThrow();
      NestedContext made = legacy.driver.ioContexts().createNested(other.id(), Optional.empty());
      PasidSpace space = new PasidSpace.Nested(made, PasidEntry.firstLevel(0x8000, 1));
      PasidView view = new PasidView(false, true, 0, new TreeMap<>(Map.of(0, space)));
      String before = legacy.digest();

      Errno refused =
          SimulatedMachine.refusalOf(() -> legacy.driver.ioContexts().point(nvme, view));

      assertThat(refused).isEqualTo(Errno.EOPNOTSUPP);
      assertThat(legacy.digest()).isEqualTo(before);
    }
  }
}
