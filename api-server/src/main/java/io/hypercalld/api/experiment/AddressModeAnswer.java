package io.hypercalld.api.experiment;

import io.hypercalld.api.driver.Driver;
import io.hypercalld.api.driver.DriverReport;
import io.hypercalld.core.dma.DmaMode;
import java.util.List;
import java.util.Optional;

/**
 * What became of drivers and of memory in each address mode; of a study that was not asked for
 * there is nothing. Immutable.
 */
public record AddressModeAnswer(
    AddressModeQuestion.Study study,
    List<Work> drivers,
    List<Price> prices,
    List<Bounced> bounces,
    List<Reach> reaches)
    implements Findings {
  public AddressModeAnswer {
    drivers = List.copyOf(drivers);
    prices = List.copyOf(prices);
    bounces = List.copyOf(bounces);
    reaches = List.copyOf(reaches);
  }

  /**
   * A driver in a mode.
   *
   * @param failure the first primitive that did not succeed
   * @param victims whose memory was used by mistake: domain ids, or nobody
   * @param hypercalls for its request, from map to unmap
   * @param unmapped accesses that no mapping of the DMA API covered
   */
  public record Work(
      DmaMode mode,
      Driver driver,
      DriverReport.Verdict verdict,
      Optional<String> failure,
      List<String> victims,
      long hypercalls,
      long accesses,
      long unmapped) {
    public Work {
      victims = List.copyOf(victims);
    }

    private static String whose(DriverReport.Victim victim) {
      return victim.owner().map(String::valueOf).orElse("nobody");
    }

    static Work of(DriverReport report) {
      return new Work(
          report.mode(),
          report.driver(),
          report.verdict(),
          report.failure().map(step -> step.primitive() + ": " + step.detail()),
          report.victims().stream().map(Work::whose).distinct().toList(),
          report.costs().map() + report.costs().unmap(),
          report.costs().accesses(),
          report.costs().unmapped());
    }
  }

  /**
   * What scatter lists cost.
   *
   * @param way how the kernel asks
   * @param maps hypercalls to map them
   * @param unmaps hypercalls to unmap them
   * @param traps times that the guest was left for them: once for a multicall
   * @param flushes commands that made units forget
   */
  public record Price(DmaMode mode, String way, long maps, long unmaps, long traps, long flushes) {}

  /**
   * Buffers of growing size for a device.
   *
   * @param contiguous whether their pages were made to follow each other
   * @param bytes copied
   * @param highWater most slabs of the pool in use
   * @param failure the first size that could not be mapped, in bytes
   * @param reason why it could not
   */
  public record Bounced(
      DmaMode mode,
      int maskBits,
      boolean contiguous,
      long bytes,
      int highWater,
      Optional<Integer> failure,
      Optional<String> reason) {}

  /**
   * Frames that a device reached, by who has them.
   *
   * @param probed frames of the machine, all of which it tried
   * @param own its own domain's, and what that has mapped of others'
   * @param foreign other domains'
   * @param hypervisor the hypervisor's
   * @param nobody free, or the firmware's
   * @param others the hypervisor's and nobody's
   * @param mapped pages that an honest driver had mapped for it
   */
  public record Reach(
      DmaMode mode,
      long probed,
      long own,
      long foreign,
      long hypervisor,
      long nobody,
      long others,
      long mapped) {}

  @Override
  public String toText() {
    return switch (study) {
      case MATRIX, PORTING, INTERCEPTION -> driverText();
      case HYPERCALLS -> priceText();
      case BOUNCING -> bounceText();
      case ISOLATION -> reachText();
    };
  }

  private String driverText() {
    TextTable table =
        new TextTable(
            "mode", "driver", "verdict", "victims", "hypercalls", "accesses", "unmapped", "failed");
    for (Work row : drivers) {
      table.add(
          row.mode,
          row.driver,
          row.verdict,
          row.victims,
          row.hypercalls,
          row.accesses,
          row.unmapped,
          row.failure.orElse(""));
    }
    return table.toString();
  }

  private String priceText() {
    TextTable table = new TextTable("mode", "way", "maps", "unmaps", "traps", "flushes");
    prices.forEach(
        row -> table.add(row.mode, row.way, row.maps, row.unmaps, row.traps, row.flushes));
    return table.toString();
  }

  private String bounceText() {
    TextTable table =
        new TextTable("mode", "mask", "pages", "bytes", "high water", "fails at", "reason");
    for (Bounced row : bounces) {
      table.add(
          row.mode,
          row.maskBits,
          row.contiguous ? "contiguous" : "scattered",
          row.bytes,
          row.highWater,
          row.failure.map(Object::toString).orElse("never"),
          row.reason.orElse(""));
    }
    return table.toString();
  }

  private String reachText() {
    TextTable table =
        new TextTable(
            "mode", "frames", "own", "other domains'", "hypervisor's", "nobody's", "mapped");
    for (Reach row : reaches) {
      table.add(row.mode, row.probed, row.own, row.foreign, row.hypervisor, row.nobody, row.mapped);
    }
    return table.toString();
  }
}
