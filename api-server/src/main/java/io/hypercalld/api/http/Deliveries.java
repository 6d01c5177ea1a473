package io.hypercalld.api.http;

import io.netty.channel.ChannelHandlerContext;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
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
      List<Map.Entry<ChannelHandlerContext, FlowConnection>> all =
          new ArrayList<>(members.entrySet());
      all.forEach(member -> member.getValue().pump(member.getKey()));
      if (!members.isEmpty()) {
        schedule(Math.max(PAUSE_NANOS, SHARE * (System.nanoTime() - began)));
      }
    }
  }
}
