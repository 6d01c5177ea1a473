package io.hypercalld.iommu.driver;

import static io.hypercalld.iommu.driver.SimulatedMachine.USB;
import static io.hypercalld.iommu.driver.SimulatedMachine.USB_REGION;
import static io.hypercalld.iommu.driver.SimulatedMachine.refusalOf;
import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.transaction.Transaction;
import io.hypercalld.iommu.platform.ReservedRegion;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ReservedRegionsTest {
  private final SimulatedMachine machine = SimulatedMachine.boot();

  @AfterEach
  void stop() {
    machine.close();
  }

  /** B160; firmware's own regions never overlap, since such a table is refused. */
  @Test
  void acquire_ofARegionThatOverlapsAnother_isRefusedAndChangesNothing() {
    Domain guest = machine.guest(1);
    machine.assign(USB, guest);
    ReservedRegions regions = guest.facet(DomainIommu.class).reservedRegions();
    ReservedRegion overlapping =
        new ReservedRegion(USB_REGION.base() - 0x1000, USB_REGION.base() + 0xfff, List.of(USB));
    String before = machine.digest();

    for (boolean relaxed : new boolean[] {false, true}) {
      assertThat(refusalOf(() -> acquire(regions, overlapping, relaxed)))
          .isEqualTo(Errno.EADDRINUSE);
    }

    assertThat(machine.digest()).isEqualTo(before);
  }

  private static void acquire(ReservedRegions regions, ReservedRegion region, boolean relaxed) {
    Transaction.run(
        steps -> {
          regions.acquire(steps, region, relaxed);
          return region;
        });
  }
}
