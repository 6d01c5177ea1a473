package io.hypercalld.api.bench;

import java.io.IOException;
import java.util.Arrays;

/** A thousand machines in one daemon: how long each takes to make, and what they occupy idle. */
final class DaemonLoadMachines implements DaemonLoadPart {
  private static final int MACHINES = 1000;
  private static final double LONGEST_MILLIS = 50;
  private static final double MOST_MIB = 2048;

  @Override
  public void measure(DaemonProcess daemon) throws IOException {
    double before = daemon.residentMebibytes();
    double[] millis = new double[MACHINES];
    try (LoadClient client = new LoadClient(daemon.url(), 1)) {
      for (int i = 0; i < MACHINES; i++) {
        byte[] request =
            LoadClient.request("POST", "/v1/machines", "{\"name\":\"m%d\"}".formatted(i));
        millis[i] = client.saturate(request, 1) / 1e6;
      }
    }
    double after = daemon.residentMebibytes();
    Ratios.say("the first machine, ms", millis[0]);
    Arrays.sort(millis);
    Ratios.say("a machine, ms, median", Ratios.median(millis), "<", LONGEST_MILLIS);
    Ratios.say("a machine, ms, 99 of 100", millis[MACHINES * 99 / 100], "<", LONGEST_MILLIS);
    Ratios.say("resident with one machine, MiB", before);
    Ratios.say("resident with a thousand more, MiB", after, "<", MOST_MIB);
  }
}
