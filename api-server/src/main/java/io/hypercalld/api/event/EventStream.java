package io.hypercalld.api.event;

import io.hypercalld.api.machine.Machine;
import io.hypercalld.api.machine.SimNotice;
import io.hypercalld.core.notice.Notice;
import io.hypercalld.core.notice.NoticeKind;
import io.hypercalld.core.notice.Notices;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/**
 * The last events of a machine, and who reads them. Thread-safe.
 *
 * <p>The machine's thread puts events into a ring and waits for nobody: a reader that is too slow
 * finds that what it wants next is gone. Numbers begin at the microseconds since 1970 at which the
 * stream was made, so that none of an earlier daemon's is taken for one of this.
 */
public final class EventStream implements AutoCloseable {
  /** Events that are kept. */
  public static final int CAPACITY = 10_000;

  private static final long MICROS_PER_MILLI = 1000;

  private final AtomicReferenceArray<@Nullable Event> ring = new AtomicReferenceArray<>(CAPACITY);
  private final Map<NoticeKind, LongAdder> published = new ConcurrentHashMap<>();
  private final Map<String, AtomicLong> dropped = new ConcurrentHashMap<>();
  private final Set<EventReader> readers = ConcurrentHashMap.newKeySet();
  private final String base;
  private final LongSupplier clock;
  private final LongSupplier stopwatch;
  private final long boot;
  private volatile long newest;
  private volatile long forgotten;
  private volatile long revision;
  private volatile Set<NoticeKind> wanted = Set.of();
  private volatile boolean closed;

  /** Touched by the machine's thread only. */
  private @Nullable Machine heard;

  private Set<NoticeKind> hears = Set.of();

  /**
   * A stream without events.
   *
   * @param base path of the machine's resources: {@code /v1}
   * @param clock milliseconds since 1970
   */
  public EventStream(String base, LongSupplier clock) {
    this(base, clock, System::nanoTime);
  }

  /**
   * As {@link #EventStream(String, LongSupplier)}.
   *
   * @param stopwatch nanoseconds since some moment, by which readers know how long they were silent
   */
  EventStream(String base, LongSupplier clock, LongSupplier stopwatch) {
    this.base = base;
    this.clock = clock;
    this.stopwatch = stopwatch;
    this.boot = clock.getAsLong() * MICROS_PER_MILLI;
    this.newest = boot;
    this.forgotten = boot;
  }

  /** Has the machine say what readers want to know; on its thread, before each of its tasks. */
  public void listen(Machine machine) {
    if (machine != heard || hears != wanted) {
      hears = wanted;
      heard = machine;
      machine.hypervisor().notices().listen(hears);
    }
  }

  /**
   * Publishes what the machine has said; on its thread, after each of its tasks.
   *
   * @param request who asked for the task
   */
  public void publish(Machine machine, Optional<String> request) {
    Notices notices = machine.hypervisor().notices();
    revision = machine.revision().changes();
    for (Notice notice : notices.take()) {
      if (machine.faultRules().dropsEvent(notice.kind())) {
        countDropped("injected");
        continue;
      }
      if (notice.kind() == SimNotice.RESET) {
        forgotten = newest;
      }
      long simTime = machine.hypervisor().clock().now();
      add(notice, new Event.Moment(base, clock.getAsLong(), simTime, revision, request));
    }
    if (notices.lost() > 0) {
      dropped.computeIfAbsent("burst", _ -> new AtomicLong()).set(notices.lost());
    }
  }

  private void add(Notice notice, Event.Moment moment) {
    long id = newest + 1;
    ring.setRelease((int) (id % CAPACITY), new Event(id, notice, moment));
    newest = id;
    published.computeIfAbsent(notice.kind(), _ -> new LongAdder()).increment();
  }

  /** The event of a number; empty where it is not kept any more, or did not happen yet. */
  Optional<Event> find(long id) {
    Event event = id > forgotten ? ring.getAcquire((int) (id % CAPACITY)) : null;
    return Optional.ofNullable(event).filter(found -> found.id() == id);
  }

  /** Events after a number that somebody wants, at most so many. */
  public List<Event> after(long id, EventFilter filter, int most) {
    return LongStream.rangeClosed(Math.max(id + 1, oldest()), newest)
        .mapToObj(this::find)
        .flatMap(Optional::stream)
        .filter(filter::accepts)
        .limit(most)
        .toList();
  }

  /** The number of the last event, or the one before the first. */
  public long newest() {
    return newest;
  }

  /** The number of the first event that is kept. */
  public long oldest() {
    return Math.max(forgotten, newest - CAPACITY) + 1;
  }

  /** The last event before the last reset: it and those before it are as if they had not been. */
  long forgotten() {
    return forgotten;
  }

  /** Names this stream among those of other daemons: the number before its first event. */
  public long boot() {
    return boot;
  }

  /** The machine's after the last task. */
  public long revision() {
    return revision;
  }

  long nanos() {
    return stopwatch.getAsLong();
  }

  /** Whether no more events will come. */
  boolean isClosed() {
    return closed;
  }

  /**
   * Somebody who reads from now on, or from after an event on.
   *
   * @param after the last event that it has; empty for those to come
   */
  public EventReader read(EventFilter filter, EventReader.Format format, Optional<Long> after) {
    EventReader reader = new EventReader(this, filter, format, after);
    readers.add(reader);
    wantAgain();
    return reader;
  }

  void leave(EventReader reader) {
    if (readers.remove(reader)) {
      wantAgain();
    }
  }

  private synchronized void wantAgain() {
    wanted =
        readers.stream()
            .flatMap(reader -> reader.filter().frequent().stream())
            .collect(Collectors.toUnmodifiableSet());
  }

  void countDropped(String reason) {
    dropped.computeIfAbsent(reason, _ -> new AtomicLong()).incrementAndGet();
  }

  /** Events published so far, by type. */
  public Map<String, Long> published() {
    Map<String, Long> counts = new LinkedHashMap<>();
    for (NoticeKind kind : EventTypes.all()) {
      LongAdder count = published.get(kind);
      if (count != null) {
        counts.put(kind.type(), count.sum());
      }
    }
    return counts;
  }

  /** Events that did not reach somebody, and readers that were cut, by reason. */
  public Map<String, Long> dropped() {
    return dropped.entrySet().stream()
        .collect(Collectors.toMap(Map.Entry::getKey, entry -> entry.getValue().get()));
  }

  /** How many read now. */
  public int readers() {
    return readers.size();
  }

  /** Says good-bye to readers, who hear it when they ask next. */
  @Override
  public void close() {
    closed = true;
  }
}
