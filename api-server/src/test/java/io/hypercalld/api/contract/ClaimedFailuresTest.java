package io.hypercalld.api.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.api.contract.ServedMachine.Answer;
import java.io.IOException;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** Every failure that the document claims of an operation is had from that very operation. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class ClaimedFailuresTest {
  private final ServedMachine machine = new ServedMachine();
  private List<DocumentedOperation> operations = List.of();

  @TempDir private Path directory;

  @BeforeAll
  void read() {
    new ExampleState(machine).prepare();
    operations = DocumentedOperation.all(machine.get("/openapi.json").json());
  }

  @AfterAll
  void close() {
    machine.close();
  }

  private Answer send(DocumentedOperation operation, String target, String... headers) {
    // A stream would not end.
    String[] all =
        Stream.concat(Stream.of("Accept", "application/json"), Stream.of(headers))
            .toArray(String[]::new);
    return machine.send(operation.method(), target, operation.exampleBody(), all);
  }

  /** Of all who claim a status, those that answer another one, or a problem of none. */
  private Map<String, String> othersThan(int status, Function<DocumentedOperation, Answer> asked) {
    Map<String, String> others = new TreeMap<>();
    for (DocumentedOperation operation : operations) {
      if (operation.statuses().contains(status)) {
        Answer answer = asked.apply(operation);
        if (answer.status() != status || !operation.complaints(answer).isEmpty()) {
          others.put(operation.name(), answer.status() + answer.text());
        }
      }
    }
    return others;
  }

  private static String more(String target, String parameter) {
    return target + (target.contains("?") ? "&" : "?") + parameter;
  }

  @Test
  void status400_isThatOfAParameterThatThereIsNot() {
    assertThat(othersThan(400, each -> send(each, more(each.target(), "bogus=1")))).isEmpty();
  }

  @Test
  void status401_isThatOfWhoeverHasNoToken() throws IOException {
    Path tokens =
        Files.writeString(directory.resolve("tokens"), "0123456789abcdef0123456789abcdef\n");
    try (ServedMachine locked = new ServedMachine("--token-file", tokens.toString())) {
      assertThat(
              othersThan(
                  401, each -> locked.send(each.method(), each.target(), each.exampleBody())))
          .isEmpty();
    }
  }

  @Test
  void status403_isThatOfAPageOfSomebodyElses() {
    assertThat(othersThan(403, each -> send(each, each.target(), "Origin", "http://evil.example")))
        .isEmpty();
  }

  @Test
  void status404_isThatOfAMachineThatThereIsNot_orOfAPlace() {
    assertThat(
            othersThan(
                404,
                each ->
                    each.path().startsWith("/v1/") && !each.path().startsWith("/v1/machines")
                        ? send(each, "/v1/machines/nowhere" + each.target().substring(3))
                        : elsewhere(each)))
        .isEmpty();
  }

  private Answer elsewhere(DocumentedOperation operation) {
    String path = operation.path().replaceAll("\\{[^}]*\\}", "77");
    return path.startsWith("/_sim/")
        ? send(operation, "/v1/machines/nowhere" + path)
        : send(operation, path);
  }

  @Test
  void status410_isThatOfACursorOfAListThatIsNotKept() {
    assertThat(othersThan(410, each -> send(each, more(each.target(), "cursor=77-1")))).isEmpty();
  }

  @Test
  void status412_isThatOfAnOldTag() {
    assertThat(
            othersThan(
                412,
                each ->
                    each.isHypercall() && each.exampleBody().isEmpty()
                        ? old(each)
                        : send(each, each.target(), "If-Match", "\"0\"")))
        .isEmpty();
  }

  /** Arguments come first, so these have to be right. */
  private Answer old(DocumentedOperation operation) {
    String body = operation.bodySchema().map(InvalidBodies::valid).orElse("{}");
    return machine.send(operation.method(), operation.target(), body, "If-Match", "\"0\"");
  }

  @Test
  void status413_isThatOfABodyThatIsSaidToBeTooLarge() {
    assertThat(othersThan(413, this::tooLarge)).isEmpty();
  }

  private Answer tooLarge(DocumentedOperation operation) {
    URI url = URI.create(machine.url());
    try (Socket socket = new Socket(url.getHost(), url.getPort())) {
      String head =
          "%s %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n"
              .formatted(operation.method(), operation.target(), Long.MAX_VALUE / 2);
      socket.getOutputStream().write(head.getBytes(StandardCharsets.UTF_8));
      String[] answer =
          new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8)
              .split("\r\n\r\n", 2);
      return new Answer(
          Integer.parseInt(answer[0].split(" ", 3)[1]),
          answer[1],
          Map.of("content-type", List.of("application/problem+json")));
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  @Test
  void status422_ofAChange_isThatOfAKeyOfAnothers() {
    machine.send("POST", "/v1/domains", "{\"bogus\":1}", "Idempotency-Key", "taken");

    assertThat(
            othersThan(
                422,
                each ->
                    machine.send(each.method(), each.target(), "[]", "Idempotency-Key", "taken")))
        .isEmpty();
  }

  @Test
  void status426_isThatOfWhoeverDoesNotAskForAWebSocket() {
    assertThat(othersThan(426, each -> send(each, each.target()))).isEmpty();
  }

  @Test
  void nothingElse_isClaimed_butWhatTakesAStateOrALoad() {
    List<Integer> had = List.of(400, 401, 403, 404, 410, 412, 413, 422, 426);
    for (DocumentedOperation operation : operations) {
      Optional<Integer> other =
          operation.isHypercall()
              ? Optional.empty()
              : operation.statuses().stream()
                  .filter(status -> status >= 400 && !had.contains(status))
                  .filter(status -> status != 409 && status != 503)
                  .findFirst();
      assertThat(other).as(operation.name()).isEmpty();
    }
  }
}
