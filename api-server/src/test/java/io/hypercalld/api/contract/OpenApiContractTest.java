package io.hypercalld.api.contract;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.hypercalld.api.contract.ServedMachine.Answer;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** Every operation of the served document is asked, and every answer compared with it. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class OpenApiContractTest {
  /** Examples of the right form that need a state which no other example brings about. */
  private static final Map<String, String> REFUSED =
      Map.ofEntries(
          Map.entry("DELETE /_sim/pci/{sbdf}", "/problems/busy"),
          Map.entry("PUT /_sim/pci/{sbdf}/buses", "/problems/invalid-argument"),
          Map.entry("GET /v1/domains/{d}/ioreq-servers/{id}/stream", "/problems/upgrade-required"),
          Map.entry("PUT /v1/domains/{d}/viommu/record", "/problems/invalid-argument"),
          Map.entry("POST /_sim/continuations/{number}", "/problems/not-found"),
          Map.entry("POST /_sim/reserved-regions", "/problems/input-output-error"),
          Map.entry(
              "POST /v1/domains/{d}/ioreq-servers/{id}/requests/{rid}/response",
              "/problems/not-found"),
          Map.entry("POST /v1/domains/{d}/vm-events/responses", "/problems/not-found"),
          Map.entry("POST /v1/domains/{d}/dma-api/map", "/problems/not-permitted"),
          Map.entry("POST /v1/domains/{d}/dma-api/unmap", "/problems/not-permitted"),
          Map.entry("POST /v1/domains/{d}/dma-api/map-sg", "/problems/not-permitted"),
          Map.entry("POST /v1/domains/{d}/dma-api/unmap-sg", "/problems/not-permitted"),
          Map.entry("POST /v1/domains/{d}/dma-api/sync", "/problems/invalid-argument"),
          Map.entry("POST /v1/domains/{d}/dma-api/alloc-coherent", "/problems/not-permitted"),
          Map.entry("POST /v1/domains/{d}/dma-api/free-coherent", "/problems/invalid-argument"),
          Map.entry("POST /v1/domains/{d}/dma-api/create-contiguous", "/problems/not-supported"),
          Map.entry("POST /v1/domains/{d}/dma-api/destroy-contiguous", "/problems/not-supported"));

  private static final String NOT_BUILT = "/problems/not-built";

  private final ServedMachine machine = new ServedMachine();
  private final ExampleState examples = new ExampleState(machine);
  private final Map<String, Integer> problems = new TreeMap<>();
  private List<DocumentedOperation> operations = List.of();

  @BeforeAll
  void read() {
    operations = DocumentedOperation.all(machine.get("/openapi.json").json());
    for (JsonNode type : machine.get("/problems").json().at("/items")) {
      problems.put(type.path("type").asText(), type.path("status").asInt());
    }
  }

  @AfterAll
  void close() {
    machine.close();
  }

  @BeforeEach
  void prepare() {
    examples.prepare();
  }

  private Answer example(DocumentedOperation operation, String... headers) {
    // A stream would not end.
    String[] all =
        operation.path().equals("/v1/events")
            ? Stream.concat(Stream.of("Accept", "application/json"), Stream.of(headers))
                .toArray(String[]::new)
            : headers;
    return machine.send(operation.method(), operation.target(), operation.exampleBody(), all);
  }

  private List<DocumentedOperation> resources() {
    return operations.stream().filter(operation -> !operation.isHypercall()).toList();
  }

  /** What is wrong with an answer, a problem's type and status included. */
  private List<String> complaints(DocumentedOperation operation, Answer answer) {
    List<String> complaints = new ArrayList<>(operation.complaints(answer));
    if (answer.status() >= 400
        && !Integer.valueOf(answer.status()).equals(problems.get(answer.at("/type")))) {
      complaints.add("a problem of no page: " + answer.text());
    }
    return complaints;
  }

  @Test
  void examples_allOfThem_areAnsweredAsDocumented() {
    Map<String, Object> wrong = new TreeMap<>();
    boolean changed = false;
    for (DocumentedOperation operation : resources()) {
      boolean lacking = operation.bodySchema().isPresent() && operation.exampleBody().isEmpty();
      if (lacking || ExampleState.SLOW.contains(operation.name())) {
        continue;
      }
      if (changed) {
        examples.again();
      }
      changed = !operation.method().equals("GET");
      Answer answer = example(operation);
      List<String> complaints = complaints(operation, answer);
      boolean built = answer.status() != 501 || !answer.at("/type").equals(NOT_BUILT);
      String refused = answer.status() < 400 ? "" : answer.at("/type");
      if (!complaints.isEmpty()
          || (built && !refused.equals(REFUSED.getOrDefault(operation.name(), "")))) {
        wrong.put(operation.name(), complaints + " " + answer.text());
      }
    }
    assertThat(wrong).isEmpty();
  }

  @Test
  void examples_ofBodies_areAsTheirSchemasSay() {
    for (DocumentedOperation operation : resources()) {
      JsonNode example = operation.operation().at("/requestBody/content/application~1json/example");
      operation
          .bodySchema()
          .filter(_ -> !example.isMissingNode())
          .ifPresent(
              schema ->
                  assertThat(operation.violations(schema, example)).as(operation.name()).isEmpty());
    }
  }

  @Test
  void bodies_allOfThem_haveAnExample() {
    assertThat(resources())
        .filteredOn(DocumentedOperation::takesJson)
        .filteredOn(operation -> operation.exampleBody().isEmpty())
        .extracting(DocumentedOperation::name)
        .isEmpty();
  }

  @Test
  void places_allOfThem_haveAnExample() {
    assertThat(operations)
        .filteredOn(
            operation ->
                operation.parameters("path").stream().anyMatch(place -> !place.has("example")))
        .extracting(DocumentedOperation::name)
        .isEmpty();
  }

  @Test
  void bodies_notAsDocumented_are400_andChangeNothing() {
    String digest = machine.digest();
    Map<String, Object> wrong = new TreeMap<>();
    for (DocumentedOperation operation : operations) {
      if (!operation.takesJson()) {
        continue;
      }
      boolean due = operation.operation().at("/requestBody/required").asBoolean();
      for (String body : operation.bodySchema().map(InvalidBodies::of).orElse(List.of())) {
        if (body.isEmpty() && !due) {
          continue;
        }
        Answer answer = machine.send(operation.method(), operation.target(), body);
        boolean unimplemented = operation.isHypercall() && answer.status() == 501;
        if (answer.status() != 400 && !unimplemented) {
          wrong.put(operation.name() + " " + body, answer.status() + answer.text());
        }
        complaints(operation, answer)
            .forEach(complaint -> wrong.put(operation.name() + " " + body, complaint));
      }
    }
    assertThat(wrong).isEmpty();
    assertThat(machine.digest()).isEqualTo(digest);
  }

  @Test
  void parameters_notAsDocumented_are400_andChangeNothing() {
    String digest = machine.digest();
    for (DocumentedOperation operation : resources()) {
      String joint = operation.target().contains("?") ? "&" : "?";
      Answer unknown =
          machine.send(
              operation.method(), operation.target() + joint + "bogus=1", operation.exampleBody());

      assertThat(unknown.status()).as(operation.name()).isEqualTo(400);
      assertThat(unknown.at("/detail")).contains("bogus");
      assertThat(complaints(operation, unknown)).as(operation.name()).isEmpty();
    }
    assertThat(machine.digest()).isEqualTo(digest);
  }

  @Test
  void resources_seenBefore_are304_whereThatIsDocumented() {
    for (DocumentedOperation operation : resources()) {
      if (operation.statuses().contains(304)) {
        Answer first = example(operation);
        if (first.status() == 200 && !isRestless(operation)) {
          Answer again = example(operation, "If-None-Match", first.header("ETag"));

          assertThat(again.status()).as(operation.name()).isEqualTo(304);
          assertThat(again.text()).isEmpty();
        }
      }
    }
  }

  /** Whether it tells a time or a count of requests, which is another one each time. */
  private static boolean isRestless(DocumentedOperation operation) {
    return Set.of(
            "/v1/machine",
            "/v1/machine/counters",
            "/v1/machines",
            "/v1/machines/{machine}",
            "/v1/events",
            "/_sim/requests")
        .contains(operation.path());
  }

  @Test
  void statuses_allThatAreClaimed_areProduced() {
    Set<Integer> claimed = new HashSet<>();
    resources().forEach(operation -> claimed.addAll(operation.statuses()));

    // 101 takes a WebSocket, 503 a daemon that is overloaded or ends, 409 two at a time, or a
    // state:
    // IoStreamTest, OverloadTest, IdempotencyTest. Whoever else answers them: ClaimedFailuresTest.
    assertThat(claimed)
        .containsExactlyInAnyOrder(
            101, 200, 201, 204, 304, 400, 401, 403, 404, 409, 410, 412, 413, 422, 426, 503);
  }

  @Test
  void problems_allOfThem_haveAPage() {
    assertThat(problems).hasSizeGreaterThan(50);
    problems.forEach(
        (type, status) -> {
          Answer page = machine.get(type);

          assertThat(page.status()).as(type).isEqualTo(200);
          assertThat(page.at("/type")).isEqualTo(type);
          assertThat(page.json().at("/status").asInt()).isEqualTo(status);
          assertThat(page.at("/title")).isNotEmpty();
        });
  }
}
