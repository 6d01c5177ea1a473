package io.hypercalld.api.http;

import io.hypercalld.api.rest.Encoded;
import io.hypercalld.api.rest.ServerRefusals;
import io.netty.buffer.ByteBufHolder;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.DecoderResult;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpStatusClass;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.handler.codec.http.TooLongHttpHeaderException;
import io.netty.handler.codec.http.TooLongHttpLineException;
import io.netty.util.ReferenceCountUtil;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Keeps one connection within its {@link Limits}, and refuses what is no HTTP as everything is
 * refused. Confined to the connection's event loop.
 *
 * <p>Time is looked at once a second: a request costs no timer. Who is being answered may wait as
 * long as the answer takes; whoever takes nothing of it is cut.
 */
final class ConnectionGuard extends ChannelDuplexHandler {
  private static final int TIMEOUT = 408;
  private static final int TOO_LARGE = 413;
  private static final int URI_TOO_LONG = 414;
  private static final int HEADERS_TOO_LARGE = 431;
  private static final int SATURATED = 503;

  private enum Phase {
    OPENED,
    BODY,
    ANSWERING,
    CONVERSING,
    IDLE,
    /** Something was refused that follows what is still to be answered. */
    REFUSING,
    REFUSED
  }

  private final Load load;
  private final ServerRefusals refusals;
  private final Predicate<HttpRequest> files;
  private Phase phase = Phase.OPENED;
  private long since = System.nanoTime();
  private int unanswered;
  private long bodyBytes;
  private boolean file;
  private long held;
  private long unsent;
  private Optional<Runnable> refusal = Optional.empty();
  private @Nullable ChannelHandlerContext place;
  private boolean counted = true;
  private boolean gone;

  /**
   * A guard of one connection.
   *
   * @param files tells the requests whose bodies are taken piece by piece
   */
  ConnectionGuard(Load load, ServerRefusals refusals, Predicate<HttpRequest> files) {
    this.load = load;
    this.refusals = refusals;
    this.files = files;
  }

  @Override
  public void handlerAdded(ChannelHandlerContext context) {
    place = context;
    watch(context);
    if (load.enter(this, context.executor())) {
      ConnectionGuard least = load.longestWaiting(context.executor()).orElse(this);
      least.makeRoom();
    }
  }

  @Override
  public void handlerRemoved(ChannelHandlerContext context) {
    leave();
    load.hold(-held);
    load.await(-unanswered);
    gone = true;
  }

  /** Who is going must not keep others out meanwhile. */
  private void leave() {
    ChannelHandlerContext context = place;
    if (counted && context != null) {
      counted = false;
      load.leave(this, context.executor());
    }
  }

  /** How long the other side has had nothing to say, in nanoseconds; 0 while it is served. */
  long waited() {
    return switch (phase) {
      case OPENED, BODY, IDLE -> System.nanoTime() - since;
      case ANSWERING, CONVERSING, REFUSING, REFUSED -> 0;
    };
  }

  /** Goes, as there is somebody else. */
  private void makeRoom() {
    ChannelHandlerContext context = place;
    leave();
    if (context == null) {
      return;
    }
    if (phase == Phase.IDLE) {
      var unused = context.close();
    } else {
      refuse(context, SATURATED, Optional.empty());
    }
  }

  private void watch(ChannelHandlerContext context) {
    after(
        1,
        context,
        () -> {
          if (!gone) {
            look(context);
            watch(context);
          }
        });
  }

  private static void after(int seconds, ChannelHandlerContext context, Runnable task) {
    CompletableFuture.delayedExecutor(seconds, TimeUnit.SECONDS, context.executor()).execute(task);
  }

  private void enter(Phase next) {
    phase = next;
    since = System.nanoTime();
  }

  private void look(ChannelHandlerContext context) {
    Limits limits = load.limits();
    switch (phase) {
      case OPENED -> refuseAfter(context, limits.opening());
      case BODY -> refuseAfter(context, file ? limits.idle() : limits.body());
      case IDLE -> closeAfter(context, limits.idle());
      case ANSWERING, CONVERSING, REFUSING, REFUSED -> {
        if (unsent > 0 || phase == Phase.REFUSED) {
          closeAfter(context, limits.stalled());
        }
      }
    }
  }

  private boolean isOver() {
    return phase == Phase.REFUSING || phase == Phase.REFUSED;
  }

  private boolean isOver(Duration time) {
    return System.nanoTime() - since > time.toNanos();
  }

  private void refuseAfter(ChannelHandlerContext context, Duration time) {
    if (isOver(time)) {
      refuse(context, TIMEOUT, Optional.empty());
    }
  }

  private void closeAfter(ChannelHandlerContext context, Duration time) {
    if (isOver(time)) {
      var unused = context.close();
    }
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    if (isOver() || (message instanceof HttpObject part && !admits(context, part))) {
      ReferenceCountUtil.release(message);
    } else {
      context.fireChannelRead(message);
    }
  }

