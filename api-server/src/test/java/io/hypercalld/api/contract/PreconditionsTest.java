package io.hypercalld.api.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.api.contract.ServedMachine.Answer;
import org.awaitility.Awaitility;
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

  private long age() {
    return machine.get("/v1/machine").json().at("/uptimeSeconds").asLong();
  }

  @Test
  void change_guardedByTheNearestResource_isDoneWithItsTag() {
    String machineTag = machine.get("/v1/machine").header("etag");
    String domainTag = machine.get("/v1/domains/1/memory?gpa=0x10&length=2").header("etag");
    String clockTag = machine.get("/_sim/clock").header("etag");
    long age = age();
    // Which is not what a machine's tag is about.
    Awaitility.await().until(() -> age() > age);

    Answer policies =
        machine.send(
            "PATCH",
            "/v1/machine",
            "{\"policies\":{\"quarantine\":\"off\"}}",
            "If-Match",
            machineTag);
    Answer memory =
        machine.send(
            "PUT", "/v1/domains/1/memory?gpa=0x10", "{\"data\":\"c0de\"}", "If-Match", domainTag);
    Answer late =
        machine.send(
            "PUT", "/v1/domains/1/memory?gpa=0x10", "{\"data\":\"0000\"}", "If-Match", domainTag);
    Answer clock =
        machine.send("POST", "/_sim/clock", "{\"advanceNanos\":1}", "If-Match", clockTag);

    assertThat(policies.status()).as(policies.text()).isEqualTo(200);
    assertThat(memory.status()).as(memory.text()).isBetween(200, 204);
    assertThat(late.status()).isEqualTo(412);
    assertThat(clock.status()).isEqualTo(200);
    assertThat(machine.get("/v1/domains/1/memory?gpa=0x10&length=2").at("/data")).isEqualTo("c0de");
  }

  @Test
  void precondition_whereNoneCanBeChecked_isNotIgnored() {
    Answer answer =
        machine.send(
            "POST", "/v1/hypercalls/domctl/pausedomain", "{\"domain\":1}", "If-Match", "\"1\"");

    assertThat(answer.status()).isEqualTo(501);
  }
}
