package io.hypercalld.api.http;

import io.hypercalld.api.rest.Dispatcher;
import io.hypercalld.api.rest.ServerRefusals;
import io.micronaut.context.event.BeanCreatedEvent;
import io.micronaut.context.event.BeanCreatedEventListener;
import io.micronaut.http.server.netty.NettyServerCustomizer;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.ChannelPromise;
import io.netty.channel.unix.DomainSocketAddress;
import io.netty.handler.codec.http.HttpServerCodec;
import jakarta.inject.Singleton;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;

/**
 * Has connections come in where they may, encrypted where that is wanted; has each of them guarded,
 * and look out for requests whose answers are no single message. Thread-safe.
 */
@Singleton
final class ConnectionFront implements BeanCreatedEventListener<NettyServerCustomizer.Registry> {
  private final Dispatcher dispatcher;
  private final Doorway doorway;
  private final Deliveries deliveries = new Deliveries();
  private final ServerRefusals refusals = new ServerRefusals();

  ConnectionFront(Dispatcher dispatcher, Doorway doorway) {
    this.dispatcher = dispatcher;
    this.doorway = doorway;
  }

  @Override
  public NettyServerCustomizer.Registry onCreated(
      BeanCreatedEvent<NettyServerCustomizer.Registry> event) {
    event.getBean().register(new Listening());
    return event.getBean();
  }

  /** What is common to all connections. */
  private final class Listening implements NettyServerCustomizer {
    @Override
    public NettyServerCustomizer specializeForChannel(Channel channel, ChannelRole role) {
      if (role == ChannelRole.LISTENER) {
        doorway.opened(channel);
        channel.pipeline().addLast("binding", new Binding());
      }
      return role == ChannelRole.CONNECTION ? new Connected(channel) : this;
    }
  }

  /** The JDK's channels want the JDK's addresses. */
  private static final class Binding extends ChannelOutboundHandlerAdapter {
    @Override
    public void bind(ChannelHandlerContext context, SocketAddress local, ChannelPromise promise) {
      SocketAddress own =
          local instanceof DomainSocketAddress unix
              ? UnixDomainSocketAddress.of(unix.path())
              : local;
      var unused = context.bind(own, promise);
    }
  }

  /** One connection. */
  private final class Connected implements NettyServerCustomizer {
    private final Channel channel;

    Connected(Channel channel) {
      this.channel = channel;
    }

    @Override
    public void onInitialPipelineBuilt() {
      // What comes through a file never leaves the machine.
      if (channel.localAddress() instanceof InetSocketAddress) {
        doorway
            .tls()
            .ifPresent(tls -> channel.pipeline().addFirst("tls", tls.newHandler(channel.alloc())));
      }
    }

    @Override
    public void onStreamPipelineBuilt() {
      ChannelPipeline pipeline = channel.pipeline();
      if (pipeline.get(HttpServerCodec.class) != null) {
        String codec = pipeline.context(HttpServerCodec.class).name();
        pipeline.addAfter(codec, "streams", new WebSocketConnection(dispatcher));
        FlowConnection flow = new FlowConnection(dispatcher, deliveries);
        pipeline.addAfter(codec, "flows", flow);
        // Before all who would act on what it refuses.
        pipeline.addAfter(
            codec, "guard", new ConnectionGuard(doorway.load(), refusals, flow::brings));
      }
    }
  }
}
