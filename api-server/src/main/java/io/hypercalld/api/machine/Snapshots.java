package io.hypercalld.api.machine;

import io.hypercalld.api.copy.GraphCopies;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Supplier;

/** Machines as they once were, by name. Confined to the machine thread. */
public final class Snapshots implements AutoCloseable {
  private static final int MOST = 64;

  private final Supplier<Machine> booting;
  private final TreeMap<String, Snapshot> kept = new TreeMap<>();

  /**
   * A machine as it once was.
   *
   * @param machine never executes anything
   */
  public record Snapshot(String name, Machine machine) {
    /** The machine's time when it was taken, in nanoseconds since the machine started. */
    public long takenAt() {
      return machine.hypervisor().clock().now();
    }
  }

  /**
   * No snapshots yet.
   *
   * @param booting makes the machine as it starts
   */
  public Snapshots(Supplier<Machine> booting) {
    this.booting = booting;
  }

  /** A machine that has just started. */
  public Machine boot() {
    return heard(booting.get());
  }

  /** What happens until it can be reached is nobody's business. */
  private static Machine heard(Machine booted) {
    booted.hypervisor().notices().listen(Set.of());
    return booted;
  }

  /**
   * Keeps a machine as it is now.
   *
   * @throws Refusal EEXIST there is one of that name; ENOSPC there are 64 already
   */
  public Snapshot take(String name, Machine machine) {
    checkRoomFor(name);
    Snapshot taken = new Snapshot(name, new GraphCopies().of(machine));
    kept.put(name, taken);
    machine.hypervisor().notices().tell(SimNotice.SNAPSHOT, new SimNotice.Kept(name));
    return taken;
  }

  /**
   * Finds out whether a snapshot of a name may be taken.
   *
   * @throws Refusal as {@link #take}
   */
  public void checkRoomFor(String name) {
    if (kept.containsKey(name)) {
      throw Refusal.of(Errno.EEXIST, "there is a snapshot %s already", name);
    }
    if (kept.size() == MOST) {
      throw Refusal.of(Errno.ENOSPC, "there are %d snapshots already", MOST);
    }
  }

  /**
   * The snapshot of a name.
   *
   * @throws Refusal ENOENT
   */
  public Snapshot get(String name) {
    return Optional.ofNullable(kept.get(name))
        .orElseThrow(() -> Refusal.of(Errno.ENOENT, "there is no snapshot %s", name));
  }

  /** All of them, by name. */
  public List<Snapshot> all() {
    return List.copyOf(kept.values());
  }

  /**
   * Forgets a snapshot.
   *
   * @throws Refusal ENOENT
   */
  public void remove(String name) {
    get(name).machine().close();
    kept.remove(name);
  }

  /**
   * A machine that goes on from a snapshot, which stays as it is.
   *
   * @throws Refusal ENOENT
   */
  public Machine restore(String name) {
    Machine restored = new GraphCopies().of(get(name).machine());
    restored.hypervisor().notices().tell(SimNotice.RESTORED, new SimNotice.Kept(name));
    return restored;
  }

  /** Forgets all of them. */
  @Override
  public void close() {
    kept.values().forEach(snapshot -> snapshot.machine().close());
    kept.clear();
  }
}
