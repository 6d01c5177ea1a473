package io.hypercalld.iommu.driver;

import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.transaction.Transaction;
import java.util.List;

/** The passage from some policies of the driver to others. Immutable. */
record PolicyChange(VtdDriver driver, DriverPolicies now, DriverPolicies wanted) {
  /**
   * Has domain-ids and quarantine follow.
   *
   * @throws Refusal EBUSY domain-ids or quarantine are to change while a device is a guest's or in
   *     quarantine; EBUSY, EFAULT there are too few domain-ids. Nothing changed
   */
  void carryOut(Quarantine quarantine) {
    if (wanted.domainIds() != now.domainIds() || wanted.quarantine() != now.quarantine()) {
      requireNothingGiven();
    }
    if (wanted.domainIds() != now.domainIds() || wanted.profile() != now.profile()) {
      Transaction.run(this::renumber);
    }
    quarantine.choose(wanted.quarantine());
  }

  private void requireNothingGiven() {
    driver.devices().all().stream()
        .filter(device -> !device.owner().equals(DomainId.DOM0))
        .filter(device -> !device.owner().equals(DomainId.XEN))
        .findFirst()
        .ifPresent(
            device -> {
              throw Refusal.of(
                  Errno.EBUSY,
                  "%s is %s's: only dom0 may have devices",
                  device.sbdf(),
                  device.owner());
            });
  }

  /** Everybody's ids are chosen anew; nobody's DMA is under way in between. */
  private VtdDriver renumber(Transaction steps) {
    List<UnitDriver> units = driver.units();
    List<DomainIds> spaces =
        wanted
            .domainIds()
            .ofUnits(units.stream().map(UnitDriver::capabilities).toList(), wanted.profile());
    // Ids mean other tables on the way, in both directions.
    steps.onFailure(() -> units.forEach(UnitDriver::forgetAll));
    units.forEach(unit -> unit.domainIds().replace(steps, spaces.get(unit.index())));
    driver
        .devices()
        .all()
        .forEach(device -> driver.contexts().pointAt(steps, device, device.owner()));
    units.forEach(UnitDriver::forgetAll);
    return driver;
  }
}
