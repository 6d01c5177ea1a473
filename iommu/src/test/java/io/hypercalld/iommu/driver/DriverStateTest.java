package io.hypercalld.iommu.driver;

import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.iommu.pci.Sbdf;
import io.hypercalld.iommu.unit.DmaOutcome.Verdict;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Random guests, assignments, mappings and DMA against a model of who may reach what. */
class DriverStateTest {
  private static final int STEPS = 10_000;
  private static final int PAGES = 24;
  private static final int MAX_GUESTS = 20;

  /** What the model knows of a guest: which of its pages are there. */
  private record Guest(Domain domain, TreeSet<Long> pages) {}

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4})
  void randomSteps_keepEveryInvariant_andEndAtTheBaseline(long seed) {
    String first = run(seed);

    assertThat(run(seed)).isEqualTo(first);
  }

  private static String run(long seed) {
    try (SimulatedMachine machine = machine((int) seed)) {
      Walk walk = new Walk(machine, RandomGeneratorFactory.of("L64X128MixRandom").create(seed));
      long free = machine.hypervisor.allocator().freeFrames();
      for (int step = 0; step < STEPS; step++) {
        walk.step();
        if (step % 50 == 0) {
          walk.audit();
        }
      }
      String digest = machine.digest();
      walk.endAll();
      walk.audit();
      // The private table of the device with a reserved region stays for good.
      long kept =
          machine
                  .driver
                  .devices()
                  .find(SimulatedMachine.USB)
                  .orElseThrow()
                  .quarantineTag()
                  .isPresent()
              ? 3
              : 0;
      assertThat(machine.hypervisor.allocator().freeFrames()).isEqualTo(free - kept);
      assertThat(machine.driver.devices().all())
          .allMatch(device -> device.owner().equals(DomainId.DOM0));
      return digest;
    }
  }

  private static SimulatedMachine machine(int seed) {
    return switch (seed) {
      case 1 -> SimulatedMachine.boot();
      case 2 -> SimulatedMachine.withCachingMode();
      default -> SimulatedMachine.scalable(seed == 4);
    };
  }

  /** One random walk and its model. */
  private static final class Walk {
    private final SimulatedMachine machine;
    private final RandomGenerator random;
    private final List<Guest> guests = new ArrayList<>();
    private final Map<Sbdf, Optional<Guest>> owners = new TreeMap<>();
    private final List<Sbdf> devices = new ArrayList<>(SimulatedMachine.virtualFunctions());

    Walk(SimulatedMachine machine, RandomGenerator random) {
      this.machine = machine;
      this.random = random;
      devices.addAll(
          List.of(
              SimulatedMachine.NVME,
              SimulatedMachine.USB,
              SimulatedMachine.SOUND,
              SimulatedMachine.MODEM));
    }

    void step() {
      int dice = random.nextInt(100);
      if (guests.isEmpty() || (dice < 5 && guests.size() < MAX_GUESTS)) {
        create();
      } else if (dice < 8) {
        end(guests.get(random.nextInt(guests.size())));
      } else if (dice < 25) {
        assign();
      } else if (dice < 38) {
        deassign(devices.get(random.nextInt(devices.size())));
      } else if (dice < 45) {
        shrink(guests.get(random.nextInt(guests.size())));
      } else if (dice < 52) {
        grow(guests.get(random.nextInt(guests.size())));
      } else {
        dma(devices.get(random.nextInt(devices.size())));
      }
    }

    private void create() {
      Domain domain = machine.guest(PAGES, random.nextBoolean());
      TreeSet<Long> pages = new TreeSet<>();
      for (long gfn = 0; gfn < PAGES; gfn++) {
        pages.add(gfn);
      }
      guests.add(new Guest(domain, pages));
    }

    private void end(Guest guest) {
      machine.destroy(guest.domain());
      guests.remove(guest);
      owners.replaceAll((_, owner) -> owner.filter(other -> !other.equals(guest)));
    }

    private void assign() {
      Guest guest = guests.get(random.nextInt(guests.size()));
      Sbdf device = devices.get(random.nextInt(devices.size()));
      String before = machine.digest();
      try {
        machine.assign(device, guest.domain());
        owners.put(device, Optional.of(guest));
      } catch (Refusal refusal) {
        assertThat(refusal.errno()).isIn(Errno.EBUSY);
        assertThat(machine.digest()).isEqualTo(before);
      }
    }

    /** An owner that is there but empty means quarantine; no entry means dom0. */
    private void deassign(Sbdf device) {
      Optional<Guest> owner = owners.get(device);
      if (owner == null) {
        return;
      }
      machine.deassign(device, owner.map(guest -> guest.domain().id()).orElse(DomainId.IO));
      if (owner.isPresent()) {
        owners.put(device, Optional.empty());
      } else {
        owners.remove(device);
      }
    }

    private void shrink(Guest guest) {
      long gfn = random.nextInt(PAGES);
      if (guest.pages().remove(gfn)) {
        machine.remove(guest.domain(), gfn);
      }
    }

    private void grow(Guest guest) {
      long gfn = random.nextInt(PAGES);
      if (guest.pages().add(gfn)) {
        machine.add(guest.domain(), gfn);
      }
    }

    private void dma(Sbdf device) {
      Optional<Guest> owner = owners.get(device);
      long gfn = random.nextInt(PAGES + 4);
      boolean reaches =
          owner == null || owner.filter(guest -> guest.pages().contains(gfn)).isPresent();

      Verdict verdict = machine.write(device, gfn << 12, "a5").verdict();

      assertThat(verdict).isEqualTo(reaches ? Verdict.DONE : Verdict.BLOCKED);
      if (owner != null && reaches) {
        long maddr = owner.orElseThrow().domain().p2m().lookup(new Gfn(gfn)).mfn().maddr();
        assertThat(machine.hypervisor.memory().readInt(maddr) & 0xff).isEqualTo(0xa5);
      }
    }

    void endAll() {
      List.copyOf(guests).forEach(this::end);
      List.copyOf(owners.keySet()).forEach(this::deassign);
    }

    void audit() {
      assertThat(machine.violations()).isEmpty();
    }
  }
}
