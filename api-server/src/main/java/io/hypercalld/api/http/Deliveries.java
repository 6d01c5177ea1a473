package io.hypercalld.api.http;

import io.netty.channel.ChannelHandlerContext;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;

/**
 * Looks now and then whether there is something new for answers that go on. Thread-safe.
 *
 * <p>Each event loop looks after its own connections, and for at most a tenth of its time: however
 * many watch, and however much happens, requests have the rest. Who cannot be told in time is cut
 * by its feed.
 */
final class Deliveries {
  private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(20);
  private static final int SHARE = 9;

  /** Requests wait so long at most. */
  private static final long LONGEST_NANOS = TimeUnit.MILLISECONDS.toNanos(2);

  private final Map<Executor, Round> rounds = new ConcurrentHashMap<>();

  void add(FlowConnection connection, ChannelHandlerContext context) {
    rounds.computeIfAbsent(context.executor(), Round::new).add(connection, context);
  }

  void remove(ChannelHandlerContext context) {
    Round round = rounds.get(context.executor());
    if (round != null) {
      round.members.remove(context);
    }
  }

  /** What one event loop looks after. Confined to it. */
  private static final class Round implements Runnable {
    private final Map<ChannelHandlerContext, FlowConnection> members = new LinkedHashMap<>();
    private final Deque<ChannelHandlerContext> turn = new ArrayDeque<>();
    private final Executor loop;
    private boolean scheduled;

    Round(Executor loop) {
      this.loop = loop;
    }

    void add(FlowConnection connection, ChannelHandlerContext context) {
      members.put(context, connection);
      schedule(PAUSE_NANOS);
    }

    private void schedule(long nanos) {
      if (!scheduled) {
        scheduled = true;
        CompletableFuture.delayedExecutor(nanos, TimeUnit.NANOSECONDS, loop).execute(this);
      }
    }

    @Override
    public void run() {
      scheduled = false;
      long began = System.nanoTime();
      if (turn.isEmpty()) {
        turn.addAll(members.keySet());
      }
      while (!turn.isEmpty() && System.nanoTime() - began < LONGEST_NANOS) {
        ChannelHandlerContext next = turn.remove();
        FlowConnection connection = members.get(next);
        if (connection != null) {
          connection.pump(next);
        }
      }
      if (!members.isEmpty()) {
        long rest = SHARE * (System.nanoTime() - began);
        schedule(turn.isEmpty() ? Math.max(PAUSE_NANOS, rest) : rest);
      }
    }
  }
}
