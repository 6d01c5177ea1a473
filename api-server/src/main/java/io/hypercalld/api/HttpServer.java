package io.hypercalld.api;

import io.hypercalld.api.cli.DaemonSettings.Listen;
import io.hypercalld.api.http.Doorway;
import io.hypercalld.api.http.Limits;
import io.hypercalld.api.rest.Dispatcher;
import io.micronaut.context.ApplicationContext;
import io.micronaut.http.server.exceptions.ServerStartupException;
import io.micronaut.runtime.server.EmbeddedServer;
import java.net.BindException;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/** The server in front of a dispatcher. Thread-safe. */
final class HttpServer implements AutoCloseable {
  private static final String LISTENERS = "micronaut.server.netty.listeners.";

  private final Listen listen;
  private final Optional<UnixSocket> unix;
  private final Doorway doorway;
  private final ApplicationContext context;
  private final EmbeddedServer server;

  /** Whether what is at the socket's place is its own. */
  private volatile boolean prepared;

  /** A server that does not listen yet. */
  HttpServer(Listen listen, Limits limits, Dispatcher dispatcher) {
    this.listen = listen;
    this.unix = listen.unixSocket().map(UnixSocket::new);
    this.doorway = new Doorway(limits, Tls.of(listen.certificate()));
    this.context =
        ApplicationContext.builder()
            .banner(false)
            .deduceEnvironment(false)
            .eagerInitSingletons(false)
            .environmentPropertySource(false)
            .properties(properties(listen))
            .singletons(dispatcher, doorway)
            .start();
    this.server = context.getBean(EmbeddedServer.class);
  }

  private static Map<String, Object> properties(Listen listen) {
    Map<String, Object> properties = new HashMap<>();
    int port = listen.port() == 0 ? -1 : listen.port();
    properties.put("micronaut.application.name", "hypercalld");
    properties.put("micronaut.server.host", listen.host());
    properties.put("micronaut.server.port", port);
    properties.put("micronaut.server.max-request-size", Limits.BODY_BYTES);
    // Foreign pages are refused by Access, which says why.
    properties.put("micronaut.server.cors.localhost-pass-through", true);
    properties.put("micronaut.server.netty.max-request-buffer-size", 2 * Limits.BODY_BYTES);
    // A body is what it is, and not what it might unpack to.
    properties.put("micronaut.server.netty.request-decompression-enabled", false);
    properties.put("micronaut.netty.event-loops.default.num-threads", 2);
    listen
        .unixSocket()
        .ifPresent(
            path -> {
              properties.put(LISTENERS + "tcp.host", listen.host());
              properties.put(LISTENERS + "tcp.port", port);
              properties.put(LISTENERS + "unix.family", "UNIX");
              properties.put(LISTENERS + "unix.path", path.toString());
            });
    return properties;
  }

  /**
   * Begins to listen.
   *
   * @throws CannotListen where the address is not to be had
   */
  void start() {
    unix.ifPresent(UnixSocket::prepare);
    prepared = true;
    try {
      server.start();
    } catch (ServerStartupException e) {
      boolean taken = e.getCause() instanceof BindException;
      throw new CannotListen(
          listen.host(),
          listen.port(),
          taken ? "the port is in use or not permitted" : "the address is not available");
    }
    unix.ifPresent(UnixSocket::protect);
  }

  /** Where it is served. */
  String url() {
    return "%s://%s:%d"
        .formatted(
            listen.certificate().isPresent() ? "https" : "http",
            server.getHost(),
            server.getPort());
  }

  /** Takes no more connections. */
  void stopListening() {
    doorway.close();
    if (prepared) {
      unix.ifPresent(UnixSocket::remove);
    }
  }

  /** Whether somebody waits for an answer. */
  boolean isAnswering() {
    return doorway.isAnswering();
  }

  @Override
  public void close() {
    context.close();
  }
}
