package io.hypercalld.api.experiment;

import io.hypercalld.api.driver.Driver;
import io.hypercalld.api.driver.DriverReport;
import io.hypercalld.api.driver.DriverScript;
import io.hypercalld.api.experiment.AddressModeAnswer.Price;
import io.hypercalld.api.experiment.AddressModeAnswer.Reach;
import io.hypercalld.api.experiment.AddressModeAnswer.Work;
import io.hypercalld.core.dma.DmaMode;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * Has drivers work in a driver domain, mode by mode, and looks where their bytes end. Confined to
 * the thread that runs it.
 *
 * @see "documents/003, spec/documents.md S3-Q1 to S3-Q6"
 */
public final class AddressModeExperiment {
  private AddressModeExperiment() {}

  /**
   * Tries everything that the study is about.
   *
   * @throws io.hypercalld.core.errno.Refusal ENOMEM where the host has not enough memory
   */
  public static AddressModeAnswer run(AddressModeQuestion question) {
    long seed = question.seed().orElse(1L);
    return switch (question.study()) {
      case MATRIX -> drivers(question, List.of(Driver.values()), seed, true);
      case PORTING ->
          drivers(
              question,
              List.of(Driver.BLKBACK, Driver.NETBACK_FLIP, Driver.NETBACK_COPY, Driver.GART),
              seed,
              false);
      case INTERCEPTION -> drivers(question, List.of(Driver.values()), seed, false);
      case HYPERCALLS -> answer(question, List.of(), prices(question), List.of());
      case ISOLATION ->
          answer(question, List.of(), List.of(), modes().map(IsolationStudy::of).toList());
      case BOUNCING ->
          new AddressModeAnswer(
              question.study(),
              List.of(),
              List.of(),
              modes().flatMap(mode -> BounceStudy.of(mode, seed).stream()).toList(),
              List.of());
    };
  }

  private static Stream<DmaMode> modes() {
    return Stream.of(DmaMode.values());
  }

  private static AddressModeAnswer answer(
      AddressModeQuestion question, List<Work> drivers, List<Price> prices, List<Reach> reaches) {
    return new AddressModeAnswer(question.study(), drivers, prices, List.of(), reaches);
  }

  private static AddressModeAnswer drivers(
      AddressModeQuestion question, List<Driver> kinds, long seed, boolean ported) {
    List<Work> rows = modes().flatMap(mode -> work(mode, kinds, seed, ported).stream()).toList();
    return answer(question, rows, List.of(), List.of());
  }

  /** Every driver works once, after all others before it. */
  private static List<Work> work(DmaMode mode, List<Driver> kinds, long seed, boolean ported) {
    try (DriverBench bench = new DriverBench(mode)) {
      List<Work> rows = new ArrayList<>();
      for (Driver kind : kinds) {
        DriverScript script = bench.script(kind, seed);
        // What a graphics driver does to be right is the question of its port.
        boolean asToday = ported && kind != Driver.GART;
        rows.add(Work.of(bench.run(asToday ? script : script.unported())));
      }
      return rows;
    }
  }

  private static List<Price> prices(AddressModeQuestion question) {
    int requests = question.requests().orElse(1000);
    int segments = question.segments().orElse(11);
    long seed = question.seed().orElse(1L);
    List<Price> rows = new ArrayList<>();
    for (DmaMode mode : DmaMode.values()) {
      try (DriverBench bench = new DriverBench(mode)) {
        DriverScript script = bench.script(Driver.DISK, seed).of(segments);
        rows.add(price(bench, way(mode), script, requests));
        if (mode == DmaMode.VP) {
          bench.boot(true);
          rows.add(price(bench, "multicall", script, requests));
        }
      }
    }
    return rows;
  }

  /** Counted by the hypervisor and the units, not by the driver. */
  private static Price price(DriverBench bench, String way, DriverScript script, int requests) {
    // The first request of all has the kernel take the device up.
    bench.run(script);
    long flushes = bench.flushes();
    long traps = bench.driver().calls().traps();
    long maps = 0;
    long unmaps = 0;
    for (int i = 0; i < requests; i++) {
      DriverReport report = bench.run(script.seeded(script.seed() + i));
      if (report.verdict() != DriverReport.Verdict.RIGHT_FRAME) {
        throw new IllegalStateException(report.mode() + " is wrong: " + report.failure());
      }
      maps += report.costs().map();
      unmaps += report.costs().unmap();
    }
    return new Price(
        bench.mode(),
        way,
        maps,
        unmaps,
        bench.driver().calls().traps() - traps,
        bench.flushes() - flushes);
  }

  private static String way(DmaMode mode) {
    return switch (mode) {
      case P2M -> "exposed table";
      case IDENTITY -> "nothing";
      case VP -> "phystomach";
      case VP_IOMMU -> "map_pages, unmap_pages";
    };
  }
}
