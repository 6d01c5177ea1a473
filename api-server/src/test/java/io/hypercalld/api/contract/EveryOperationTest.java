package io.hypercalld.api.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.api.contract.ServedMachine.Answer;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** What holds for every call, tried on every operation of the served document. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class EveryOperationTest {
  private final ServedMachine machine = new ServedMachine();
  private final ExampleState examples = new ExampleState(machine);
  private List<DocumentedOperation> operations = List.of();
  private List<DocumentedOperation> changes = List.of();

  @BeforeAll
  void read() {
    operations = DocumentedOperation.all(machine.get("/openapi.json").json());
    changes =
        operations.stream()
            .filter(operation -> !operation.method().equals("GET") && !operation.isHypercall())
            .filter(operation -> !operation.path().startsWith("/v1/experiments/"))
            .toList();
  }

  @BeforeEach
  void prepare() {
    examples.prepare();
  }

  @AfterAll
  void close() {
    machine.close();
  }

  private Answer send(DocumentedOperation operation, String query, String... headers) {
    String joint = operation.target().contains("?") ? "&" : "?";
    String target = operation.target() + (query.isEmpty() ? "" : joint + query);
    return machine.send(operation.method(), target, operation.exampleBody(), headers);
  }

  @Test
  void dryRun_ofEveryChange_tellsWhatWouldComeOfIt_andChangesNothing() {
    Map<String, String> wrong = new TreeMap<>();
    for (DocumentedOperation operation : changes) {
      String before = machine.digest();
      Answer tried = send(operation, "dryRun=true");
      String after = machine.digest();
      Answer made = send(operation, "");
      boolean told =
          tried.status() == 200
              && tried.json().path("dryRun").asBoolean()
              && tried.json().path("effect").isArray()
              && tried.json().path("status").asInt() == made.status();
      boolean refused = tried.status() >= 400 && tried.at("/type").equals(made.at("/type"));
      if (!told && !refused) {
        wrong.put(operation.name(), tried.text() + " " + made.status() + made.text());
      }
      if (!after.equals(before)) {
        wrong.put(operation.name(), "the state is another one");
      }
      examples.again();
    }
    assertThat(wrong).isEmpty();
  }

  @Test
  void key_ofEveryChange_hasItDoneOnce() {
    Map<String, String> wrong = new TreeMap<>();
    for (DocumentedOperation operation : changes) {
      Answer first = send(operation, "", "Idempotency-Key", operation.name());
      String digest = machine.digest();
      Answer second = send(operation, "", "Idempotency-Key", operation.name());
      // These begin the machine, and what was asked of it, anew.
      boolean anew = operation.path().matches("/_sim/(reset|import|replay)");
      // The hardware may do better the next time, so that is asked again.
      boolean passing = first.status() == 502;
      boolean same =
          second.status() == first.status()
              && second.text().equals(first.text())
              && second.header("Idempotency-Replayed").equals("true");
      if (!anew && !passing && (!same || !machine.digest().equals(digest))) {
        wrong.put(operation.name(), first.text() + " " + second.text());
      }
      examples.again();
    }
    assertThat(wrong).isEmpty();
  }

  @Test
  void tag_thatIsOld_keepsEveryChangeFromBeingMade() {
    Map<String, String> wrong = new TreeMap<>();
    String digest = machine.digest();
    for (DocumentedOperation operation : changes) {
      Answer answer = send(operation, "", "If-Match", "\"0\"");
      boolean documented =
          operation.parameters("header").stream()
              .anyMatch(header -> header.path("name").asText().equals("If-Match"));
      if (!documented || answer.status() != 412) {
        wrong.put(operation.name(), answer.status() + answer.text());
      }
    }
    assertThat(machine.digest()).isEqualTo(digest);
    assertThat(wrong).isEmpty();
  }

  @Test
  void requestId_isEchoedByEveryOperation_andOnceMadeIsAnother() {
    for (DocumentedOperation operation : operations) {
      if (ExampleState.SLOW.contains(operation.name()) || operation.path().equals("/v1/events")) {
        continue;
      }
      String target = operation.target() + (operation.target().contains("?") ? "&" : "?") + "no=1";
      Answer echoed = machine.send(operation.method(), target, "", "X-Request-Id", "mine");
      Answer made = machine.send(operation.method(), target, "");

      assertThat(echoed.header("X-Request-Id")).as(operation.name()).isEqualTo("mine");
      assertThat(made.header("X-Request-Id")).as(operation.name()).isNotEmpty();
      if (echoed.status() >= 400) {
        assertThat(echoed.at("/requestId")).as(operation.name()).isEqualTo("mine");
      }
    }
  }

  @Test
  void path_withASlip_isToldTheOneThatWasMeant() {
    for (DocumentedOperation operation : operations) {
      String last = operation.path().substring(operation.path().lastIndexOf('/') + 1);
      if (last.startsWith("{") || last.length() < 4) {
        continue;
      }
      String slip = operation.path().substring(0, operation.path().length() - 1);
      if (operations.stream().anyMatch(other -> other.path().equals(slip))) {
        continue;
      }
      Answer answer = machine.send(operation.method(), filled(operation, slip), "");

      assertThat(answer.status()).as(slip).isIn(400, 404);
      if (answer.at("/type").equals("/problems/unknown-path")) {
        String meant = operation.path().replaceFirst("^/v1/hypercalls/", "");
        assertThat(answer.at("/hint")).as(slip).contains(meant);
      }
    }
  }

  private static String filled(DocumentedOperation operation, String path) {
    String filled = path;
    for (var place : operation.parameters("path")) {
      filled =
          filled.replace("{" + place.path("name").asText() + "}", place.path("example").asText());
    }
    return filled.replace(" ", "%20");
  }
}
