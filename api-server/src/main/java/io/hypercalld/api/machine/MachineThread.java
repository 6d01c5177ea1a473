package io.hypercalld.api.machine;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jctools.queues.atomic.MpscAtomicArrayQueue;
import org.jspecify.annotations.Nullable;

/**
 * The one thread that touches a machine. Thread-safe.
 *
 * <p>Tasks wait in a bounded queue and are executed in batches, in order. After a batch a view of
 * the machine is published, and only then do its callers learn their results: who reads the view
 * after an answer sees at least what the answer was about, and never waits.
 *
 * @param <M> the machine
 * @param <V> an immutable view of it
 */
public final class MachineThread<M, V> implements AutoCloseable {
  /** Tasks that may wait; beyond that callers are told to come back. */
  public static final int DEFAULT_CAPACITY = 4096;

  private static final int BATCH = 256;

  private final Function<M, V> viewing;
  private final MpscAtomicArrayQueue<Pending<M, ?>> queue;
  private final AtomicInteger inFlight = new AtomicInteger();
  private final Thread thread;
  private final CompletableFuture<M> ended = new CompletableFuture<>();

  /** Touched by the thread only. */
  private final List<Waiting<M, ?>> watchers = new ArrayList<>();

  /** Changed by the thread only. */
  private volatile M machine;

  private volatile V view;
  private volatile boolean closed;
  private volatile boolean resting;

  /** Starts the thread of a machine that nobody else touches from now on. */
  public MachineThread(M machine, Function<M, V> viewing, int capacity) {
    this.machine = machine;
    this.viewing = viewing;
    this.queue = new MpscAtomicArrayQueue<>(capacity);
    this.view = viewing.apply(machine);
    this.thread = Thread.ofPlatform().name("machine").daemon().unstarted(this::run);
    thread.start();
  }

  /**
   * Has a task executed.
   *
   * @return completed on the machine thread, with the task's result or with what it threw
   * @throws Overloaded where the queue is full, or the thread has been closed
   */
  public <T> CompletableFuture<T> submit(Function<? super M, T> task) {
    return exchange(machine -> new Exchange<>(machine, task.apply(machine)));
  }

  /**
   * What comes of a task that may put another machine in the place of the one there is.
   *
   * @param machine the one from now on
   * @param settled what else is over with the one before; not where it was only tried
   */
  public record Exchange<M, T>(M machine, T result, Runnable settled) {
    /** Nothing else is over. */
    public Exchange(M machine, T result) {
      this(machine, result, () -> {});
    }
  }

  /** As {@link #submit}, for a task after which the thread may have another machine. */
  public <T> CompletableFuture<T> exchange(Function<? super M, Exchange<M, T>> task) {
    Pending<M, T> pending = new Pending<>(task);
    inFlight.incrementAndGet();
    if (closed || !queue.offer(pending)) {
      inFlight.decrementAndGet();
      throw new Overloaded();
    }
    if (resting) {
      LockSupport.unpark(thread);
    }
    return pending.future;
  }

  /**
   * Waits for something to come about.
   *
   * @return completed with what came of it, or when the time was up
   * @throws Overloaded as {@link #submit}
   */
  public <T> CompletableFuture<T> await(Wait<M, T> wait) {
    if (wait.most().isZero()) {
      return submit(wait::now);
    }
    Waiting<M, T> waiting = new Waiting<>(wait);
    var unused =
        submit(
                machine -> {
                  if (!waiting.settles(machine)) {
                    watchers.add(waiting);
                  }
                  return waiting;
                })
            .whenComplete((_, failure) -> waiting.admitted(failure));
    CompletableFuture<Boolean> patience = new CompletableFuture<>();
    var unusedToo =
        patience
            .completeOnTimeout(true, wait.most().toMillis(), TimeUnit.MILLISECONDS)
            .thenRun(() -> giveUp(waiting));
    // Whoever is told forgets the time, of which there may be many a second.
    return waiting.future.whenComplete((_, _) -> patience.cancel(false));
  }

  private void giveUp(Waiting<M, ?> waiting) {
    if (waiting.future.isDone()) {
      return;
    }
    try {
      var unused =
          submit(
                  machine -> {
                    watchers.remove(waiting);
                    waiting.giveUp(machine);
                    return waiting;
                  })
              .whenComplete((_, failure) -> waiting.admitted(failure));
    } catch (Overloaded e) {
      waiting.future.completeExceptionally(e);
    }
  }

  /** The machine that it has now; nobody else touches it before the thread has ended. */
  public M machine() {
    return machine;
  }

