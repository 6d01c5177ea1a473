package io.hypercalld.api.contract;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.hypercalld.api.RunningDaemon;
import io.hypercalld.api.cli.StartOptions;
import io.hypercalld.api.platform.PlatformSource;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/** The default machine behind HTTP on a free port. */
final class ServedMachine implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private final RunningDaemon daemon;
  private final HttpClient client = HttpClient.newHttpClient();

  /** What came back. */
  record Answer(int status, String text, Map<String, List<String>> headers) {
    JsonNode json() {
      try {
        return JSON.readTree(text);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    /** The member at a JSON Pointer, as text. */
    String at(String pointer) {
      return json().at(pointer).asText();
    }

    String header(String name) {
      return String.join(
          ", ", headers.getOrDefault(name.toLowerCase(java.util.Locale.ROOT), List.of()));
    }
  }

  ServedMachine(String... options) {
    StartOptions start =
        StartOptions.parse(
            java.util.stream.Stream.concat(
                    java.util.stream.Stream.of("--port", "0"), java.util.stream.Stream.of(options))
                .toList(),
            Map.of());
    daemon =
        RunningDaemon.start(start.settings(), PlatformSource.named("two-socket").load().platform());
  }

  String url() {
    return daemon.url();
  }

  Answer get(String path) {
    return send("GET", path, "");
  }

  Answer post(String path, String body) {
    return send("POST", path, body);
  }

  Answer put(String path, String body) {
    return send("PUT", path, body);
  }

  Answer delete(String path) {
    return send("DELETE", path, "");
  }

  /** A hypercall; the body has apostrophes for quotes. */
  Answer call(String name, String arguments) {
    return post("/v1/hypercalls/" + name, arguments.replace('\'', '"'));
  }

  /** A request as curl sends it, form encoding and all; {@code headers} are names and values. */
  Answer send(String method, String path, String body, String... headers) {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create(daemon.url() + path))
            .timeout(PATIENCE)
            .method(
                method, body.isEmpty() ? BodyPublishers.noBody() : BodyPublishers.ofString(body));
    if (!body.isEmpty()) {
      request.header("Content-Type", "application/x-www-form-urlencoded");
    }
    if (headers.length > 0) {
      request.headers(headers);
    }
    try {
      HttpResponse<String> response = client.send(request.build(), BodyHandlers.ofString());
      return new Answer(response.statusCode(), response.body(), response.headers().map());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  String digest() {
    return get("/_sim/digest").at("/digest");
  }

  @Override
  public void close() {
    client.close();
    daemon.close();
  }
}
