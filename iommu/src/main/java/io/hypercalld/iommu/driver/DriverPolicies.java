package io.hypercalld.iommu.driver;

/**
 * The choices that hold for a whole machine. Immutable.
 *
 * @param domainIds how domain-ids are chosen
 * @param quarantine what becomes of devices that are taken from guests
 * @param profile which Xen the driver is
 * @param flush when units are told of what changes in the tables of new domains
 */
public record DriverPolicies(
    DomainIdPolicy domainIds, Quarantine.Mode quarantine, Profile profile, FlushPolicy flush) {
  /** With units told of every change at once. */
  public DriverPolicies(DomainIdPolicy domainIds, Quarantine.Mode quarantine, Profile profile) {
    this(domainIds, quarantine, profile, FlushPolicy.PER_PAGE);
  }

  /** What Xen ships today. */
  public static DriverPolicies usual() {
    return new DriverPolicies(DomainIdPolicy.PER_UNIT, Quarantine.Mode.BASIC, Profile.TODAY);
  }
}
