package io.hypercalld.api.bench;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * {@code multicall} of 1,000 map operations, as a kernel that fills a context for its device makes
 * them, page by page: {@code iommu_op.map_pages} of one page a call, of a domain whose {@code
 * dmaMode} is {@code vp-iommu}. Between two such batches the pages are unmapped by 4 calls of 250
 * pages, which take their time and are not counted. Each connection has pages of its own and waits
 * for one answer before it asks again; requests are bytes from the start.
 */
final class DaemonLoadBatches implements DaemonLoadPart {
  private static final int BATCH = 1000;
  private static final int RUN = 250;
  private static final int CONNECTIONS = 4;
  private static final int REQUESTS = 200;
  private static final double GOAL = 1_000_000;
  private static final String DEVICE = "0000:03:10.0";
  private static final String HYPERCALLS = "/v1/hypercalls/";
  private static final String CALLER = "?caller=1";
  private static final String CALL =
      "{\"call\":\"iommu_op\",\"op\":\"%s\",\"args\":{\"ctx_no\":1,%s\"dfn\":\"0x%x\",\"nr_pages\":%d}}";

  /** Has what is done for each request compiled, too. */
  private static final byte[] SMALL =
      LoadClient.request(
          "POST",
          HYPERCALLS + "multicall",
          "[{\"call\":\"memory_op\",\"op\":\"current_reservation\",\"args\":{\"domid\":0}}]");

  @Override
  public void measure(DaemonProcess daemon) throws IOException {
    try (LoadClient client = new LoadClient(daemon.url(), CONNECTIONS)) {
      prepare(client);
      List<List<byte[]>> rounds = rounds();
      Ratios.warmUp(
          () -> client.saturate(rounds, REQUESTS) + client.saturate(SMALL, 10 * REQUESTS));
      int maps = REQUESTS / 2 * BATCH;
      long used = daemon.processorNanos();
      double[] calls = new double[Ratios.TURNS];
      for (int turn = 0; turn < calls.length; turn++) {
        calls[turn] = Ratios.perSecond(maps, client.saturate(rounds, REQUESTS));
      }
      double nanosEach = (daemon.processorNanos() - used) / (double) calls.length / maps;
      Ratios.say("multicall of 1,000 maps, hypercalls/s", Ratios.median(calls), ">=", GOAL);
      Ratios.say("  in the best turn", Ratios.most(calls));
      Ratios.say("  processor time of the daemon for each, us", nanosEach / 1e3);
    }
  }

  static void prepare(LoadClient client) throws IOException {
    client.ask(
        "POST",
        "/v1/domains",
        "{\"type\":\"hvm\",\"memory\":\"16MiB\",\"policies\":{\"dmaMode\":\"vp-iommu\"}}");
    client.ask("PUT", "/v1/devices/" + DEVICE + "/assignment", "{\"domain\":1}");
    client.ask("POST", HYPERCALLS + "iommu_op/alloc_context" + CALLER, "{}");
    client.ask(
        "POST",
        HYPERCALLS + "iommu_op/reattach_device" + CALLER,
        "{\"ctx_no\":1,\"machine_sbdf\":\"" + DEVICE + "\"}");
  }

  /** What each connection asks by turns: to map its pages, and to unmap them. */
  static List<List<byte[]>> rounds() {
    List<List<byte[]>> rounds = new ArrayList<>();
    for (int connection = 0; connection < CONNECTIONS; connection++) {
      int first = connection * BATCH;
      rounds.add(
          List.of(
              batch(IntStream.range(first, first + BATCH).mapToObj(DaemonLoadBatches::map)),
              batch(
                  IntStream.range(0, BATCH / RUN)
                      .mapToObj(
                          run -> CALL.formatted("unmap_pages", "", first + run * RUN, RUN)))));
    }
    return rounds;
  }

  private static String map(int page) {
    return CALL.formatted("map_pages", "\"gfn\":\"0x%x\",".formatted(page), page, 1);
  }

  private static byte[] batch(Stream<String> calls) {
    return LoadClient.request(
        "POST",
        HYPERCALLS + "multicall" + CALLER,
        calls.collect(Collectors.joining(",", "[", "]")));
  }
}
