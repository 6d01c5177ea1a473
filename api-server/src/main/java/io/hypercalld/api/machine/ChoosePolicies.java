package io.hypercalld.api.machine;

import io.hypercalld.iommu.driver.DomainIdPolicy;
import io.hypercalld.iommu.driver.DriverPolicies;
import io.hypercalld.iommu.driver.Profile;
import io.hypercalld.iommu.driver.Quarantine;
import java.util.Optional;

/**
 * Has devices handled otherwise from now on; what is left out stays as it is.
 *
 * <p>Refused with EBUSY where domain-ids or quarantine are to change while a device is a guest's or
 * in quarantine.
 */
public record ChoosePolicies(
    Optional<DomainIdPolicy> domainIds,
    Optional<Quarantine.Mode> quarantine,
    Optional<Profile> profile,
    Optional<Posting> intpost)
    implements MachineCommand<DriverPolicies> {
  /** Whether interrupts are posted: {@code iommu=intpost}. */
  public enum Posting {
    OFF,
    ON
  }

  @Override
  public DriverPolicies execute(Machine machine) {
    intpost.ifPresent(wanted -> machine.interrupts().posting().require(wanted == Posting.ON));
    DriverPolicies now = machine.driver().policies();
    machine
        .driver()
        .choose(
            new DriverPolicies(
                domainIds.orElse(now.domainIds()),
                quarantine.orElse(now.quarantine()),
                profile.orElse(now.profile())));
    intpost.ifPresent(wanted -> machine.interrupts().posting().set(wanted == Posting.ON));
    return machine.driver().policies();
  }
}
