package io.hypercalld.api.scenario;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.hypercalld.api.RunningDaemon;
import io.hypercalld.api.cli.DaemonSettings;
import io.hypercalld.api.platform.PlatformSource;
import io.hypercalld.iommu.platform.Platform;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.List;
import java.util.Optional;

/** A daemon on a free port, asked as curl would ask it. */
public final class DaemonUnderTest implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** What came back. */
  public record Answer(int status, JsonNode body) {
    /** The member at a JSON Pointer, as text. */
    public String at(String pointer) {
      return body.at(pointer).asText();
    }
  }

  private final RunningDaemon daemon;
  private final HttpClient client = HttpClient.newHttpClient();

  private DaemonUnderTest(Platform platform) {
    DaemonSettings settings =
        new DaemonSettings(
            new DaemonSettings.Listen("127.0.0.1", 0, Optional.empty()),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            DaemonSettings.Policies.usual(),
            true,
            DaemonSettings.LogFormat.TEXT);
    daemon = RunningDaemon.start(settings, platform);
  }

  public static DaemonUnderTest on(Platform platform) {
    return new DaemonUnderTest(platform);
  }

  public static DaemonUnderTest on(PlatformSource source) {
    return on(source.load().platform());
  }

  public Answer get(String path) {
    return send(HttpRequest.newBuilder(uri(path)).GET());
  }

  /** The events of some types that have been told so far, without their envelopes. */
  public List<JsonNode> events(String types) {
    HttpRequest.Builder page =
        HttpRequest.newBuilder(uri("/v1/events?types=" + types))
            .header("Accept", "application/json")
            .GET();
    return send(page).body().get("items").findValues("data");
  }

  public Answer post(String path, String body) {
    return send(HttpRequest.newBuilder(uri(path)).POST(BodyPublishers.ofString(body)));
  }

  public Answer put(String path, String body) {
    return send(HttpRequest.newBuilder(uri(path)).PUT(BodyPublishers.ofString(body)));
  }

  public Answer patch(String path, String body) {
    return send(HttpRequest.newBuilder(uri(path)).method("PATCH", BodyPublishers.ofString(body)));
  }

  public Answer delete(String path) {
    return send(HttpRequest.newBuilder(uri(path)).DELETE());
  }

  /** A hypercall; its arguments in JSON with apostrophes for quotes. */
  public Answer hypercall(String call, String op, String arguments) {
    return post("/v1/hypercalls/" + call + "/" + op, arguments.replace('\'', '"'));
  }

  public String digest() {
    return get("/_sim/digest").at("/digest");
  }

  public String text(String path) {
    return exchange(HttpRequest.newBuilder(uri(path)).GET()).body();
  }

  /** What a request is answered where text is wanted. */
  public String text(String path, String body) {
    return exchange(
            HttpRequest.newBuilder(uri(path))
                .header("Accept", "text/plain")
                .POST(BodyPublishers.ofString(body)))
        .body();
  }

  private URI uri(String path) {
    return URI.create(daemon.url() + path);
  }

  private Answer send(HttpRequest.Builder request) {
    HttpResponse<String> response = exchange(request);
    try {
      return new Answer(
          response.statusCode(),
          response.body().isEmpty() ? JSON.nullNode() : JSON.readTree(response.body()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private HttpResponse<String> exchange(HttpRequest.Builder request) {
    try {
      return client.send(request.build(), BodyHandlers.ofString());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  public void close() {
    client.close();
    daemon.close();
  }
}
