package io.hypercalld.iommu.driver;

/**
 * The choices that hold for a whole machine. Immutable.
 *
 * @param domainIds how domain-ids are chosen
 * @param quarantine what becomes of devices that are taken from guests
 * @param profile which Xen the driver is
 */
public record DriverPolicies(
    DomainIdPolicy domainIds, Quarantine.Mode quarantine, Profile profile) {
  /** What Xen ships today. */
  public static DriverPolicies usual() {
    return new DriverPolicies(DomainIdPolicy.PER_UNIT, Quarantine.Mode.BASIC, Profile.TODAY);
  }
}
