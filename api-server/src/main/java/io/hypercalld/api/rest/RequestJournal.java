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

  private final Deque<Noted> entries = new ArrayDeque<>();
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

  /** The same, as it is kept: to spell a time takes longer than most requests do. */
  private record Noted(
      long number, Instant time, String method, String path, int status, String requestId) {
    Entry entry() {
      return new Entry(number, time.toString(), method, path, status, requestId);
    }
  }

  void add(Request request, String id, int status) {
    String path = request.path().substring(0, Math.min(request.path().length(), LONGEST_PATH));
    Instant time = Instant.now();
    synchronized (this) {
      if (entries.size() == CAPACITY) {
        entries.removeFirst();
      }
      last++;
      entries.addLast(new Noted(last, time, request.method(), path, status, id));
    }
  }

  /** The oldest first. */
  public List<Entry> all() {
    List<Noted> kept;
    synchronized (this) {
      kept = List.copyOf(entries);
    }
    return kept.stream().map(Noted::entry).toList();
  }

  /** Begins again. */
  public synchronized void clear() {
    entries.clear();
    last = 0;
  }
}
