package io.hypercalld.api.http;

import io.netty.channel.Channel;
import io.netty.handler.ssl.SslContext;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** How connections come in, and whether any more do. Thread-safe. */
public final class Doorway {
  private final Optional<SslContext> tls;
  private final Load load;
  private final Set<Channel> listeners = ConcurrentHashMap.newKeySet();

  /**
   * An open one.
   *
   * @param tls what TCP connections are encrypted with; empty where they are not
   */
  public Doorway(Limits limits, Optional<SslContext> tls) {
    this.tls = tls;
    this.load = new Load(limits);
  }

  Optional<SslContext> tls() {
    return tls;
  }

  Load load() {
    return load;
  }

  /** A channel that takes connections. */
  void opened(Channel listener) {
    listeners.add(listener);
  }

  /** Takes no more connections. */
  public void close() {
    listeners.forEach(listener -> listener.close().syncUninterruptibly());
  }

  /** Whether somebody waits for an answer, or for the rest of one. */
  public boolean isAnswering() {
    return load.isAnswering();
  }
}
