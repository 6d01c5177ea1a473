package io.hypercalld.iommu.driver;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** A unit with 65,536 ids, all of them in use, works as with ten. */
class ManyDomainsTest {
  private static final int ALL = CrowdedDriver.ALL;

  @Test
  void today_assignDeassignAndFlush_costTheSameWithAllIdsInUseAsWithTen() {
    try (CrowdedDriver driver = new CrowdedDriver(Profile.TODAY).crowd(0, 9)) {
      long assignOfTen = driver.accessesOf(() -> driver.assign(9));
      long flushOfTen = driver.accessesOf(() -> driver.flushPage(9));
      long deassignOfTen = driver.accessesOf(() -> driver.deassign(9));

      driver.crowd(9, ALL - 1);

      assertThat(driver.accessesOf(() -> driver.assign(ALL - 1))).isEqualTo(assignOfTen);
      assertThat(driver.domainIds().used()).isEqualTo(ALL);
      assertThat(driver.accessesOf(() -> driver.flushPage(ALL - 1)))
          .isEqualTo(flushOfTen)
          .isPositive();
      assertThat(driver.accessesOf(() -> driver.deassign(ALL - 1)))
          .isEqualTo(deassignOfTen)
          .isPositive();
      assertThat(driver.domainIds().used()).isEqualTo(ALL - 1);
      assertThat(driver.domainIds().scans()).isZero();
    }
  }

  @Test
  void shipped_flush_readsTheMapUpToTheDomainsSlot() {
    try (CrowdedDriver driver = new CrowdedDriver(Profile.AS_SHIPPED).crowd(0, 1000)) {
      long before = driver.domainIds().scans();

      driver.flushPage(999);

      assertThat(driver.domainIds().scans() - before).isEqualTo(1000);
    }
  }
}
