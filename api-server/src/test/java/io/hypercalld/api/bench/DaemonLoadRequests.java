package io.hypercalld.api.bench;

import java.io.IOException;
import java.util.Arrays;

/** Single hypercalls beside an endpoint that does nothing: how many, and how long each takes. */
final class DaemonLoadRequests implements DaemonLoadPart {
  private static final int CONNECTIONS = 16;
  private static final int REQUESTS = 4000;
  private static final double SHARE = 0.7;
  private static final byte[] LIVE = LoadClient.request("GET", "/health/live", "");
  private static final byte[] CALL =
      LoadClient.request("POST", "/v1/hypercalls/memory_op/current_reservation", "{\"domid\":0}");

  @Override
  public void measure(DaemonProcess daemon) throws IOException {
    try (LoadClient client = new LoadClient(daemon.url(), CONNECTIONS)) {
      Ratios.warmUp(
          () -> client.saturate(LIVE, REQUESTS / 4) + client.saturate(CALL, REQUESTS / 4));
      latency(client, throughput(client));
    }
  }

  /** Hypercalls a second, in the median turn. */
  private static double throughput(LoadClient client) throws IOException {
    double[] live = new double[Ratios.TURNS];
    double[] call = new double[Ratios.TURNS];
    for (int turn = 0; turn < Ratios.TURNS; turn++) {
      live[turn] = Ratios.perSecond(REQUESTS, client.saturate(LIVE, REQUESTS));
      call[turn] = Ratios.perSecond(REQUESTS, client.saturate(CALL, REQUESTS));
    }
    Ratios.say("health/live, requests/s", Ratios.median(live));
    Ratios.say("hypercall, requests/s", Ratios.median(call));
    Ratios.say("hypercall / live", Ratios.median(Ratios.of(call, live)), ">=", 0.80);
    return Ratios.median(call);
  }

  private static void latency(LoadClient client, double rate) throws IOException {
    double[] p50 = new double[Ratios.TURNS];
    double[] p99 = new double[Ratios.TURNS];
    for (int turn = 0; turn < Ratios.TURNS; turn++) {
      long[] nanos = client.pace(CALL, SHARE * rate, REQUESTS);
      Arrays.sort(nanos);
      p50[turn] = nanos[nanos.length / 2] / 1e3;
      p99[turn] = nanos[nanos.length * 99 / 100] / 1e3;
    }
    Ratios.say("p50 at 70 % of that rate, us", Ratios.median(p50));
    Ratios.say("p99 at 70 % of that rate, us", Ratios.median(p99));
    Ratios.say("p99 / p50", Ratios.median(Ratios.of(p99, p50)), "<", 4);
  }
}
