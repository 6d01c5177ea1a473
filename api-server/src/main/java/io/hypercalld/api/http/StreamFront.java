package io.hypercalld.api.http;

import io.hypercalld.api.rest.Dispatcher;
import io.hypercalld.api.rest.ServerRefusals;
import io.micronaut.context.event.BeanCreatedEvent;
import io.micronaut.context.event.BeanCreatedEventListener;
import io.micronaut.http.server.netty.NettyServerCustomizer;
import io.netty.channel.Channel;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.codec.http.HttpServerCodec;
import jakarta.inject.Singleton;

/**
 * Has every connection guarded, and look out for requests whose answers are no single message.
 * Thread-safe.
 */
@Singleton
final class StreamFront implements BeanCreatedEventListener<NettyServerCustomizer.Registry> {
  private final Dispatcher dispatcher;
  private final Doorway doorway;
  private final Deliveries deliveries = new Deliveries();
  private final ServerRefusals refusals = new ServerRefusals();

  StreamFront(Dispatcher dispatcher, Doorway doorway) {
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
      return role == ChannelRole.CONNECTION ? new Connected(channel) : this;
    }
  }

  /** One connection. */
  private final class Connected implements NettyServerCustomizer {
    private final Channel channel;

    Connected(Channel channel) {
      this.channel = channel;
    }

    @Override
    public void onStreamPipelineBuilt() {
      ChannelPipeline pipeline = channel.pipeline();
      if (pipeline.get(HttpServerCodec.class) != null) {
        String codec = pipeline.context(HttpServerCodec.class).name();
        pipeline.addAfter(codec, "streams", new WebSocketConnection(dispatcher));
        pipeline.addAfter(codec, "flows", new FlowConnection(dispatcher, deliveries));
        // Before all who would act on what it refuses.
        pipeline.addAfter(codec, "guard", new ConnectionGuard(doorway.load(), refusals));
      }
    }
  }
}