  private boolean admits(ChannelHandlerContext context, HttpObject part) {
    Optional<String> id = Optional.empty();
    if (part instanceof HttpRequest request) {
      id = Optional.ofNullable(request.headers().get("X-Request-Id"));
      bodyBytes = 0;
      unanswered++;
      load.await(1);
      enter(Phase.BODY);
    }
    int status = judge(part);
    if (status != 0) {
      refuse(context, status, id);
      return false;
    }
    if (part instanceof LastHttpContent) {
      enter(Phase.ANSWERING);
    }
    return true;
  }

  /** With what status a part is refused; 0 where it is let through. */
  private int judge(HttpObject part) {
    if (part.decoderResult().isFailure()) {
      return malformed(part.decoderResult());
    }
    if (part instanceof HttpRequest request) {
      int status = load.owesTooMuch() ? SATURATED : HeadRules.judge(request);
      if (status != 0) {
        return status;
      }
      file = files.test(request);
      if (HttpUtil.getContentLength(request, 0L) > mostBytes()) {
        return TOO_LARGE;
      }
    }
    return part instanceof HttpContent content ? judgeBody(content.content().readableBytes()) : 0;
  }

  private long mostBytes() {
    return file ? Limits.FILE_BYTES : Limits.BODY_BYTES;
  }

  private int judgeBody(int bytes) {
    bodyBytes += bytes;
    if (bodyBytes > mostBytes()) {
      return TOO_LARGE;
    }
    if (file) {
      // Nothing of it stays, however slowly it comes.
      since = System.nanoTime();
      return 0;
    }
    if (load.hold(bytes) && bodyBytes > Limits.SMALL_BODY_BYTES) {
      load.hold(-bytes);
      return SATURATED;
    }
    held += bytes;
    return 0;
  }

  private static int malformed(DecoderResult result) {
    return switch (result.cause()) {
      case TooLongHttpLineException _ -> URI_TOO_LONG;
      case TooLongHttpHeaderException _ -> HEADERS_TOO_LARGE;
      default -> HeadRules.BAD_REQUEST;
    };
  }

  /** Says why, after the answers that are due before, and ends the connection. */
  private void refuse(ChannelHandlerContext context, int status, Optional<String> requestId) {
    if (unanswered > 1) {
      enter(Phase.REFUSING);
      refusal = Optional.of(() -> end(context, status, requestId));
    } else {
      end(context, status, requestId);
    }
  }

  /** What still comes on the connection cannot be told apart. */
  private void end(ChannelHandlerContext context, int status, Optional<String> requestId) {
    enter(Phase.REFUSED);
    Encoded encoded = refusals.of(status, requestId);
    DefaultFullHttpResponse answer =
        new DefaultFullHttpResponse(
            HttpVersion.HTTP_1_1,
            HttpResponseStatus.valueOf(encoded.status()),
            Unpooled.wrappedBuffer(encoded.body()));
    answer
        .headers()
        .set(HttpHeaderNames.CONTENT_TYPE, encoded.mediaType())
        .set(HttpHeaderNames.CONTENT_LENGTH, encoded.body().length)
        .set(HttpHeaderNames.CONNECTION, "close");
    encoded.headers().forEach(answer.headers()::set);
    context.writeAndFlush(answer).addListener(_ -> Farewell.say(context));
  }

  @Override
  public void write(ChannelHandlerContext context, Object message, ChannelPromise promise) {
    if (phase == Phase.REFUSED) {
      ReferenceCountUtil.release(message);
      promise.tryFailure(new java.nio.channels.ClosedChannelException());
      return;
    }
    ChannelPromise told = promise;
    if (message instanceof ByteBufHolder holder && holder.content().isReadable()) {
      told = promise.unvoid();
      owe(holder.content().readableBytes(), told);
    }
    var unused = context.write(message, told);
    if (phase == Phase.REFUSING) {
      // Whoever answers may wait with this for what is not let through.
      context.flush();
    }
    if (message instanceof LastHttpContent) {
      ends(message);
    }
  }

  private void owe(int bytes, ChannelPromise promise) {
    unsent += bytes;
    load.owe(bytes);
    promise.addListener(
        _ -> {
          unsent -= bytes;
          load.owe(-bytes);
          since = System.nanoTime();
        });
  }

  private void ends(Object message) {
    if (message instanceof HttpResponse response
        && response.status().codeClass() == HttpStatusClass.INFORMATIONAL) {
      if (response.status().equals(HttpResponseStatus.SWITCHING_PROTOCOLS)) {
        answered();
        enter(Phase.CONVERSING);
      }
    } else {
      answered();
    }
  }

  private void answered() {
    unanswered--;
    load.await(-1);
    if (phase == Phase.REFUSING && unanswered == 1) {
      refusal.ifPresent(Runnable::run);
    }
    if (unanswered == 0) {
      load.hold(-held);
      held = 0;
      enter(Phase.IDLE);
    }
  }
}
