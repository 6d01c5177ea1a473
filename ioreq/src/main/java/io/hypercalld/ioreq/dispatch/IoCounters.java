package io.hypercalld.ioreq.dispatch;

import io.hypercalld.ioreq.page.IoRequest;
import io.hypercalld.ioreq.page.RequestType;
import java.util.Collections;
import java.util.EnumMap;
import java.util.Map;
import java.util.TreeMap;

/** Requests of a domain since the last reset. Confined to the machine thread. */
public final class IoCounters {
  private final TreeMap<Sent, Long> sent = new TreeMap<>();
  private final Map<RequestType, Long> unclaimed = new EnumMap<>(RequestType.class);
  private final TreeMap<Integer, Long> overflows = new TreeMap<>();
  private final Map<RequestType, Long> timeouts = new EnumMap<>(RequestType.class);
  private long lostWrites;
  private long lostBytes;

  /** What requests are counted by. */
  public record Sent(int server, RequestType type, boolean reads) implements Comparable<Sent> {
    @Override
    public int compareTo(Sent other) {
      int byServer = Integer.compare(server, other.server);
      int byType = type.compareTo(other.type);
      return byServer != 0 ? byServer : byType != 0 ? byType : Boolean.compare(reads, other.reads);
    }
  }

  /** Requests sent. */
  public Map<Sent, Long> sent() {
    return Collections.unmodifiableMap(sent);
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

  /** Guests' writes that neither memory nor a server got. */
  public long lostWrites() {
    return lostWrites;
  }

  /** Their bytes. */
  public long lostBytes() {
    return lostBytes;
  }

  void countSent(int server, IoRequest request) {
    sent.merge(new Sent(server, request.type(), request.flags().reads()), 1L, Long::sum);
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

  void countLost(long bytes) {
    lostWrites++;
    lostBytes += bytes;
  }

  public void reset() {
    sent.clear();
    unclaimed.clear();
    overflows.clear();
    timeouts.clear();
    lostWrites = 0;
    lostBytes = 0;
  }
}
