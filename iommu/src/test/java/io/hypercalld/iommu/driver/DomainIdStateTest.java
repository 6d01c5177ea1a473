package io.hypercalld.iommu.driver;

import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.iommu.pci.Sbdf;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Random assignment, its end and destruction, with ids chosen in every sound way. */
class DomainIdStateTest {
  private static final int STEPS = 10_000;
  private static final int MOST_GUESTS = 20;

  @ParameterizedTest
  @CsvSource({
    "PER_UNIT, BASIC, TODAY",
    "PER_UNIT, SCRATCH_PAGE, FIXED",
    "PER_UNIT, OFF, TODAY",
    "GLOBAL, BASIC, FIXED",
    "VERBATIM, OFF, FIXED"
  })
  void randomSteps_keepIdsAndEntriesTogether_andEndWithDom0sIdsAlone(
      DomainIdPolicy ids, Quarantine.Mode quarantine, Profile profile) {
    try (SimulatedMachine machine =
        SimulatedMachine.with(new DriverPolicies(ids, quarantine, profile))) {
      Walk walk = new Walk(machine);
      for (int step = 0; step < STEPS; step++) {
        walk.step();
        if (step % 250 == 0) {
          walk.audit();
        }
      }

      walk.end();

      walk.audit();
      machine.driver.units().forEach(DomainIdStateTest::hasOnlyDom0AndQuarantine);
    }
  }

  private static void hasOnlyDom0AndQuarantine(UnitDriver unit) {
    assertThat(unit.domainIds().inUse())
        .extracting(DomainIds.Use::owner)
        .allMatch(owner -> owner.equals(DomainId.DOM0) || owner.value() >= 0x8000)
        .contains(DomainId.DOM0);
  }

  /** One random walk. */
  private static final class Walk {
    private final SimulatedMachine machine;
    private final RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(15);
    private final List<Domain> guests = new ArrayList<>();
    private final List<Sbdf> devices = new ArrayList<>(SimulatedMachine.virtualFunctions());

    Walk(SimulatedMachine machine) {
      this.machine = machine;
      devices.addAll(
          List.of(
              SimulatedMachine.NVME,
              SimulatedMachine.USB,
              SimulatedMachine.SOUND,
              SimulatedMachine.MODEM));
    }

    void step() {
      int dice = random.nextInt(100);
      if (guests.isEmpty() || (dice < 4 && guests.size() < MOST_GUESTS)) {
        guests.add(machine.guest(1));
      } else if (dice < 7) {
        machine.destroy(guests.remove(random.nextInt(guests.size())));
      } else if (dice < 60) {
        assign(guests.get(random.nextInt(guests.size())));
      } else {
        deassign(devices.get(random.nextInt(devices.size())));
      }
    }

    private void assign(Domain guest) {
      Sbdf device = devices.get(random.nextInt(devices.size()));
      boolean lookAtState = random.nextInt(20) == 0;
      String before = lookAtState ? machine.digest() : "";
      try {
        machine.assign(device, guest);
      } catch (Refusal refusal) {
        assertThat(refusal.errno()).isIn(Errno.EBUSY, Errno.EFAULT, Errno.EINVAL);
        assertThat(lookAtState ? machine.digest() : "").isEqualTo(before);
      }
    }

    private void deassign(Sbdf device) {
      DomainId owner = machine.driver.devices().find(device).orElseThrow().owner();
      if (!owner.equals(DomainId.DOM0)) {
        machine.deassign(device, owner);
      }
    }

    void end() {
      guests.forEach(machine::destroy);
      devices.forEach(this::deassign);
    }

    void audit() {
      assertThat(machine.violations()).isEmpty();
    }
  }
}
