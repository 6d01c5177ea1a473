package io.hypercalld.api.bench;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Hypercalls that each publish an event, with and without 2,000 subscribers by turns. One thread
 * reads for all subscribers and throws away what it reads; 20 of them never read.
 *
 * <p>At full speed there are more events than could ever be sent 2,000 times: who falls too far
 * behind is told so and cut, and comes again here at once, as a browser would.
 */
final class DaemonLoadEvents implements DaemonLoadPart {
  private static final int CONNECTIONS = 16;
  private static final int REQUESTS = 4000;
  private static final int WATCHERS = 2000;
  private static final int SLOW = 20;
  private static final String DOMCTL = "/v1/hypercalls/domctl/";

  @Override
  public void measure(DaemonProcess daemon) throws IOException {
    try (LoadClient client = new LoadClient(daemon.url(), CONNECTIONS)) {
      List<List<byte[]>> rounds = new ArrayList<>();
      for (int domain = 1; domain <= CONNECTIONS; domain++) {
        client.ask("POST", "/v1/domains", "{\"type\":\"hvm\",\"memory\":\"1MiB\"}");
        String body = "{\"domain\":" + domain + "}";
        client.ask("POST", DOMCTL + "unpausedomain", body);
        rounds.add(
            List.of(
                LoadClient.request("POST", DOMCTL + "pausedomain", body),
                LoadClient.request("POST", DOMCTL + "unpausedomain", body)));
      }
      Ratios.warmUp(() -> client.saturate(rounds, REQUESTS));
      turns(daemon, client, rounds);
    }
  }

  private static void turns(DaemonProcess daemon, LoadClient client, List<List<byte[]>> rounds)
      throws IOException {
    double[] alone = new double[Ratios.TURNS];
    double[] watched = new double[Ratios.TURNS];
    long bytes = 0;
    long cut = 0;
    for (int turn = 0; turn < Ratios.TURNS; turn++) {
      alone[turn] = Ratios.perSecond(REQUESTS, client.saturate(rounds, REQUESTS));
      try (Watchers watchers = new Watchers(daemon.url(), WATCHERS, SLOW)) {
        watched[turn] = Ratios.perSecond(REQUESTS, client.saturate(rounds, REQUESTS));
        bytes += watchers.bytes();
        cut += watchers.cut();
      }
    }
    Ratios.say("hypercalls that publish an event, calls/s", Ratios.median(alone));
    Ratios.say("the same with 2,000 subscribers, calls/s", Ratios.median(watched));
    Ratios.say("  with / without", Ratios.median(Ratios.of(watched, alone)), ">=", 0.90);
    Ratios.say("  bytes that subscribers read in a turn", (double) bytes / Ratios.TURNS);
    Ratios.say("  subscribers that were cut in a turn", (double) cut / Ratios.TURNS);
  }
}
