package io.hypercalld.api.bench;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import com.sun.management.UnixOperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A flood of 10,000 connections that say nothing, that send their bodies byte by byte, or that send
 * more than anybody may, while somebody else makes hypercalls: every one of those is answered, and
 * the daemon keeps to its memory.
 */
final class DaemonLoadFlood implements DaemonLoadPart {
  private static final int FLOOD = 10_000;
  private static final int WAVE = 100;
  private static final int REQUESTS = 2000;
  private static final int CONNECTIONS = 4;
  private static final int OVERSIZED_BYTES = 9 << 20;
  private static final double MOST_MIB = 1024;
  private static final double LONGEST_MILLIS = 1000;
  private static final byte[] CALL =
      LoadClient.request("POST", "/v1/hypercalls/memory_op/current_reservation", "{\"domid\":0}");

  private final List<SocketChannel> flood = new ArrayList<>();

  @Override
  public void measure(DaemonProcess daemon) throws IOException {
    if (fileLimit() < FLOOD + WAVE) {
      System.out.printf(
          "flood: skipped, %d files may be open and it takes %d (ulimit -n)%n",
          fileLimit(), FLOOD + WAVE);
      return;
    }
    try (LoadClient client = new LoadClient(daemon.url(), CONNECTIONS)) {
      Ratios.warmUp(() -> client.saturate(CALL, REQUESTS));
      double alone = Ratios.perSecond(REQUESTS, client.saturate(CALL, REQUESTS));
      double[] slowest = new double[FLOOD / WAVE];
      for (int wave = 0; wave < slowest.length; wave++) {
        come(daemon.url(), wave);
        slowest[wave] = slowest(client);
      }
      double flooded = Ratios.perSecond(REQUESTS, client.saturate(CALL, REQUESTS));
      Ratios.say("flood: connections at once, at most, that were made", flood.size());
      Ratios.say("  hypercalls/s before it", alone);
      Ratios.say("  hypercalls/s with it", flooded);
      Ratios.say("  slowest hypercall in it, ms", Ratios.most(slowest), "<", LONGEST_MILLIS);
      Ratios.say("  resident, MiB", daemon.residentMebibytes(), "<", MOST_MIB);
      leave();
    }
    try (LoadClient newcomer = new LoadClient(daemon.url(), CONNECTIONS)) {
      double after = Ratios.perSecond(REQUESTS, newcomer.saturate(CALL, REQUESTS));
      Ratios.say("  hypercalls/s of a newcomer after it", after);
    }
  }

  private static long fileLimit() {
    return ManagementFactory.getOperatingSystemMXBean() instanceof UnixOperatingSystemMXBean unix
        ? unix.getMaxFileDescriptorCount()
        : 0;
  }

  /** The next connections come, and those that are there already say a byte more. */
  private void come(URI url, int wave) throws IOException {
    for (int i = 0; i < WAVE; i++) {
      SocketChannel channel =
          SocketChannel.open(new InetSocketAddress(url.getHost(), url.getPort()));
      channel.configureBlocking(false);
      flood.add(channel);
      say(channel, opening(i % 4));
    }
    for (int i = 0; i < flood.size(); i += WAVE) {
      say(flood.get(i + wave % WAVE), " ");
    }
  }

  private static String opening(int kind) {
    String header = "POST /v1/hypercalls/multicall HTTP/1.1\r\nHost: localhost\r\n";
    return switch (kind) {
      case 0 -> "";
      case 1 -> header + "Content-Length: 100000\r\n\r\n[";
      case 2 -> header + "Content-Length: %d\r\n\r\n[".formatted(OVERSIZED_BYTES);
      default ->
          header
              + "Transfer-Encoding: chunked\r\n\r\n10000\r\n"
              + " ".repeat(1 << 16)
              + "\r\n10000\r\n";
    };
  }

  /** Sends what is taken at once; who is not wanted any more need not be told. */
  private static void say(SocketChannel channel, String text) {
    try {
      channel.write(ByteBuffer.wrap(text.getBytes(ISO_8859_1)));
    } catch (IOException e) {
      // The daemon has closed it, as it may.
    }
  }

  private static double slowest(LoadClient client) throws IOException {
    long[] nanos = client.pace(CALL, REQUESTS, REQUESTS / 10);
    return Arrays.stream(nanos).max().orElseThrow() / (double) TimeUnit.MILLISECONDS.toNanos(1);
  }

  private void leave() throws IOException {
    for (SocketChannel channel : flood) {
      channel.close();
    }
  }
}
