package io.hypercalld.api.http;

import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/** What all connections together hold. Thread-safe. */
final class Load {
  /** A place may be kept so long, however many others there are. */
  private static final long GRACE_NANOS = TimeUnit.SECONDS.toNanos(1);

  private final Limits limits;

  /** By event loop; each set is touched by its loop only. */
  private final Map<Executor, Set<ConnectionGuard>> members = new ConcurrentHashMap<>();

  private final AtomicInteger connections = new AtomicInteger();
  private final AtomicInteger unanswered = new AtomicInteger();
  private final AtomicLong held = new AtomicLong();
  private final AtomicLong unsent = new AtomicLong();

  Load(Limits limits) {
    this.limits = limits;
  }

  Limits limits() {
    return limits;
  }

  /** Counts a connection of an event loop; whether it is one too many. */
  boolean enter(ConnectionGuard connection, Executor loop) {
    members.computeIfAbsent(loop, _ -> new LinkedHashSet<>()).add(connection);
    return connections.incrementAndGet() > limits.connections();
  }

  void leave(ConnectionGuard connection, Executor loop) {
    members.getOrDefault(loop, Set.of()).remove(connection);
    connections.decrementAndGet();
  }

  /** Whoever of an event loop, on which it is asked, has long kept a place for nothing. */
  Optional<ConnectionGuard> longestWaiting(Executor loop) {
    return members.getOrDefault(loop, Set.of()).stream()
        .filter(connection -> connection.waited() > GRACE_NANOS)
        .max(Comparator.comparingLong(ConnectionGuard::waited));
  }

  /** Counts requests that wait for their answers, less of them where negative. */
  void await(int requests) {
    unanswered.addAndGet(requests);
  }

  boolean isAnswering() {
    return unanswered.get() > 0 || unsent.get() > 0;
  }

  /** Counts bytes of bodies, less of them where negative; whether they are too many. */
  boolean hold(long bytes) {
    return held.addAndGet(bytes) > limits.heldBytes();
  }

  /** Counts bytes of answers, less of them where negative. */
  void owe(long bytes) {
    unsent.addAndGet(bytes);
  }

  boolean owesTooMuch() {
    return unsent.get() > limits.unsentBytes();
  }
}
