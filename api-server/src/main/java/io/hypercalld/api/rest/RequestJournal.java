package io.hypercalld.api.rest;

import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

/** What was asked last, whatever came of it. Thread-safe. */
public final class RequestJournal {
  /** Requests that are kept. */
  public static final int CAPACITY = 10_000;

  private static final int LONGEST_PATH = 256;

  private final Deque<Entry> entries = new ArrayDeque<>();
  private long last;

  /**
   * One request. Immutable.
   *
   * @param number counts the requests since the last reset, from 1
   * @param time when it was answered
   * @param path without the query, at most 256 characters of it
   */
  public record Entry(
      long number, String time, String method, String path, int status, String requestId) {}

  void add(Request request, String id, int status) {
    String path = request.path().substring(0, Math.min(request.path().length(), LONGEST_PATH));
    String time = Instant.now().toString();
    synchronized (this) {
      if (entries.size() == CAPACITY) {
        entries.removeFirst();
      }
      last++;
      entries.addLast(new Entry(last, time, request.method(), path, status, id));
    }
  }

  /** The oldest first. */
  public synchronized List<Entry> all() {
    return List.copyOf(entries);
  }

  /** Begins again. */
  public synchronized void clear() {
    entries.clear();
    last = 0;
  }
}
