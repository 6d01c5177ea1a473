package io.hypercalld.ioreq.dispatch;

import io.hypercalld.ioreq.page.IoRequest;
import io.hypercalld.ioreq.page.RequestType;
import io.hypercalld.ioreq.server.IoServers;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumMap;
import java.util.Map;
import java.util.TreeMap;

/** Requests of a domain since the last reset. Confined to the machine thread. */
public final class IoCounters {
  private static final int DIRECTIONS = 2;

  /** Numbers that types may have. */
  private static final int TYPES = 16;

  private final long[] sent = new long[IoServers.MOST * TYPES * DIRECTIONS];
  private final Map<RequestType, Long> unclaimed = new EnumMap<>(RequestType.class);
  private final TreeMap<Integer, Long> overflows = new TreeMap<>();
  private final Map<RequestType, Long> timeouts = new EnumMap<>(RequestType.class);
  private long unsent;
  private long lostWrites;
  private long lostBytes;

  /** What requests are counted by. */
  public record Sent(int server, RequestType type, boolean reads) implements Comparable<Sent> {
    @Override
    public int compareTo(Sent other) {
      return Integer.compare(index(), other.index());
    }

    private int index() {
      return (server * TYPES + type.number()) * DIRECTIONS + (reads ? 0 : 1);
    }

    private static Sent at(int index) {
      int type = index / DIRECTIONS;
      return new Sent(
          type / TYPES, RequestType.ofNumber(type % TYPES).orElseThrow(), index % DIRECTIONS == 0);
    }
  }

  /** Requests sent. */
  public Map<Sent, Long> sent() {
    TreeMap<Sent, Long> counts = new TreeMap<>();
    for (int index = 0; index < sent.length; index++) {
      if (sent[index] != 0) {
        counts.put(Sent.at(index), sent[index]);
      }
    }
    return Collections.unmodifiableMap(counts);
  }

  /** Accesses for which there was no server. */
  public Map<RequestType, Long> unclaimed() {
    return Collections.unmodifiableMap(unclaimed);
  }

  /** Requests that did not fit the ring, by server. */
  public Map<Integer, Long> overflows() {
    return Collections.unmodifiableMap(overflows);
  }

  /** Requests that were not answered in time. */
  public Map<RequestType, Long> timeouts() {
    return Collections.unmodifiableMap(timeouts);
  }

  /** Requests to all servers that one of them could not be sent. */
  public long unsent() {
    return unsent;
  }

  /** Guests' writes that neither memory nor a server got. */
  public long lostWrites() {
    return lostWrites;
  }

  /** Their bytes. */
  public long lostBytes() {
    return lostBytes;
  }

  void countSent(int server, IoRequest request) {
    sent[new Sent(server, request.type(), request.flags().reads()).index()]++;
  }

  void countUnclaimed(RequestType type) {
    unclaimed.merge(type, 1L, Long::sum);
  }

  void countOverflow(int server) {
    overflows.merge(server, 1L, Long::sum);
  }

  void countTimeout(RequestType type) {
    timeouts.merge(type, 1L, Long::sum);
  }

  void countUnsent() {
    unsent++;
  }

  void countLost(long bytes) {
    lostWrites++;
    lostBytes += bytes;
  }

  public void reset() {
    Arrays.fill(sent, 0);
    unclaimed.clear();
    overflows.clear();
    timeouts.clear();
    unsent = 0;
    lostWrites = 0;
    lostBytes = 0;
  }
}
