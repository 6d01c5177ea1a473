package io.hypercalld.api.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.api.contract.ServedMachine.Answer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** ETag, If-Match and If-None-Match. */
final class PreconditionsTest {
  private static final String VF = "/v1/devices/03:10.0";

  private ServedMachine machine;

  @BeforeEach
  void serve() {
    machine = new ServedMachine();
    machine.post("/v1/domains", "{\"memory\":\"64MiB\"}");
  }

  @AfterEach
  void stop() {
    machine.close();
  }

  @Test
  void resource_everyRead_carriesATag() {
    for (String path :
        new String[] {"/v1", "/v1/domains", "/v1/domains/1", "/v1/devices", VF, "/v1/iommus/0"}) {
      assertThat(machine.get(path).header("etag")).as(path).startsWith("\"");
    }
  }

  @Test
  void tag_ofAnUnchangedResource_staysThroughOtherChanges() {
    String tag = machine.get(VF).header("etag");

    machine.post("/v1/domains", "{\"memory\":\"64MiB\"}");

    assertThat(machine.get(VF).header("etag")).isEqualTo(tag);
  }

  @Test
  void change_withTheCurrentTag_isDone() {
    String tag = machine.get(VF).header("etag");

    Answer answer = machine.send("PUT", VF + "/assignment", "{\"domain\":1}", "If-Match", tag);

    assertThat(answer.status()).isEqualTo(200);
    assertThat(machine.get(VF).header("etag")).isNotEqualTo(tag);
  }

  @Test
  void change_withAnOldTag_isNotDone() {
    String tag = machine.get(VF).header("etag");
    machine.put(VF + "/assignment", "{\"domain\":1}");
    String digest = machine.digest();

    Answer answer = machine.send("DELETE", VF + "/assignment", "", "If-Match", tag);

    assertThat(answer.status()).isEqualTo(412);
    assertThat(answer.at("/type")).isEqualTo("/problems/precondition-failed");
    assertThat(machine.digest()).isEqualTo(digest);
  }

  @Test
  void read_ofWhatTheCallerHas_isNotSentAgain() {
    String tag = machine.get("/v1/domains/1").header("etag");

    Answer answer = machine.send("GET", "/v1/domains/1", "", "If-None-Match", tag);

    assertThat(answer.status()).isEqualTo(304);
    assertThat(answer.text()).isEmpty();
  }

  @Test
  void creation_onlyIfNew_isRefusedWhereThereIsOne() {
    String web = "{\"name\":\"web\",\"memory\":\"4MiB\"}";

    Answer first = machine.send("POST", "/v1/domains", web, "If-None-Match", "*");
    String digest = machine.digest();
    Answer second = machine.send("POST", "/v1/domains", web, "If-None-Match", "*");

    assertThat(first.status()).isEqualTo(201);
    assertThat(second.status()).isEqualTo(412);
    assertThat(second.at("/type")).isEqualTo("/problems/precondition-failed");
    assertThat(machine.digest()).isEqualTo(digest);
    assertThat(machine.send("POST", "/v1/domains", web, "If-None-Match", "\"abc\"").status())
        .isEqualTo(501);
  }

  @Test
  void precondition_whereNoneCanBeChecked_isNotIgnored() {
    Answer answer =
        machine.send(
            "POST", "/v1/hypercalls/domctl/pausedomain", "{\"domain\":1}", "If-Match", "\"1\"");

    assertThat(answer.status()).isEqualTo(501);
  }
}
