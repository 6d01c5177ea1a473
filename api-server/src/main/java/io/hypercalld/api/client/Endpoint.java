package io.hypercalld.api.client;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.StandardProtocolFamily;
import java.net.URI;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/** Where a daemon listens. Immutable. */
sealed interface Endpoint {
  /** The port of a daemon that was not told one. */
  int DEFAULT_PORT = 7780;

  /**
   * An address of the network.
   *
   * @param base before every path; empty or {@code /v1/machines/NAME}
   * @param authority a PEM file of whom to trust
   */
  record Network(boolean tls, String host, int port, String base, Optional<Path> authority)
      implements Endpoint {}

  /** A socket in the file system. */
  record Unix(Path socket) implements Endpoint {}

  /**
   * The daemon that the flag or the environment names: {@code HV_URL}, or else {@code HV_HOST} and
   * {@code HV_PORT}, or else the one that runs here by default.
   *
   * @throws CommandFailure where it is no address
   */
  static Endpoint of(Optional<String> flag, Map<String, String> environment) {
    Optional<Path> authority = Optional.ofNullable(environment.get("HV_CACERT")).map(Path::of);
    Optional<String> url = flag.or(() -> Optional.ofNullable(environment.get("HV_URL")));
    if (url.isPresent()) {
      return parse(url.get(), authority);
    }
    String host = environment.getOrDefault("HV_HOST", "127.0.0.1");
    String port = environment.getOrDefault("HV_PORT", Integer.toString(DEFAULT_PORT));
    return parse(
        "http://%s:%s".formatted(host.contains(":") ? "[" + host + "]" : host, port), authority);
  }

  private static Endpoint parse(String url, Optional<Path> authority) {
    if (url.startsWith("unix://")) {
      return new Unix(Path.of(url.substring("unix://".length())));
    }
    try {
      URI uri = URI.create(url);
      boolean tls = "https".equals(uri.getScheme());
      if ((tls || "http".equals(uri.getScheme())) && uri.getHost() != null) {
        return new Network(
            tls,
            uri.getHost(),
            uri.getPort() < 0 ? DEFAULT_PORT : uri.getPort(),
            uri.getRawPath().replaceFirst("/+$", ""),
            authority);
      }
    } catch (IllegalArgumentException e) {
      // Said below.
    }
    throw CommandFailure.of(
        Exit.USAGE,
        "\"%s\" is not an address such as http://127.0.0.1:7780 or unix:///run/hv",
        url);
  }

  /** The beginning of a URL of this daemon, as curl takes it. */
  default String url() {
    return switch (this) {
      case Network(boolean tls, String host, int port, var _, var _) ->
          "%s://%s:%d".formatted(tls ? "https" : "http", host, port);
      case Unix _ -> "http://localhost";
    };
  }

  /** Before every path. */
  default String base() {
    return "";
  }

  /** Where it is, as it was named. */
  default String name() {
    return this instanceof Unix(Path socket) ? "unix://" + socket : url();
  }

  /**
   * Connects.
   *
   * @throws IOException where nobody listens
   */
  default Connection connect(Duration timeout) throws IOException {
    return switch (this) {
      case Unix(Path socket) -> {
        SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        channel.connect(UnixDomainSocketAddress.of(socket));
        yield new Connection(
            Channels.newInputStream(channel), Channels.newOutputStream(channel), channel);
      }
      case Network network -> {
        Socket socket = new Socket();
        socket.connect(
            new InetSocketAddress(network.host, network.port), Math.toIntExact(timeout.toMillis()));
        Socket spoken =
            network.tls ? TrustedSocket.over(socket, network.host, network.authority) : socket;
        yield new Connection(spoken.getInputStream(), spoken.getOutputStream(), spoken);
      }
    };
  }
}
