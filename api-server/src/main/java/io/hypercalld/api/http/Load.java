package io.hypercalld.api.http;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/** What all connections together hold. Thread-safe. */
final class Load {
  private final Limits limits;
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

  /** Counts a connection; whether it is one too many. */
  boolean enter() {
    return connections.incrementAndGet() > limits.connections();
  }

  void leave() {
    connections.decrementAndGet();
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
