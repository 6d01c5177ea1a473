package io.hypercalld.api.experiment;

import java.util.List;
import java.util.Locale;

/** What retargeting cost, and what each way to reach all vCPUs needs besides. Immutable. */
public record RetargetAnswer(
    RetargetQuestion question, List<Cost> costs, List<Migration> migration, List<Lacking> lacking)
    implements Findings {
  /** How messages reach vCPUs beyond 8 bits of APIC id. */
  public enum Road {
    VIOMMU,
    EXT_DEST;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
  }

  /** Whose message it is. */
  public enum Device {
    EMULATED,
    PASSTHROUGH;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /**
   * What the guest's retargets of one device's message cost; interrupts themselves are not counted.
   *
   * @param stores the guest's instructions that write memory or registers
   * @param exits those that leave the guest
   * @param ioreqs requests to the device model
   * @param hypercalls of the device model
   * @param rederived bindings that the hypervisor derived anew by itself
   * @param arrived interrupts that reached the new vCPU and nobody else
   */
  public record Cost(
      Road road,
      Device device,
      long stores,
      long exits,
      long ioreqs,
      long hypercalls,
      long rederived,
      long arrived) {}

  /** What moves with a guest: fields, by their names. */
  public record Migration(Road road, List<String> fields) {}

  /**
   * A guest with two device models, one of which knows nothing of extended destinations.
   *
   * @param unreachable vCPUs that some kind of interrupt does not reach
   * @param online vCPUs that Linux of 2020 runs on
   */
  public record Lacking(Road road, int unreachable, int online) {}

  @Override
  public String toText() {
    TextTable table =
        new TextTable(
            "road", "device", "stores", "exits", "ioreqs", "hypercalls", "rederived", "arrived");
    costs.forEach(
        row ->
            table.add(
                row.road,
                row.device,
                row.stores,
                row.exits,
                row.ioreqs,
                row.hypercalls,
                row.rederived,
                row.arrived));
    TextTable moving = new TextTable("road", "fields that migrate");
    migration.forEach(row -> moving.add(row.road, row.fields.size()));
    TextTable ignorant =
        new TextTable("one model knows nothing", "unreachable", "linux-2020 online");
    lacking.forEach(row -> ignorant.add(row.road, row.unreachable, row.online));
    return "%d vCPUs, %d retargets each%n%n%s%n%s%n%s"
        .formatted(question.vcpus(), question.retargets(), table, moving, ignorant)
        .replace("\r\n", "\n");
  }
}
