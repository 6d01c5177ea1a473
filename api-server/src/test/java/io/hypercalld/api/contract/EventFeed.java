package io.hypercalld.api.contract;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.ArrayList;
import java.util.List;
import java.util.Scanner;

/** Somebody who reads events from a daemon. Confined to the test's thread. */
final class EventFeed implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final InputStream bytes;
  private final Scanner lines;

  /** One event as it came: fields of the frame, and its data. */
  record Frame(String id, String event, JsonNode data) {
    String at(String pointer) {
      return data.at(pointer).asText();
    }
  }

  EventFeed(HttpClient client, String url, String... headers) {
    HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(url));
    if (headers.length > 0) {
      request.headers(headers);
    }
    try {
      bytes = client.send(request.build(), BodyHandlers.ofInputStream()).body();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
    lines = new Scanner(bytes, java.nio.charset.StandardCharsets.UTF_8);
  }

  /** The next line. */
  String line() {
    return lines.nextLine();
  }

  boolean hasEnded() {
    return !lines.hasNextLine();
  }

  /** The next frame of an event stream that is an event. */
  Frame next() {
    String id = "";
    String event = "";
    String data = "";
    while (true) {
      String line = line();
      if (line.isEmpty() && !event.isEmpty()) {
        return new Frame(id, event, parse(data));
      }
      if (line.startsWith("id: ")) {
        id = line.substring(4);
      } else if (line.startsWith("event: ")) {
        event = line.substring(7);
      } else if (line.startsWith("data: ")) {
        data = line.substring(6);
      }
    }
  }

  /** The types of the next frames, up to one of this type. */
  List<String> typesUntil(String type) {
    List<String> types = new ArrayList<>();
    do {
      types.add(next().event());
    } while (!types.getLast().equals(type));
    return types;
  }

  static JsonNode parse(String json) {
    try {
      return JSON.readTree(json);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    try {
      bytes.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
