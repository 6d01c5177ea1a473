package io.hypercalld.api.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.api.contract.ServedMachine.Answer;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Every failure has one shape and says nothing of how the daemon is made. */
final class ProblemsTest {
  private static final List<String> MEMBERS =
      List.of(
          "type",
          "title",
          "status",
          "detail",
          "errno",
          "ret",
          "call",
          "pointer",
          "hint",
          "requestId");

  private static ServedMachine machine;

  @BeforeAll
  static void serve() {
    machine = new ServedMachine();
  }

  @AfterAll
  static void stop() {
    machine.close();
  }

  static Stream<Arguments> failures() {
    return Stream.of(
        Arguments.of("GET", "/", "", 404, "unknown-path"),
        Arguments.of("GET", "/v1/domain", "", 404, "unknown-path"),
        Arguments.of("GET", "/v1/domains/", "", 404, "unknown-path"),
        Arguments.of("GET", "/v1/%2e%2e/domains", "", 404, "unknown-path"),
        Arguments.of("POST", "/v1/hypercalls/domctl/no_such_op", "{}", 404, "unknown-path"),
        Arguments.of("POST", "/v1/hypercalls/no_call/x", "{}", 404, "unknown-path"),
        Arguments.of("DELETE", "/v1/domains", "", 405, "wrong-method"),
        Arguments.of("PATCH", "/v1/iommus", "{}", 405, "wrong-method"),
        Arguments.of("OPTIONS", "/v1", "", 405, "wrong-method"),
        Arguments.of("PROPFIND", "/v1", "", 405, "wrong-method"),
        Arguments.of("GET", "/v1/domains?color=red", "", 400, "invalid-parameter"),
        Arguments.of("GET", "/v1/domains?limit=0", "", 400, "invalid-parameter"),
        Arguments.of("GET", "/v1/domains?limit=-1", "", 400, "invalid-parameter"),
        Arguments.of("GET", "/v1/domains?limit=1&limit=2", "", 400, "invalid-parameter"),
        Arguments.of("GET", "/v1/memory?maddr=0x1000", "", 400, "invalid-parameter"),
        Arguments.of("GET", "/v1/memory?maddr=here&length=1", "", 400, "invalid-parameter"),
        Arguments.of("GET", "/v1/domains?cursor=77", "", 400, "invalid-parameter"),
        Arguments.of("GET", "/v1/domains/77", "", 404, "no-such-domain"),
        Arguments.of("GET", "/v1/domains/nobody", "", 404, "no-such-domain"),
        Arguments.of("GET", "/v1/devices/0000:7f:00.0", "", 404, "no-such-device"),
        Arguments.of("GET", "/v1/devices/nonsense", "", 404, "no-such-device"),
        Arguments.of("GET", "/v1/iommus/4", "", 404, "no-such-device"),
        Arguments.of("GET", "/v1/iommus/x", "", 404, "no-such-device"),
        Arguments.of("GET", "/v1/memory?maddr=0x0&length=0", "", 422, "invalid-argument"),
        Arguments.of("GET", "/v1/memory?maddr=0x0&length=0x100001", "", 413, "too-big"),
        Arguments.of("GET", "/v1/memory?maddr=0x0&length=0x8000000000000000", "", 413, "too-big"),
        Arguments.of("GET", "/v1/memory?maddr=0xfed90000&length=4", "", 422, "bad-address"),
        Arguments.of("PUT", "/v1/domains/0/viommu", "{}", 422, "invalid-argument"),
        Arguments.of("POST", "/v1/hypercalls/domctl/soft_reset", "{}", 501, "not-implemented"));
  }

  @ParameterizedTest(name = "{0} {1}")
  @MethodSource("failures")
  void failure_ofAnyKind_hasTheOneShape(
      String method, String path, String body, int status, String type) {
    Answer answer = machine.send(method, path, body);

    assertThat(answer.status()).isEqualTo(status);
    assertThat(answer.header("content-type")).isEqualTo("application/problem+json");
    assertThat(answer.json().fieldNames()).toIterable().containsExactlyElementsOf(MEMBERS);
    assertThat(answer.at("/type")).isEqualTo("/problems/" + type);
    assertThat(answer.at("/status")).isEqualTo(Integer.toString(status));
    assertThat(answer.at("/requestId")).isEqualTo(answer.header("x-request-id"));
    assertThat(answer.text()).doesNotContain("Exception", "io.hypercalld", "java.");
  }

  @Test
  void type_ofAnyProblem_isAPage() {
    for (var problem : machine.get("/problems").json().at("/items")) {
      Answer page = machine.get(problem.at("/type").asText());

      assertThat(page.status()).isEqualTo(200);
      assertThat(page.json()).isEqualTo(problem);
    }
  }

  @Test
  void wrongMethod_onAKnownPath_listsTheOthers() {
    assertThat(machine.delete("/v1/domains").header("allow")).isEqualTo("GET, HEAD, POST");
  }

  @Test
  void unknownPath_nearARoute_namesIt() {
    assertThat(machine.get("/v1/domain/1").at("/hint")).contains("/v1/domains/{d}");
  }

  @Test
  void hypercall_misspelt_namesTheRightOne() {
    assertThat(machine.call("domctl/asign_device", "{}").at("/hint"))
        .isEqualTo("did you mean domctl/assign_device?");
  }

  @Test
  void body_overEightMebibytes_isTooLarge() {
    Answer answer = machine.post("/v1/hypercalls/multicall", " ".repeat((8 << 20) + 1));

    assertThat(answer.status()).isEqualTo(413);
    assertThat(answer.at("/type")).isEqualTo("/problems/body-too-large");
  }

  @Test
  void requestId_ofTheCaller_comesBack() {
    Answer answer = machine.send("GET", "/nowhere", "", "X-Request-Id", "mine-1");

    assertThat(answer.header("x-request-id")).isEqualTo("mine-1");
    assertThat(answer.at("/requestId")).isEqualTo("mine-1");
  }

  @Test
  void origin_foreign_isForbidden() {
    for (String origin : List.of("http://evil.example", "null", "https://127.0.0.1")) {
      Answer answer = machine.send("GET", "/v1", "", "Origin", origin);

      assertThat(answer.status()).as(origin).isEqualTo(403);
      assertThat(answer.at("/type")).isEqualTo("/problems/foreign-origin");
    }
  }

  @Test
  void origin_ownPage_isLetIn() {
    assertThat(machine.send("GET", "/v1", "", "Origin", machine.url()).status()).isEqualTo(200);
  }
}
