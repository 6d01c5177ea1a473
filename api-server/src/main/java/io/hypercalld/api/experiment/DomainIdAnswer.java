package io.hypercalld.api.experiment;

import io.hypercalld.iommu.driver.DomainIdPolicy;
import io.hypercalld.iommu.driver.Profile;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * How far domain-ids went. Immutable.
 *
 * @param units of the platform
 * @param idsPerUnit that each unit tells apart
 */
public record DomainIdAnswer(
    DomainIdQuestion question,
    int units,
    int idsPerUnit,
    List<Capacity> capacity,
    List<Placement> placement,
    List<Flush> flushes,
    List<Reuse> reuse,
    List<Race> races,
    List<Release> releases)
    implements Findings {

  /**
   * Guests with a virtual function each, as many as there can be.
   *
   * @param guests that got one
   * @param overflowing those among them whose id no unit has: their DMA faults
   * @param stoppedBy what the next one was refused with; empty where functions ran out
   */
  public record Capacity(
      DomainIdPolicy domainIds,
      Profile profile,
      long guests,
      long overflowing,
      Optional<String> stoppedBy) {}

  /**
   * Guests with a virtual function on each of several units, as many as there can be.
   *
   * @param unitsPerGuest how many units that is
   * @param firstFit where each guest takes the first units with room
   * @param balanced where each guest takes the units with the most room
   */
  public record Placement(int unitsPerGuest, long firstFit, long balanced) {}

  /**
   * What unmapping one page of a guest costs.
   *
   * @param commands IOTLB invalidations
   * @param scans slots of maps read to find the ids
   */
  public record Flush(
      DomainIdPolicy domainIds, Profile profile, int units, long commands, long scans) {}

  /** When the unit is told to forget an id that changes hands. */
  public enum Moment {
    BEFORE_FREE,
    AFTER_FREE,
    NEVER;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
  }

  /**
   * An id that changes hands while translations of its old owner are remembered.
   *
   * @param sameId whether the new owner got the old one's id
   * @param staleAtOnce whether its first DMA went to the old owner's memory
   * @param staleInTheEnd whether it still does once everything has been done
   * @param violations what the consistency checks call it
   */
  public record Reuse(
      Moment flush,
      boolean sameId,
      boolean staleAtOnce,
      boolean staleInTheEnd,
      List<String> violations) {}

  /**
   * An id that is freed while two are claimed, in every order of the stores.
   *
   * @param lost orders after which a new owner is not found, so that flushes pass it by
   */
  public record Race(Profile profile, int orders, int lost, List<String> lostIn) {}

  /** Whether an id was freed when the last device left, or seemed to. */
  public record Release(String situation, Profile profile, boolean freed) {}

  @Override
  public String toText() {
    TextTable capacities = new TextTable("domain-ids", "profile", "guests", "overflow", "stopped");
    for (Capacity row : capacity) {
      capacities.add(
          row.domainIds,
          row.profile,
          row.guests,
          row.overflowing,
          row.stoppedBy.orElse("no function left"));
    }
    TextTable placements = new TextTable("units per guest", "first fit", "balanced");
    placement.forEach(row -> placements.add(row.unitsPerGuest, row.firstFit, row.balanced));
    TextTable costs = new TextTable("domain-ids", "profile", "units", "commands", "scans");
    flushes.forEach(
        row -> costs.add(row.domainIds, row.profile, row.units, row.commands, row.scans));
    TextTable reuses = new TextTable("flush", "same id", "stale at once", "stale in the end");
    reuse.forEach(row -> reuses.add(row.flush, row.sameId, row.staleAtOnce, row.staleInTheEnd));
    TextTable orders = new TextTable("profile", "orders", "lost");
    races.forEach(row -> orders.add(row.profile, row.orders, row.lost));
    TextTable freed = new TextTable("last device leaves", "profile", "id freed");
    releases.forEach(row -> freed.add(row.situation, row.profile, row.freed));
    return "%d units of %d domain-ids%n%n%s%n%s%n%s%n%s%n%s%n%s"
        .formatted(units, idsPerUnit, capacities, placements, costs, reuses, orders, freed)
        .replace("\r\n", "\n");
  }
}
