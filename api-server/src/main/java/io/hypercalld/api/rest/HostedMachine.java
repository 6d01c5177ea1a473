package io.hypercalld.api.rest;

import io.hypercalld.api.event.EventStream;
import io.hypercalld.api.machine.Machine;
import io.hypercalld.api.machine.MachineThread;
import io.hypercalld.api.machine.Snapshots;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;

/** A machine, and what the daemon keeps for this one alone. Thread-safe. */
public final class HostedMachine implements AutoCloseable {
  private final String name;
  private final MachineThread<Machine, ?> thread;
  private final Snapshots snapshots;
  private final EventStream events;
  private final RequestJournal requests = new RequestJournal();
  private final IdempotencyKeys keys = new IdempotencyKeys();
  private final Listings listings = new Listings();
  private final AtomicLong seriesDropped = new AtomicLong();
  private final long began = System.nanoTime();

  public HostedMachine(String name, MachineThread<Machine, ?> thread, Snapshots snapshots) {
    this(name, thread, snapshots, eventsOf(name));
  }

  private HostedMachine(
      String name, MachineThread<Machine, ?> thread, Snapshots snapshots, EventStream events) {
    this.name = name;
    this.thread = thread;
    this.snapshots = snapshots;
    this.events = events;
  }

  private static EventStream eventsOf(String name) {
    return new EventStream(
        name.equals(Machines.DEFAULT) ? Machines.VERSION : Machines.PATH + "/" + name,
        System::currentTimeMillis);
  }

  /**
   * Boots a machine and has its thread begin.
   *
   * @param snapshots none yet
   * @param viewing takes the view of it that is published
   * @throws io.hypercalld.core.errno.Refusal where its platform cannot carry it
   */
  public static HostedMachine boot(String name, Snapshots snapshots, Function<Machine, ?> viewing) {
    EventStream events = eventsOf(name);
    MachineThread<Machine, ?> thread =
        new MachineThread<>(
            snapshots.boot(),
            machine -> {
              // What happened in nobody's name is told before those who caused it are answered.
              events.publish(machine, Optional.empty());
              events.listen(machine);
              return viewing.apply(machine);
            },
            MachineThread.DEFAULT_CAPACITY);
    return new HostedMachine(name, thread, snapshots, events);
  }

  public String name() {
    return name;
  }

  /** Whether it is the one that needs no name. */
  public boolean isDefault() {
    return name.equals(Machines.DEFAULT);
  }

  /** Where everything of it is served: what a path of the default machine has before it. */
  public String base() {
    return isDefault() ? "" : Machines.PATH + "/" + name;
  }

  /** A path of the default machine as this machine has it. */
  public String pathOf(String path) {
    String within = path.startsWith(Machines.VERSION + "/") ? path.substring(3) : path;
    return isDefault() ? path : base() + within;
  }

  /** The one thread that touches it. */
  public MachineThread<Machine, ?> thread() {
    return thread;
  }

  /** What was published last, which is of this type. */
  public <V> V view(Class<V> type) {
    return type.cast(thread.view());
  }

  /** The states of it that are kept; confined to its thread. */
  public Snapshots snapshots() {
    return snapshots;
  }

  /** What happens in it, for whoever watches. */
  public EventStream events() {
    return events;
  }

  /** What it was asked last. */
  public RequestJournal requests() {
    return requests;
  }

  /** Changes that are made once, however often they are asked for. */
  IdempotencyKeys keys() {
    return keys;
  }

  /** Lists of it that somebody is reading. */
  public Listings listings() {
    return listings;
  }

  /** Forgets what was asked but for this: it is not as if that had been done. */
  public void forget(Request cause) {
    requests.clear();
    keys.clear(cause);
    listings.clear();
  }

  /** How many series its metrics had to leave out so far. */
  public AtomicLong seriesDropped() {
    return seriesDropped;
  }

  /** Since it was made. */
  public long uptimeSeconds() {
    return TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - began);
  }

  /** Has it end after what is queued, and give back what it holds. */
  @Override
  public void close() {
    events.close();
    thread.stop();
    thread.whenEnded(
        machine -> {
          machine.close();
          snapshots.close();
        });
  }
}
