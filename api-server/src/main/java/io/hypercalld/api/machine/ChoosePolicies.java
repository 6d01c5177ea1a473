package io.hypercalld.api.machine;

import io.hypercalld.core.domain.VcpuLimit;
import io.hypercalld.iommu.driver.DomainIdPolicy;
import io.hypercalld.iommu.driver.DriverPolicies;
import io.hypercalld.iommu.driver.FlushPolicy;
import io.hypercalld.iommu.driver.Profile;
import io.hypercalld.iommu.driver.Quarantine;
import java.util.Locale;
import java.util.Optional;

/**
 * Has devices handled otherwise from now on; what is left out stays as it is.
 *
 * <p>Refused with EBUSY where domain-ids or quarantine are to change while a device is a guest's or
 * in quarantine, and with EINVAL a limit of vCPUs that none can be.
 */
public record ChoosePolicies(
    Optional<DomainIdPolicy> domainIds,
    Optional<Quarantine.Mode> quarantine,
    Optional<Profile> profile,
    Optional<FlushPolicy> flush,
    Optional<Toggle> intpost,
    Optional<Toggle> ats,
    Optional<Toggle> viommu,
    Optional<Integer> maxVcpus)
    implements MachineCommand<DriverPolicies> {
  /** Nothing is chosen. */
  public static final ChoosePolicies NONE =
      new ChoosePolicies(
          Optional.empty(),
          Optional.empty(),
          Optional.empty(),
          Optional.empty(),
          Optional.empty(),
          Optional.empty(),
          Optional.empty(),
          Optional.empty());

  /** These choices, and another's where there is none. */
  public ChoosePolicies or(ChoosePolicies other) {
    return new ChoosePolicies(
        domainIds.or(other::domainIds),
        quarantine.or(other::quarantine),
        profile.or(other::profile),
        flush.or(other::flush),
        intpost.or(other::intpost),
        ats.or(other::ats),
        viommu.or(other::viommu),
        maxVcpus.or(other::maxVcpus));
  }

  /** Xen's boolean options. */
  public enum Toggle {
    OFF,
    ON;

    /** As the policy spells it. */
    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  @Override
  public DriverPolicies execute(Machine machine) {
    intpost.ifPresent(wanted -> machine.interrupts().posting().require(wanted == Toggle.ON));
    maxVcpus.ifPresent(VcpuLimit::require);
    DriverPolicies now = machine.driver().policies();
    machine
        .driver()
        .choose(
            new DriverPolicies(
                domainIds.orElse(now.domainIds()),
                quarantine.orElse(now.quarantine()),
                profile.orElse(now.profile()),
                flush.orElse(now.flush())));
    intpost.ifPresent(wanted -> machine.interrupts().posting().set(wanted == Toggle.ON));
    ats.ifPresent(wanted -> machine.driver().allowDeviceTlbs(wanted == Toggle.ON));
    viommu.ifPresent(wanted -> machine.virtualIommus().allow(wanted == Toggle.ON));
    maxVcpus.ifPresent(machine.hypervisor().domains().vcpuLimit()::choose);
    return machine.driver().policies();
  }
}
