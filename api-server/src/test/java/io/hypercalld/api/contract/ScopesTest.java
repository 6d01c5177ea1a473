package io.hypercalld.api.contract;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tokens: who may do what, over HTTP. */
final class ScopesTest {
  private static final String CONTROL = "control-0123456789";
  private static final String READ = "reader-0123456789";
  private static final String GUEST = "guest-of-1-0123456789";
  private static final String DM = "model-of-1-0123456789";
  private static final String LAB = "reader-of-lab-0123456789";
  private static final String SCOPE = "/problems/insufficient-scope";

  /** Where the machine has what a path names. */
  private static final Map<String, String> PLACES =
      Map.of(
          "d", "2", "sbdf", "0000:03:00.0", "machine", "default", "call", "domctl", "op", "none");

  @TempDir private Path scratch;
  private ServedMachine served;

  @BeforeEach
  void serve() throws IOException {
    Path file =
        Files.writeString(
            scratch.resolve("tokens"),
            """
            %s control
            %s read
            %s guest caller=1
            %s dm target=1
            %s read machine=lab
            """
                .formatted(CONTROL, READ, GUEST, DM, LAB));
    served = new ServedMachine("--token-file", file.toString());
    for (String name : new String[] {"one", "two"}) {
      as(
          CONTROL,
          "POST",
          "/v1/domains",
          "{'name':'%s','type':'hvm','memory':'16MiB'}".formatted(name));
    }
  }

  @AfterEach
  void close() {
    served.close();
  }

  private ServedMachine.Answer as(String token, String method, String path, String body) {
    // Events do not end unless a page of them is asked for.
    String accepted = path.endsWith("/events") ? "application/json" : "*/*";
    return served.send(
        method,
        path,
        body.replace('\'', '"'),
        "Authorization",
        "Bearer " + token,
        "Accept",
        accepted);
  }

  private ServedMachine.Answer call(String token, String call, String arguments) {
    return as(token, "POST", "/v1/hypercalls/" + call, arguments);
  }

  private void everyOperation(BiConsumer<String, String> method) {
    JsonNode paths = as(CONTROL, "GET", "/openapi.json", "").json().get("paths");
    paths
        .properties()
        .forEach(
            path ->
                path.getValue()
                    .fieldNames()
                    .forEachRemaining(
                        verb -> {
                          String upper = verb.toUpperCase(Locale.ROOT);
                          if (upper.matches("GET|PUT|POST|PATCH|DELETE")) {
                            method.accept(upper, filled(path.getKey()));
                          }
                        }));
    assertThat(paths.size()).isGreaterThan(100);
  }

  private static String filled(String template) {
    String path = template;
    for (var place : PLACES.entrySet()) {
      path = path.replace("{" + place.getKey() + "}", place.getValue());
    }
    return path.replaceAll("\\{[^}]*\\}", "0");
  }

  @Test
  void everyOperation_withoutATokenOrWithAWrongOne_is401() {
    everyOperation(
        (method, path) -> {
          boolean open = path.startsWith("/health/");

          assertThat(served.send(method, path, "").status() == 401).as(path).isNotEqualTo(open);
          assertThat(as("wrong-0123456789abcd", method, path, "").status() == 401)
              .as(path)
              .isNotEqualTo(open);
        });
  }

  @Test
  void everyOperation_forAReader_isWhatLooks() {
    String before = as(CONTROL, "GET", "/_sim/digest", "").at("/digest");

    everyOperation(
        (method, path) -> {
          var answer = as(READ, method, path, "{}");

          assertThat(answer.status() == 403)
              .as(method + " " + path)
              .isEqualTo(!method.equals("GET"));
        });
    assertThat(as(CONTROL, "GET", "/_sim/digest", "").at("/digest")).isEqualTo(before);
  }

  @Test
  void everyOperation_onAnotherDomain_isClosedToGuestAndModel() {
    everyOperation(
        (method, path) -> {
          if (path.startsWith("/v1/hypercalls/")) {
            return;
          }
          boolean ofProgram =
              path.startsWith("/v1/hypercalls")
                  || path.startsWith("/problems")
                  || path.startsWith("/openapi")
                  || path.startsWith("/docs")
                  || path.startsWith("/health")
                  || path.equals("/v1/policies")
                  || path.equals("/v1");
          for (String token : new String[] {GUEST, DM}) {
            assertThat(as(token, method, path, "{}").status() == 403)
                .as(method + " " + path)
                .isNotEqualTo(ofProgram);
          }
        });
  }

