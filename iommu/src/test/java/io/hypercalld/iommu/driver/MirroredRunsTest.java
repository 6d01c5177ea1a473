package io.hypercalld.iommu.driver;

import static io.hypercalld.iommu.driver.SimulatedMachine.NVME;
import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.p2m.Gfn;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.Test;

/** A separate table hears of pages that are populated in one call in runs, to the same effect. */
class MirroredRunsTest {
  private static final int PAGES = 1200;
  private static final long FIRST = 0x40100;

  @Test
  void populate_inOneCall_isAsPageByPage() {
    assertThat(populated((machine, guest) -> machine.add(guest, new Gfn(FIRST), PAGES)))
        .isEqualTo(
            populated(
                (machine, guest) -> {
                  for (long page = 0; page < PAGES; page++) {
                    machine.add(guest, FIRST + page);
                  }
                }));
  }

  @Test
  void populate_inOneCall_isToldOfInRuns() {
    try (SimulatedMachine machine = SimulatedMachine.boot()) {
      Domain guest = roomy(machine);
      List<Long> heard = new ArrayList<>();
      guest.p2m().announcements().observe(change -> heard.add(change.frames()));

      machine.add(guest, new Gfn(FIRST), PAGES);

      // More than two for a table only where the free frames have gaps.
      assertThat(heard).startsWith(1L, 255L, 1L).hasSizeLessThan(10);
      assertThat(heard.stream().mapToLong(frames -> frames).sum()).isEqualTo(PAGES);
    }
  }

  private static Domain roomy(SimulatedMachine machine) {
    Domain guest = machine.guest(4, true);
    guest.reservation().limit(4096);
    return guest;
  }

  private static String populated(BiConsumer<SimulatedMachine, Domain> populate) {
    try (SimulatedMachine machine = SimulatedMachine.boot()) {
      Domain guest = roomy(machine);
      machine.assign(NVME, guest);

      populate.accept(machine, guest);

      assertThat(machine.violations()).isEmpty();
      return machine.digest();
    }
  }
}
