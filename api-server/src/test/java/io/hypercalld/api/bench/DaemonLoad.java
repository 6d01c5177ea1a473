package io.hypercalld.api.bench;

import java.io.IOException;
import java.util.List;
import java.util.function.Supplier;
import java.util.regex.Pattern;

/**
 * What a daemon in a process of its own carries over loopback, as ratios of one run: what is
 * compared takes turns, so that whatever else the machine does slows both.
 *
 * <p>{@code mvn -Pbench -Dbench=DaemonLoad verify} measures everything, {@code
 * -Dbench=DaemonLoadBatches} one part of it, each with a daemon of its own; {@code
 * -Dload.jvm=-Xmx512m} for the daemon's JVM.
 */
public final class DaemonLoad {
  private static final List<Supplier<DaemonLoadPart>> PARTS =
      List.of(
          DaemonLoadRequests::new,
          DaemonLoadBatches::new,
          DaemonLoadEvents::new,
          DaemonLoadFlood::new,
          DaemonLoadMachines::new);

  private DaemonLoad() {}

  /**
   * Measures.
   *
   * @param args a regular expression: only parts are measured in whose class name it is found
   */
  public static void main(String[] args) throws IOException {
    Pattern wanted = Pattern.compile(args[0]);
    List<String> jvm = List.of(System.getProperty("load.jvm", "-Xmx512m").split(" ", -1));
    for (Supplier<DaemonLoadPart> each : PARTS) {
      DaemonLoadPart part = each.get();
      if (wanted.matcher(part.getClass().getName()).find()) {
        try (DaemonProcess daemon = DaemonProcess.start(jvm)) {
          part.measure(daemon);
          Ratios.say("  resident at the end, MiB", daemon.residentMebibytes());
        }
      }
    }
  }
}
