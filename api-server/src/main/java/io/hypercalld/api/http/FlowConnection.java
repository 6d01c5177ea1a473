package io.hypercalld.api.http;

import io.hypercalld.api.event.Feed;
import io.hypercalld.api.rest.Dispatcher;
import io.hypercalld.api.rest.Encoded;
import io.hypercalld.api.rest.Request;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOption;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.DefaultHttpContent;
import io.netty.handler.codec.http.DefaultHttpResponse;
import io.netty.handler.codec.http.DefaultLastHttpContent;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpStatusClass;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * A connection of which an answer may go on and on, or be lost, or answer what goes on. Confined to
 * the connection's event loop.
 *
 * <p>What is to be sent is asked for only while the other side takes it, so that nothing piles up
 * here for whoever reads slowly. After such an answer the connection ends.
 */
final class FlowConnection extends ChannelDuplexHandler {
  /** Header of an answer that does not arrive. */
  static final String LOST = "X-Lost";

  private final Dispatcher dispatcher;
  private final Deliveries deliveries;
  private @Nullable Feed feed;
  private @Nullable Intake intake;
  private boolean taken;

  /** Requests before it that are to be answered first. */
  private int unanswered;

  private Optional<Runnable> beginning = Optional.empty();

  FlowConnection(Dispatcher dispatcher, Deliveries deliveries) {
    this.dispatcher = dispatcher;
    this.deliveries = deliveries;
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    if (taken) {
      bring(message);
      ReferenceCountUtil.release(message);
      return;
    }
    Optional<CompletableFuture<Dispatcher.Stream>> begun =
        message instanceof HttpRequest request ? answerTo(context, request) : Optional.empty();
    if (begun.isEmpty()) {
      unanswered += message instanceof HttpRequest ? 1 : 0;
      context.fireChannelRead(message);
      return;
    }
    taken = true;
    boolean chunked = HttpVersion.HTTP_1_1.equals(((HttpRequest) message).protocolVersion());
    ReferenceCountUtil.release(message);
    var unused =
        begun
            .get()
            .whenCompleteAsync(
                (stream, _) -> {
                  beginning = Optional.of(() -> begin(context, stream, chunked));
                  beginWhereDue();
                },
                context.channel().eventLoop());
  }

  /** The answer where it goes on, or where what it answers does. */
  private Optional<CompletableFuture<Dispatcher.Stream>> answerTo(
      ChannelHandlerContext context, HttpRequest request) {
    if (request.method().equals(HttpMethod.GET)) {
      return dispatcher.stream(
          WebSocketConnection.understand(request), context.channel().eventLoop());
    }
    return brings(request) ? Optional.of(take(context, request)) : Optional.empty();
  }

  /** Whether a request's body is long, and best read while it comes. */
  boolean brings(HttpRequest request) {
    boolean isLong =
        HttpUtil.isTransferEncodingChunked(request)
            || HttpUtil.getContentLength(request, 0L) > Limits.BODY_BYTES;
    return isLong && dispatcher.takesFile(WebSocketConnection.understand(request));
  }