  /** The view after the last batch. */
  public V view() {
    return view;
  }

  /** Tasks that are waiting or being executed. */
  public int inFlight() {
    return inFlight.get();
  }

  public boolean isAlive() {
    return thread.isAlive();
  }

  private void run() {
    List<Pending<M, ?>> batch = new ArrayList<>(BATCH);
    try {
      while (!closed || !queue.isEmpty()) {
        if (queue.drain(batch::add, BATCH) == 0) {
          rest();
        } else {
          execute(batch);
        }
      }
    } catch (RuntimeException | Error defect) {
      // Not a task's, which end at their callers: without a view nobody can be told anything more.
      closed = true;
      batch.forEach(pending -> pending.future.completeExceptionally(defect));
      throw defect;
    } finally {
      // Whoever got in between the last look and now is turned away like those who come later.
      queue.drain(pending -> pending.future.completeExceptionally(new Overloaded()));
      watchers.forEach(waiting -> waiting.future.completeExceptionally(new Overloaded()));
      inFlight.set(0);
      ended.complete(machine);
    }
  }

  private void execute(List<Pending<M, ?>> batch) {
    for (Pending<M, ?> pending : batch) {
      machine = pending.execute(machine);
    }
    M now = machine;
    List<Waiting<M, ?>> settled =
        watchers.isEmpty()
            ? List.of()
            : watchers.stream().filter(waiting -> waiting.settles(now)).toList();
    watchers.removeAll(settled);
    view = viewing.apply(now);
    // Counted down before anybody is told, so that nobody counts a call that has been answered.
    inFlight.addAndGet(-batch.size());
    batch.forEach(Pending::tell);
    settled.forEach(Waiting::tell);
    batch.clear();
  }

  /**
   * Sleeps until somebody brings a task. Whoever brought one before {@code resting} was seen has
   * advanced the queue's index by then, so one of the two sides always notices the other.
   */
  private void rest() {
    resting = true;
    if (queue.isEmpty() && !closed) {
      LockSupport.park(this);
    }
    resting = false;
  }

  /** Has something done with the machine when nobody else touches it any more. */
  public void whenEnded(Consumer<? super M> last) {
    var unused = ended.thenAccept(last);
  }

  /** Has the thread end once it has executed what is queued. */
  public void stop() {
    closed = true;
    LockSupport.unpark(thread);
  }

  /** The same, and waits for it. */
  @Override
  public void close() {
    stop();
    try {
      thread.join(Duration.ofSeconds(1));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** One task and whom to tell. */
  private static final class Pending<M, T> {
    private final Function<? super M, Exchange<M, T>> task;
    private final CompletableFuture<T> future = new CompletableFuture<>();
    private @Nullable Supplier<T> result;

    Pending(Function<? super M, Exchange<M, T>> task) {
      this.task = task;
    }

    /** Executes the task; answers the machine to go on with. */
    M execute(M machine) {
      try {
        Exchange<M, T> done = task.apply(machine);
        result = done::result;
        return done.machine;
      } catch (RuntimeException | Error e) {
        // Whatever it is ends at the caller: the machine goes on.
        result =
            () -> {
              throw e;
            };
        return machine;
      }
    }

    void tell() {
      try {
        future.complete(Optional.ofNullable(result).orElseThrow().get());
      } catch (RuntimeException | Error e) {
        future.completeExceptionally(e);
      }
    }
  }

  /** Somebody who waits, and whom to tell. */
  private static final class Waiting<M, T> {
    private final Wait<M, T> wait;
    private final CompletableFuture<T> future = new CompletableFuture<>();
    private @Nullable Supplier<T> result;

    Waiting(Wait<M, T> wait) {
      this.wait = wait;
    }

    /** Whether it came about, or went wrong. */
    boolean settles(M machine) {
      if (result == null) {
        try {
          wait.attempt().apply(machine).ifPresent(value -> result = () -> value);
        } catch (RuntimeException | Error e) {
          result =
              () -> {
                throw e;
              };
        }
      }
      return result != null;
    }

    void giveUp(M machine) {
      if (result == null) {
        T value = wait.giveUp().apply(machine);
        result = () -> value;
      }
    }

    /** The task that asked first, or that gave up, is done. */
    void admitted(@Nullable Throwable failure) {
      if (failure != null) {
        future.completeExceptionally(failure);
      } else if (result != null) {
        tell();
      }
    }

    void tell() {
      Supplier<T> known = result;
      if (known == null) {
        return;
      }
      try {
        future.complete(known.get());
      } catch (RuntimeException | Error e) {
        future.completeExceptionally(e);
      }
    }
  }
}