  @Test
  void refusal_namesTheScopeThatIsWanted() {
    var refused = as(READ, "DELETE", "/v1/domains/1", "");

    assertThat(refused.status()).isEqualTo(403);
    assertThat(refused.at("/type")).isEqualTo(SCOPE);
    assertThat(refused.at("/detail")).isEqualTo("this needs the scope control; the token has read");
    assertThat(refused.header("WWW-Authenticate"))
        .isEqualTo("Bearer error=\"insufficient_scope\", scope=\"control\"");
    assertThat(as(GUEST, "GET", "/v1/domains/2", "").at("/detail"))
        .isEqualTo("this needs the scope read; the token has guest of d1");
  }

  @Test
  void guest_actsAsItsDomainOnly() {
    String own = "{'domid':32752}";

    assertThat(call(GUEST, "memory_op/current_reservation", own).status()).isEqualTo(200);
    assertThat(call(GUEST, "memory_op/current_reservation?caller=1", own).status()).isEqualTo(200);
    assertThat(call(GUEST, "memory_op/current_reservation?caller=0", own).at("/type"))
        .isEqualTo(SCOPE);
    // Not the token but the hypervisor refuses: the domain lacks the privilege.
    assertThat(call(GUEST, "domctl/pausedomain", "{'domain':2}").at("/errno")).isEqualTo("EPERM");
    assertThat(as(GUEST, "GET", "/v1/domains/1", "").at("/name")).isEqualTo("one");
    assertThat(
            as(GUEST, "POST", "/v1/domains/1/vcpus/0/access", "{'gpa':'0x0','op':'read','size':4}")
                .at("/outcome"))
        .isEqualTo("done");
    assertThat(as(GUEST, "DELETE", "/v1/domains/1", "").status()).isEqualTo(403);
  }

  @Test
  void deviceModel_servesItsTargetOnly() {
    String create = "{'domid':%d,'handle_bufioreq':0}";

    assertThat(call(DM, "dm_op/create_ioreq_server", create.formatted(1)).status()).isEqualTo(200);
    assertThat(call(DM, "dm_op/create_ioreq_server", create.formatted(2)).at("/detail"))
        .isEqualTo("the token is for d1, not for d2");
    assertThat(call(DM, "domctl/pausedomain", "{'domain':1}").at("/detail"))
        .isEqualTo("this needs the scope control; the token has dm of d1");
    assertThat(
            call(
                    DM,
                    "multicall",
                    "[{'call':'dm_op','op':'nr_vcpus','args':{'domid':1}},"
                        + "{'call':'domctl','op':'pausedomain','args':{'domain':1}}]")
                .at("/type"))
        .isEqualTo(SCOPE);
    assertThat(as(DM, "GET", "/v1/domains/1/ioreq-servers", "").status()).isEqualTo(200);
    assertThat(as(DM, "PUT", "/v1/domains/1/memory?gpa=0x0", "{'data':'00'}").status())
        .isNotEqualTo(403);
    assertThat(as(DM, "GET", "/v1/domains/2/ioreq-servers", "").status()).isEqualTo(403);
  }

  @Test
  void token_ofOneMachine_isGoodForNoOther() {
    as(CONTROL, "POST", "/v1/machines", "{'name':'lab'}");

    assertThat(as(LAB, "GET", "/v1/machines/lab/domains", "").status()).isEqualTo(200);
    assertThat(as(LAB, "GET", "/v1/domains", "").at("/detail"))
        .isEqualTo("the token is for machine lab");
    assertThat(as(GUEST, "GET", "/v1/machines/lab/domains/1", "").status()).isEqualTo(403);
  }

  @Test
  void dom0sControlToken_speaksForAnyDomain() {
    assertThat(call(CONTROL, "memory_op/current_reservation?caller=2", "{'domid':32752}").status())
        .isEqualTo(200);
  }
}
