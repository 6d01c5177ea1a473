package io.hypercalld.core.p2m;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Who is told of a P2M's changes, and which changes they were not told of because a hook is off.
 * Confined to the machine thread.
 */
public final class Announcements implements Digestible {
  private final List<P2mObserver> observers = new ArrayList<>();
  private final List<P2mObserver> followers = new ArrayList<>();
  private final FrameRanges<SyncHook> missed = new FrameRanges<>();
  private Set<SyncHook> hooks = EnumSet.allOf(SyncHook.class);
  private Optional<SyncHook> current = Optional.empty();
  private P2mWatcher watcher = P2mWatcher.NOBODY;

  /** Whether nobody listens. */
  public boolean isUnheard() {
    return observers.isEmpty() && followers.isEmpty();
  }

  /** Adds somebody who is told of every change, whatever hooks are on, and refuses none. */
  public void follow(P2mObserver follower) {
    followers.add(follower);
  }

  /**
   * Adds an observer; they are told in the order of registration. Those before the one that refuses
   * do not hear that it did, so one that may refuse is to come first.
   */
  public void observe(P2mObserver observer) {
    observers.add(observer);
  }

  /** Removes an observer. */
  public void forget(P2mObserver observer) {
    observers.remove(observer);
    followers.remove(observer);
  }

  /** Has somebody else told of everything, whatever the hooks are. */
  public void watch(P2mWatcher by) {
    watcher = by;
  }

  P2mWatcher watcher() {
    return watcher;
  }

  /** The hooks that are on. */
  public Set<SyncHook> hooks() {
    return Collections.unmodifiableSet(hooks);
  }

  /** Turns hooks on and the others off; all are on at first. */
  public void setHooks(Set<SyncHook> on) {
    EnumSet<SyncHook> copy = EnumSet.noneOf(SyncHook.class);
    copy.addAll(on);
    hooks = copy;
  }

  /** Within another hook's change, the outer one counts: it is the place that was called. */
  void during(SyncHook hook, Runnable change) {
    if (current.isPresent()) {
      change.run();
      return;
    }
    current = Optional.of(hook);
    try {
      change.run();
    } finally {
      current = Optional.empty();
    }
  }

  /** Tells everybody, unless the hook is off: then it is remembered until the next change there. */
  void announce(P2mChange change) {
    long start = change.gfn().value();
    long end = start + change.frames();
    if (current.isPresent() && !hooks.contains(current.get())) {
      missed.put(start, end, current.get());
      followers.forEach(follower -> follower.changed(change));
      return;
    }
    announceAlways(change);
  }

  /** Tells everybody of what is no hook's business. */
  void announceAlways(P2mChange change) {
    observers.forEach(observer -> observer.changed(change));
    followers.forEach(follower -> follower.changed(change));
    missed.remove(change.gfn().value(), change.gfn().value() + change.frames());
  }

  /** The hook whose being off kept the last change of the guest frame from observers. */
  public Optional<SyncHook> missedAt(Gfn gfn) {
    return missed.at(gfn.value());
  }

  @Override
  public void digest(StateDigest digest) {
    hooks.forEach(hook -> digest.put(hook.toString()));
    missed.forEach((start, end, hook) -> digest.put(start).put(end).put(hook.toString()));
  }
}
