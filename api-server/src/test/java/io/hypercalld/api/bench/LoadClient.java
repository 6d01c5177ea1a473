package io.hypercalld.api.bench;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/**
 * Connections that stay open, over which one thread asks the same thing again and again. Confined
 * to one thread.
 */
final class LoadClient implements AutoCloseable {
  private static final long PAUSE_NANOS = 20_000;

  private final Selector selector;
  private final List<Lane> lanes = new ArrayList<>();

  LoadClient(URI url, int connections) throws IOException {
    selector = Selector.open();
    for (int i = 0; i < connections; i++) {
      SocketChannel channel =
          SocketChannel.open(new InetSocketAddress(url.getHost(), url.getPort()));
      channel.socket().setTcpNoDelay(true);
      channel.configureBlocking(false);
      Lane lane = new Lane(channel);
      channel.register(selector, SelectionKey.OP_READ, lane);
      lanes.add(lane);
    }
  }

  /** The bytes of a request. */
  static byte[] request(String method, String path, String body) {
    return "%s %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
        .formatted(method, path, body.length(), body)
        .getBytes(ISO_8859_1);
  }

  /** Asks once. */
  void ask(String method, String path, String body) throws IOException {
    saturate(request(method, path, body), 1);
  }

  /** Asks as often as that, with as many requests under way as there are connections; the time. */
  long saturate(byte[] request, int requests) throws IOException {
    return saturate(Collections.nCopies(lanes.size(), List.of(request)), requests);
  }

  /**
   * As {@link #saturate(byte[], int)}, with requests of its own for each connection.
   *
   * @param rounds by connection, what is asked over it again and again
   */
  long saturate(List<List<byte[]>> rounds, int requests) throws IOException {
    long began = System.nanoTime();
    int sent = 0;
    for (Lane lane : lanes) {
      if (sent < requests) {
        lane.send(rounds.get(lanes.indexOf(lane)));
        sent++;
      }
    }
    for (int answered = 0; answered < requests; ) {
      selector.select();
      for (Lane lane : ready()) {
        answered++;
        if (sent < requests) {
          lane.send(rounds.get(lanes.indexOf(lane)));
          sent++;
        }
      }
    }
    return System.nanoTime() - began;
  }

  /**
   * Asks at a steady rate, whatever the answers take.
   *
   * @return from when each request was due to its answer, in nanoseconds
   */
  long[] pace(byte[] request, double perSecond, int requests) throws IOException {
    long[] latencies = new long[requests];
    double nanosEach = 1e9 / perSecond;
    Deque<Lane> idle = new ArrayDeque<>(lanes);
    long began = System.nanoTime();
    int sent = 0;
    for (int answered = 0; answered < requests; ) {
      long now = System.nanoTime();
      while (sent < requests && !idle.isEmpty() && now - began >= (long) (sent * nanosEach)) {
        Lane lane = idle.remove();
        lane.due = began + (long) (sent * nanosEach);
        lane.send(request);
        sent++;
      }
      if (selector.selectNow() == 0) {
        LockSupport.parkNanos(PAUSE_NANOS);
      }
      for (Lane lane : ready()) {
        latencies[answered] = System.nanoTime() - lane.due;
        answered++;
        idle.add(lane);
      }
    }
    return latencies;
  }

  /** The last answer of each connection that has one by now. */
  private List<Lane> ready() throws IOException {
    List<Lane> answered = new ArrayList<>();
    for (SelectionKey key : selector.selectedKeys()) {
      Lane lane = (Lane) key.attachment();
      if (lane.receive()) {
        answered.add(lane);
      }
    }
    selector.selectedKeys().clear();
    return answered;
  }

  @Override
  public void close() throws IOException {
    for (Lane lane : lanes) {
      lane.channel.close();
    }
    selector.close();
  }

  /** One connection. */
  private static final class Lane {
    private static final String LENGTH = "content-length: ";

    private final SocketChannel channel;
    private ByteBuffer in = ByteBuffer.allocate(1 << 16);
    private int whole;
    private int asked;
    private long due;

    Lane(SocketChannel channel) {
      this.channel = channel;
    }

    /** Sends what is next in a round. */
    void send(List<byte[]> round) throws IOException {
      send(round.get(asked % round.size()));
      asked++;
    }

    void send(byte[] request) throws IOException {
      ByteBuffer out = ByteBuffer.wrap(request);
      while (out.hasRemaining()) {
        channel.write(out);
      }
      in.clear();
      whole = 0;
    }

    /** Whether the whole answer is there. */
    boolean receive() throws IOException {
      if (channel.read(in) < 0) {
        throw new IOException("the daemon closes the connection after " + text(in.position()));
      }
      if (whole == 0) {
        whole = measure();
      }
      return whole > 0 && in.position() == whole;
    }

    /** Bytes of the answer whose header has come; 0 while it has not. */
    private int measure() throws IOException {
      int end = endOfHeader();
      if (end == 0) {
        return 0;
      }
      String header = text(end);
      if (!header.startsWith("HTTP/1.1 2")) {
        throw new IOException("the daemon answers " + text(in.position()));
      }
      int at = header.indexOf(LENGTH) + LENGTH.length();
      int length = end + Integer.parseInt(header, at, header.indexOf('\r', at), 10);
      if (length > in.capacity()) {
        in = ByteBuffer.allocate(length).put(in.flip());
      }
      return length;
    }

    private int endOfHeader() {
      byte[] bytes = in.array();
      for (int i = 4; i <= in.position(); i++) {
        if (bytes[i - 1] == '\n' && bytes[i - 3] == '\n') {
          return i;
        }
      }
      return 0;
    }

    private String text(int length) {
      return new String(in.array(), 0, length, ISO_8859_1);
    }
  }
}
