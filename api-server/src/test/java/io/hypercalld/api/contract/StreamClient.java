package io.hypercalld.api.contract;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** A device model on a WebSocket. Thread-safe. */
final class StreamClient implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final long PATIENCE_SECONDS = 60;

  private final LinkedBlockingQueue<String> messages = new LinkedBlockingQueue<>();
  private final WebSocket socket;

  /** Connects to a path of a daemon. */
  StreamClient(HttpClient client, String url, String path) {
    this.socket =
        client
            .newWebSocketBuilder()
            .buildAsync(URI.create(url.replaceFirst("^http", "ws") + path), new Heard())
            .join();
  }

  private final class Heard implements WebSocket.Listener {
    private final StringBuilder message = new StringBuilder();

    @Override
    public @Nullable CompletionStage<?> onText(WebSocket from, CharSequence piece, boolean last) {
      message.append(piece);
      if (last) {
        messages.add(message.toString());
        message.setLength(0);
      }
      from.request(1);
      return null;
    }

    @Override
    public @Nullable CompletionStage<?> onClose(WebSocket from, int code, String reason) {
      messages.add("{\"closed\":%d,\"reason\":\"%s\"}".formatted(code, reason));
      return null;
    }
  }

  /** The next message, or {@code closed} with a code. */
  JsonNode next() throws InterruptedException, JsonProcessingException {
    String message = messages.poll(PATIENCE_SECONDS, TimeUnit.SECONDS);
    assertThat(message).as("a message").isNotNull();
    return JSON.readTree(message);
  }

  /** Whether nothing was said that was not taken. */
  boolean isSilent() {
    return messages.isEmpty();
  }

  /** Says something; apostrophes stand for quotes. */
  void say(String message) {
    socket.sendText(message.replace('\'', '"'), true).join();
  }

  /** Goes without a word. */
  @Override
  public void close() {
    socket.abort();
  }
}
