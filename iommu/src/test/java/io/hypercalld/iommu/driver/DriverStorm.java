package io.hypercalld.iommu.driver;

import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.iommu.interrupt.DomainPirqs;
import io.hypercalld.iommu.interrupt.GuestFlags;
import io.hypercalld.iommu.interrupt.GuestMessage;
import io.hypercalld.iommu.interrupt.MessageRequest;
import io.hypercalld.iommu.interrupt.Pirq;
import io.hypercalld.iommu.pci.Sbdf;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * One machine, its devices' noise between any two of the driver's register writes, and what the
 * toolstack does meanwhile.
 */
final class DriverStorm {
  static final int PAGES = 16;
  private static final int MOST_GUESTS = 12;
  private static final FlushPolicy[] POLICIES = FlushPolicy.values();

  private final SimulatedMachine machine;
  private final RandomGenerator random;
  private final List<Domain> guests = new ArrayList<>();
  private final List<Sbdf> devices =
      Stream.concat(
              Stream.of(
                  SimulatedMachine.NVME,
                  SimulatedMachine.USB,
                  SimulatedMachine.SOUND,
                  SimulatedMachine.MODEM),
              IntStream.range(0, 8).mapToObj(SimulatedMachine::virtualFunction))
          .toList();
  private final boolean devicesWrite;
  private long shots;
  private long stale;

  DriverStorm(SimulatedMachine machine, long seed) {
    this(machine, seed, true);
  }

  /**
   * @param devicesWrite whether guests' devices write to memory; where somebody else turns
   *     translation off, that may be anybody's
   */
  DriverStorm(SimulatedMachine machine, long seed, boolean devicesWrite) {
    this.machine = machine;
    this.random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
    this.devicesWrite = devicesWrite;
    machine.betweenSteps = this::shoot;
  }

  /** What the devices asked for. */
  long shots() {
    return shots;
  }

  /** How often a guest was found whose changes units had not been told of. */
  long stale() {
    return stale;
  }

  List<Domain> guests() {
    return guests;
  }

  private Sbdf device() {
    return devices.get(random.nextInt(devices.size()));
  }

  /** Dom0's devices reach all of its memory, so they only read. */
  void shoot() {
    shots++;
    Sbdf device = device();
    boolean dom0s =
        machine
            .driver
            .devices()
            .find(device)
            .filter(found -> !found.owner().equals(DomainId.DOM0))
            .isEmpty();
    long page = random.nextInt(8) == 0 ? random.nextLong(1L << 36) : random.nextInt(PAGES + 4);
    switch (random.nextInt(devicesWrite && !dom0s ? 3 : 2)) {
      case 0 -> machine.read(device, page << 12, 8);
      case 1 -> machine.write(device, 0xfee0_0000L | random.nextInt(0x400) << 2, "31000000");
      default -> machine.write(device, page << 12, "a5");
    }
  }

  void step() {
    machine.driver.asOneCall(
        () -> {
          attempt();
          return shots;
        });
    for (int shot = random.nextInt(6); shot > 0; shot--) {
      shoot();
    }
  }

  private void attempt() {
    try {
      switch (random.nextInt(17)) {
        case 0 -> create();
        case 1 -> destroy();
        case 2, 3, 4 -> machine.assign(device(), guest());
        case 5, 6 -> machine.deassign(device(), random.nextBoolean() ? guest().id() : DomainId.IO);
        case 7 -> machine.remove(guest(), random.nextInt(PAGES));
        case 8 -> flushOtherwise(guest());
        case 9, 10 -> map(guest());
        case 11 -> bind(guest());
        case 12 -> unmap(guest());
        case 13 -> moveProcessors();
        case 14 -> machine.hypervisor.clock().advance(random.nextInt(2_000_000));
        default -> add(guest(), random.nextInt(PAGES));
      }
    } catch (Refusal expected) {
      // Most of what is asked at random is refused; what counts is what is left behind.
      assertThat(expected).hasMessageNotContaining("\n");
    }
  }

  private void flushOtherwise(Domain guest) {
    flushesOf(guest).choose(POLICIES[random.nextInt(POLICIES.length)]);
  }

  private static DomainFlushes flushesOf(Domain guest) {
    return guest.facet(DomainIommu.class).flushing();
  }

  private void map(Domain guest) {
    Domain dom0 = machine.hypervisor.domains().byId(DomainId.DOM0);
    int block = random.nextInt(4) == 0 ? 4 : 1;
    boolean msiX = block == 1 && random.nextBoolean();
    machine
        .interrupts
        .mapping()
        .mapMessages(
            dom0,
            guest,
            new MessageRequest(device(), -1, -1, msiX, msiX ? random.nextInt(4) : 0, block));
  }

  private long anyPirq(Domain guest) {
    List<Pirq> all = List.copyOf(guest.facet(DomainPirqs.class).all());
    return all.isEmpty() ? -1 : all.get(random.nextInt(all.size())).number();
  }

  private void bind(Domain guest) {
    GuestMessage message =
        GuestMessage.of(
            0x30 + random.nextInt(64), new GuestFlags(0x1_0000), new Word(0xf000_0000L));
    machine.interrupts.binding().bindMessage(guest, anyPirq(guest), message);
  }

  private void unmap(Domain guest) {
    machine.interrupts.mapping().unmap(guest, anyPirq(guest));
  }

  private void moveProcessors() {
    int processor = random.nextInt(machine.interrupts.processors().count());
    switch (random.nextInt(3)) {
      case 0 -> machine.interrupts.hotplug().offline(processor);
      case 1 -> machine.interrupts.hotplug().online(processor);
      default -> machine.interrupts.run(guest(), 0, Optional.of(processor));
    }
  }

  /** A page that is there already stays as it is. */
  private void add(Domain guest, long gfn) {
    if (!guest.p2m().lookup(new Gfn(gfn)).isMapped()) {
      machine.add(guest, gfn);
    }
  }

  private Domain guest() {
    if (guests.isEmpty()) {
      create();
    }
    return guests.get(random.nextInt(guests.size()));
  }

  private void create() {
    if (guests.size() < MOST_GUESTS) {
      guests.add(machine.guest(PAGES, random.nextBoolean()));
    }
  }

  private void destroy() {
    Domain guest = guest();
    machine.destroy(guest);
    guests.remove(guest);
  }

  /** What a guest lets wait is stale until units are told; nothing else ever is. */
  void tellUnits() {
    List<DomainFlushes> late =
        guests.stream().map(DriverStorm::flushesOf).filter(each -> each.waiting() > 0).toList();
    assertThat(late).allMatch(each -> each.policy() == FlushPolicy.DEFERRED);
    stale += late.size();
    late.forEach(DomainFlushes::flush);
  }

  void audit() {
    tellUnits();
    assertThat(machine.violations()).isEmpty();
  }
}
