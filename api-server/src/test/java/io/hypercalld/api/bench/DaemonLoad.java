package io.hypercalld.api.bench;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * What a daemon in a process of its own carries over loopback, as ratios of one run: what is
 * compared takes turns, so that whatever else the machine does slows both.
 *
 * <p>{@code mvn -Pbench -Dbench=DaemonLoad verify}; {@code -Dload.jvm=-Xmx512m} for the daemon's
 * JVM.
 */
public final class DaemonLoad {
  private static final int CONNECTIONS = 16;
  private static final int TURNS = Integer.getInteger("load.turns", 15);
  private static final int WARM_UP_SECONDS = Integer.getInteger("load.warmup", 20);
  private static final int REQUESTS = 4000;
  private static final int BATCH = 1000;
  private static final int BATCHES = 40;
  private static final int WATCHERS = 2000;
  private static final double SHARE = 0.7;

  private static final byte[] LIVE = LoadClient.request("GET", "/health/live", "");
  private static final byte[] CALL =
      LoadClient.request("POST", "/v1/hypercalls/memory_op/current_reservation", "{\"domid\":0}");

  private static final String MULTICALL = "/v1/hypercalls/multicall";
  private static final int FIRST = 0xf0000;
  private static final byte[] PERMISSION =
      LoadClient.request(
          "POST",
          "/v1/hypercalls/domctl/iomem_permission",
          "{\"domain\":1,\"first_mfn\":\"0x%x\",\"nr_mfns\":%d,\"allow_access\":1}"
              .formatted(FIRST, BATCH));

  private static final byte[] MAP = LoadClient.request("POST", MULTICALL, mappings(1));
  private static final byte[] UNMAP = LoadClient.request("POST", MULTICALL, mappings(0));

  private final URI url;
  private final LoadClient client;
  private final LoadClient single;

  private DaemonLoad(URI url) throws IOException {
    this.url = url;
    this.client = new LoadClient(url, CONNECTIONS);
    this.single = new LoadClient(url, 1);
  }

  /**
   * Measures.
   *
   * @param args a regular expression: nothing is done unless it finds this class's name
   */
  public static void main(String[] args) throws IOException {
    if (!Pattern.compile(args[0]).matcher(DaemonLoad.class.getName()).find()) {
      return;
    }
    List<String> jvm = List.of(System.getProperty("load.jvm", "-Xmx512m").split(" ", -1));
    try (DaemonProcess daemon = DaemonProcess.start(jvm)) {
      new DaemonLoad(daemon.url()).measure();
      System.out.printf("resident at the end: %d MiB%n", daemon.residentBytes() >> 20);
    }
  }

  private void measure() throws IOException {
    warmUp();
    double rate = throughput();
    latency(rate);
    batches();
    watched();
  }

  /** Until what is compiled has been compiled, which takes time rather than requests. */
  private void warmUp() throws IOException {
    single.saturate(
        LoadClient.request(
            "POST", "/v1/domains", "{\"name\":\"load\",\"type\":\"hvm\",\"memory\":\"16MiB\"}"),
        1);
    single.saturate(PERMISSION, 1);
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(WARM_UP_SECONDS);
    while (System.nanoTime() < end) {
      client.saturate(LIVE, REQUESTS / 4);
      client.saturate(CALL, REQUESTS / 4);
      mapAndUnmap(2);
    }
    System.out.println("warmed up");
  }

  /** The time that batches of calls took that map, and then unmap. */
  private long mapAndUnmap(int batches) throws IOException {
    long nanos = 0;
    for (int i = 0; i < batches; i++) {
      nanos += single.saturate(i % 2 == 0 ? MAP : UNMAP, 1);
    }
    return nanos;
  }

  /** Hypercalls a second, in the median turn. */
  private double throughput() throws IOException {
    double[] live = new double[TURNS];
    double[] call = new double[TURNS];
    for (int turn = 0; turn < TURNS; turn++) {
      live[turn] = perSecond(REQUESTS, client.saturate(LIVE, REQUESTS));
      call[turn] = perSecond(REQUESTS, client.saturate(CALL, REQUESTS));
    }
    say("health/live, requests/s", median(live));
    say("hypercall, requests/s", median(call));
    say("hypercall / live, at least 0.80", median(ratios(call, live)));
    return median(call);
  }

  private void latency(double rate) throws IOException {
    double[] p50 = new double[TURNS];
    double[] p99 = new double[TURNS];
    for (int turn = 0; turn < TURNS; turn++) {
      long[] nanos = client.pace(CALL, SHARE * rate, REQUESTS);
      Arrays.sort(nanos);
      p50[turn] = nanos[nanos.length / 2] / 1e3;
      p99[turn] = nanos[nanos.length * 99 / 100] / 1e3;
    }
    say("p50 at 70 % of that rate, us", median(p50));
    say("p99 at 70 % of that rate, us", median(p99));
    say("p99 / p50, under 4", median(ratios(p99, p50)));
  }

  private void batches() throws IOException {
    double[] calls = new double[TURNS];
    for (int turn = 0; turn < TURNS; turn++) {
      calls[turn] = perSecond(BATCH * BATCHES, mapAndUnmap(BATCHES));
    }
    say("multicall of 1,000 maps, hypercalls/s, at least 1000000", median(calls));
    say("  in the best turn", Arrays.stream(calls).max().orElseThrow());
  }

  /** A page of a device's memory each. */
  private static String mappings(int add) {
    return IntStream.range(0, BATCH)
        .mapToObj(
            i ->
                "{\"call\":\"domctl\",\"op\":\"memory_mapping\",\"args\":{\"domain\":1,\"first_gfn\":\"0x%x\",\"first_mfn\":\"0x%x\",\"nr_mfns\":1,\"add_mapping\":%d}}"
                    .formatted(FIRST + i, FIRST + i, add))
        .collect(Collectors.joining(",", "[", "]"));
  }

  private void watched() throws IOException {
    double[] alone = new double[TURNS];
    double[] watched = new double[TURNS];
    for (int turn = 0; turn < TURNS; turn++) {
      alone[turn] = perSecond(REQUESTS, client.saturate(CALL, REQUESTS));
      List<SocketChannel> watchers = watch();
      watched[turn] = perSecond(REQUESTS, client.saturate(CALL, REQUESTS));
      for (SocketChannel watcher : watchers) {
        watcher.close();
      }
    }
    say("hypercall with 2,000 watchers / without, at least 0.90", median(ratios(watched, alone)));
  }

  private List<SocketChannel> watch() throws IOException {
    List<SocketChannel> watchers = new ArrayList<>();
    byte[] ask =
        "GET /v1/events HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n"
            .getBytes(ISO_8859_1);
    for (int i = 0; i < WATCHERS; i++) {
      SocketChannel channel =
          SocketChannel.open(new InetSocketAddress(url.getHost(), url.getPort()));
      channel.write(ByteBuffer.wrap(ask));
      channel.read(ByteBuffer.allocate(1024));
      watchers.add(channel);
    }
    return watchers;
  }

  private static double perSecond(int requests, long nanos) {
    return requests * 1e9 / nanos;
  }

  private static double[] ratios(double[] of, double[] to) {
    return IntStream.range(0, of.length).mapToDouble(i -> of[i] / to[i]).toArray();
  }

  private static double median(double[] values) {
    return Arrays.stream(values).sorted().skip(values.length / 2).findFirst().orElseThrow();
  }

  private static void say(String what, double value) {
    System.out.printf("%-56s %12.2f%n", what, value);
  }
}
