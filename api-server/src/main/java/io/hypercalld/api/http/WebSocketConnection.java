package io.hypercalld.api.http;

import io.hypercalld.api.rest.Dispatcher;
import io.hypercalld.api.rest.Request;
import io.hypercalld.api.rest.Talk;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.http.DefaultFullHttpRequest;
import io.netty.handler.codec.http.EmptyHttpHeaders;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.QueryStringDecoder;
import io.netty.handler.codec.http.websocketx.BinaryWebSocketFrame;
import io.netty.handler.codec.http.websocketx.CloseWebSocketFrame;
import io.netty.handler.codec.http.websocketx.PingWebSocketFrame;
import io.netty.handler.codec.http.websocketx.PongWebSocketFrame;
import io.netty.handler.codec.http.websocketx.TextWebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocketCloseStatus;
import io.netty.handler.codec.http.websocketx.WebSocketFrameAggregator;
import io.netty.handler.codec.http.websocketx.WebSocketServerHandshaker;
import io.netty.handler.codec.http.websocketx.WebSocketServerHandshakerFactory;
import io.netty.util.ReferenceCountUtil;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * A connection that may become a WebSocket. Confined to the connection's event loop.
 *
 * <p>What asks for a WebSocket where there is none goes on as any request does, and so is answered
 * with a problem document. While a message is worked on nothing is read, so that whoever writes
 * faster than the machine works is slowed down by TCP.
 */
final class WebSocketConnection extends ChannelInboundHandlerAdapter {
  private static final int MAX_MESSAGE_BYTES = 8 << 20;
  private static final int MAX_REASON_BYTES = 120;

  private final Dispatcher dispatcher;
  private @Nullable Talk talk;

  WebSocketConnection(Dispatcher dispatcher) {
    this.dispatcher = dispatcher;
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    Talk current = talk;
    if (current != null) {
      hear(context, current, message);
    } else if (!(message instanceof HttpRequest request
        && asksForWebSocket(request)
        && begin(context, request))) {
      context.fireChannelRead(message);
    }
  }

  private static boolean asksForWebSocket(HttpRequest request) {
    return request
        .headers()
        .containsValue(HttpHeaderNames.UPGRADE, HttpHeaderValues.WEBSOCKET, true);
  }

  /** Whether it becomes one. */
  private boolean begin(ChannelHandlerContext context, HttpRequest request) {
    Channel channel = context.channel();
    WebSocketServerHandshaker handshaker =
        new WebSocketServerHandshakerFactory(request.uri(), null, false, MAX_MESSAGE_BYTES)
            .newHandshaker(request);
    Optional<Talk> begun =
        dispatcher.converse(understand(request), channel.eventLoop(), new OtherEnd(channel));
    if (begun.isEmpty()) {
      return false;
    }
    if (handshaker == null) {
      var unused = WebSocketServerHandshakerFactory.sendUnsupportedVersionResponse(channel);
      return true;
    }
    talk = begun.get();
    context
        .pipeline()
        .addBefore(context.name(), "messages", new WebSocketFrameAggregator(MAX_MESSAGE_BYTES));
    handshaker
        .handshake(channel, withoutBody(request))
        .addListener(
            done -> {
              channel.config().setAutoRead(true);
              if (done.isSuccess()) {
                begun.get().begin();
              } else {
                var unused = channel.close();
              }
            });
    return true;
  }

  private static DefaultFullHttpRequest withoutBody(HttpRequest request) {
    return new DefaultFullHttpRequest(
        request.protocolVersion(),
        request.method(),
        request.uri(),
        Unpooled.EMPTY_BUFFER,
        request.headers(),
        EmptyHttpHeaders.INSTANCE);
  }

  static Request understand(HttpRequest request) {
    QueryStringDecoder uri = new QueryStringDecoder(request.uri());
    return Request.of(
        request.method().name(),
        uri.path(),
        uri.parameters(),
        name -> Optional.ofNullable(request.headers().get(name)),
        new Request.Body(new byte[0]));
  }

  private static void hear(ChannelHandlerContext context, Talk talk, Object message) {
    Channel channel = context.channel();
    try {
      switch (message) {
        case TextWebSocketFrame text -> {
          channel.config().setAutoRead(false);
          var unused =
              talk.hear(ByteBufUtil.getBytes(text.content()))
                  .whenComplete((_, _) -> channel.config().setAutoRead(true));
        }
        case PingWebSocketFrame ping -> {
          var unused = channel.writeAndFlush(new PongWebSocketFrame(ping.content().retain()));
        }
        case CloseWebSocketFrame close ->
            end(channel, WebSocketCloseStatus.valueOf(close.statusCode()), "");
        case PongWebSocketFrame _ -> {}
        case BinaryWebSocketFrame _ ->
            end(channel, WebSocketCloseStatus.INVALID_MESSAGE_TYPE, "messages are JSON text");
        // The end of the request that asked for the WebSocket.
        default -> {}
      }
    } finally {
      ReferenceCountUtil.release(message);
    }
  }

  private static void end(Channel channel, WebSocketCloseStatus status, String reason) {
    CloseWebSocketFrame close =
        status.code() == WebSocketCloseStatus.EMPTY.code()
            ? new CloseWebSocketFrame()
            : new CloseWebSocketFrame(status, reason);
    channel.writeAndFlush(close).addListener(ChannelFutureListener.CLOSE);
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext context, Object event) {
    // A WebSocket may be silent for as long as it likes, unlike a connection between requests.
    if (talk == null) {
      context.fireUserEventTriggered(event);
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) {
    Talk current = talk;
    if (current != null) {
      current.close();
    }
    context.fireChannelInactive();
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    if (talk == null) {
      context.fireExceptionCaught(cause);
    } else {
      var unused = context.close();
    }
  }

  /** The other end. */
  private record OtherEnd(Channel channel) implements Talk.Peer {
    @Override
    public CompletableFuture<?> send(byte[] message) {
      CompletableFuture<Boolean> sent = new CompletableFuture<>();
      ChannelFuture written =
          channel.writeAndFlush(new TextWebSocketFrame(Unpooled.wrappedBuffer(message)));
      written.addListener(
          done -> {
            if (done.isSuccess()) {
              sent.complete(true);
            } else {
              sent.completeExceptionally(done.cause());
            }
          });
      return sent;
    }

    @Override
    public void close(int code, String reason) {
      String cut = reason.substring(0, Math.min(reason.length(), MAX_REASON_BYTES));
      end(channel, WebSocketCloseStatus.valueOf(code), cut);
    }
  }
}
