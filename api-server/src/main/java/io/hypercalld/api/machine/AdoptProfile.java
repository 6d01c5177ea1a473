package io.hypercalld.api.machine;

import io.hypercalld.iommu.driver.Profile;

/** Has devices handled as another Xen handles them from now on. */
public record AdoptProfile(Profile profile) implements MachineCommand<Profile> {
  @Override
  public Profile execute(Machine machine) {
    machine.driver().adopt(profile);
    return profile;
  }
}
