package io.hypercalld.api.http;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.socket.DuplexChannel;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * How a connection ends after its last answer. Whoever is still sending would hear nothing of it if
 * the connection were closed at once: what arrives at a closed one has everything thrown away that
 * is on its way back. Never instantiated.
 *
 * @see "RFC 9112 §9.6"
 */
final class Farewell {
  private static final int SECONDS = 2;

  private Farewell() {}

  /** Says that there is no more, and waits a little for the other side to go. */
  static void say(ChannelHandlerContext context) {
    if (context.channel() instanceof DuplexChannel channel) {
      var unused = channel.shutdownOutput();
      CompletableFuture.delayedExecutor(SECONDS, TimeUnit.SECONDS, context.executor())
          .execute(() -> close(context));
    } else {
      close(context);
    }
  }

  private static void close(ChannelHandlerContext context) {
    var unused = context.close();
  }
}