  private CompletableFuture<Dispatcher.Stream> take(
      ChannelHandlerContext context, HttpRequest request) {
    Intake body = new Intake();
    intake = body;
    context.channel().config().setAutoRead(false);
    if (HttpUtil.is100ContinueExpected(request) && unanswered == 0) {
      var unused =
          context.writeAndFlush(
              new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.CONTINUE));
    }
    return dispatcher
        .dispatch(
            WebSocketConnection.understand(request).carrying(Request.Body.of(body)),
            HttpFront.turn(context.channel()))
        .thenApply(
            answer -> {
              body.close();
              return new Dispatcher.Stream(answer, Optional.empty());
            });
  }

  private void bring(Object message) {
    Intake current = intake;
    if (current != null && message instanceof HttpContent part) {
      current.add(ByteBufUtil.getBytes(part.content()));
      if (message instanceof LastHttpContent) {
        current.end();
        intake = null;
      }
    }
  }

  private void beginWhereDue() {
    if (unanswered == 0) {
      Optional<Runnable> due = beginning;
      beginning = Optional.empty();
      due.ifPresent(Runnable::run);
    }
  }

  private void begin(ChannelHandlerContext context, Dispatcher.Stream stream, boolean chunked) {
    if (stream.feed().isEmpty()) {
      context.channel().config().setAutoRead(true);
      context.writeAndFlush(whole(stream.head())).addListener(_ -> Farewell.say(context));
      return;
    }
    if (!context.channel().isActive()) {
      stream.feed().get().close();
      return;
    }
    feed = stream.feed().get();
    HttpResponse head = new DefaultHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.OK);
    addHeaders(head, stream.head());
    if (chunked) {
      HttpUtil.setTransferEncodingChunked(head, true);
    }
    var unused = context.writeAndFlush(head);
    context.channel().config().setAutoRead(true);
    deliveries.add(this, context);
    pump(context);
  }

  /** What is to be lost is, and the connection with it, as if the network had failed. */
  @Override
  public void write(ChannelHandlerContext context, Object message, ChannelPromise promise) {
    if (message instanceof HttpResponse response && response.headers().contains(LOST)) {
      ReferenceCountUtil.release(message);
      context.channel().config().setOption(ChannelOption.SO_LINGER, 0);
      var unused = context.close();
    } else {
      boolean answered = message instanceof LastHttpContent && !isInformational(message);
      var unused = context.write(message, promise);
      if (answered) {
        unanswered--;
        if (taken) {
          // Whoever answers waits with this for the end of what is read, which it does not hear of.
          context.flush();
          beginWhereDue();
        }
      }
    }
  }

  private static boolean isInformational(Object message) {
    return message instanceof HttpResponse response
        && response.status().codeClass() == HttpStatusClass.INFORMATIONAL;
  }

  private static DefaultFullHttpResponse whole(Encoded answer) {
    DefaultFullHttpResponse response =
        new DefaultFullHttpResponse(
            HttpVersion.HTTP_1_1,
            HttpResponseStatus.valueOf(answer.status()),
            Unpooled.wrappedBuffer(answer.body()));
    addHeaders(response, answer);
    response.headers().set(HttpHeaderNames.CONTENT_LENGTH, answer.body().length);
    return response;
  }

  private static void addHeaders(HttpResponse response, Encoded answer) {
    response.headers().set(HttpHeaderNames.CONTENT_TYPE, answer.mediaType());
    response.headers().set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
    answer.headers().forEach(response.headers()::set);
  }

  /** Sends what there is as long as it is taken. */
  void pump(ChannelHandlerContext context) {
    Feed current = feed;
    boolean sent = false;
    while (current != null && (context.channel().isWritable() || current.isUrgent())) {
      Feed.Piece piece = current.next();
      if (piece.bytes().hasRemaining()) {
        sent = true;
        var unused =
            context.write(
                new DefaultHttpContent(Unpooled.wrappedBuffer(piece.bytes().duplicate())));
      }
      if (piece.last()) {
        end(context);
        return;
      }
      if (!piece.bytes().hasRemaining()) {
        break;
      }
    }
    if (sent) {
      context.flush();
    }
  }

  private void end(ChannelHandlerContext context) {
    leave(context);
    context.writeAndFlush(new DefaultLastHttpContent()).addListener(_ -> Farewell.say(context));
  }

  private void leave(ChannelHandlerContext context) {
    Feed current = feed;
    if (current != null) {
      feed = null;
      deliveries.remove(context);
      current.close();
    }
  }

  @Override
  public void channelWritabilityChanged(ChannelHandlerContext context) {
    if (feed != null && context.channel().isWritable()) {
      pump(context);
    }
    context.fireChannelWritabilityChanged();
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext context, Object event) {
    // Nothing may happen for as long as it likes.
    if (!taken) {
      context.fireUserEventTriggered(event);
    }
  }

  @Override
  public void channelReadComplete(ChannelHandlerContext context) {
    Intake current = intake;
    if (current != null) {
      current.whenRoom(context::read);
    }
    if (!taken || unanswered > 0) {
      context.fireChannelReadComplete();
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) {
    leave(context);
    Intake current = intake;
    if (current != null) {
      current.cut();
    }
    context.fireChannelInactive();
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    if (taken) {
      var unused = context.close();
    } else {
      context.fireExceptionCaught(cause);
    }
  }
}
