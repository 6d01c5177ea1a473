package io.hypercalld.api.http;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.EventExecutor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
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

  private final Map<EventExecutor, Round> rounds = new ConcurrentHashMap<>();

  void add(FlowConnection connection, ChannelHandlerContext context) {
    rounds
        .computeIfAbsent(context.executor(), _ -> new Round(context.channel().eventLoop()))
        .add(connection, context);
  }

  void remove(ChannelHandlerContext context) {
    rounds.get(context.executor()).members.remove(context);
  }

  /** What one event loop looks after. Confined to it. */
  private static final class Round implements Runnable {
    private final Map<ChannelHandlerContext, FlowConnection> members = new LinkedHashMap<>();
    private final EventLoop loop;
    private boolean scheduled;

    Round(EventLoop loop) {
      this.loop = loop;
    }

    void add(FlowConnection connection, ChannelHandlerContext context) {
      members.put(context, connection);
      schedule(PAUSE_NANOS);
    }

    private void schedule(long nanos) {
      if (!scheduled) {
        scheduled = true;
        var unused = loop.schedule(this, nanos, TimeUnit.NANOSECONDS);
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
