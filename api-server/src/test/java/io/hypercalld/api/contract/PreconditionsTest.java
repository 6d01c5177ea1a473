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
  void hypercall_isMadeWhereNothingHasChangedSinceTheListOfThemWasRead() {
    String pause = "/v1/hypercalls/domctl/pausedomain";
    String batch = "[{\"call\":\"domctl\",\"op\":\"unpausedomain\",\"args\":{\"domain\":1}}]";
    String tag = machine.get("/v1/hypercalls").header("etag");

    Answer made = machine.send("POST", pause, "{\"domain\":1}", "If-Match", tag);
    String digest = machine.digest();
    Answer late = machine.send("POST", pause, "{\"domain\":1}", "If-Match", tag);
    Answer lateToo = machine.send("POST", "/v1/hypercalls/multicall", batch, "If-Match", tag);

    assertThat(made.status()).as(made.text()).isEqualTo(200);
    assertThat(late.status()).isEqualTo(412);
    assertThat(lateToo.status()).isEqualTo(412);
    assertThat(machine.digest()).isEqualTo(digest);
  }

  @Test
  void change_ofTheWhole_isMadeWhereTheDigestIsTheOneThatWasSeen() {
    String old = machine.get("/_sim/digest").header("etag");
    machine.post("/v1/domains/1/actions/unpause", "");
    String digest = machine.digest();

    Answer late = machine.send("POST", "/_sim/reset", "", "If-Match", old);
    String untouched = machine.digest();
    String tag = machine.get("/_sim/digest").header("etag");
    Answer made = machine.send("POST", "/_sim/reset", "", "If-Match", tag);

    assertThat(late.status()).isEqualTo(412);
    assertThat(untouched).isEqualTo(digest);
    assertThat(made.status()).isEqualTo(200);
  }

  @Test
  void machine_isEndedWithTheTagOfItself_andMadeOnlyIfNew() {
    String lab = "{\"name\":\"lab\"}";
    Answer made = machine.send("POST", "/v1/machines", lab, "If-None-Match", "*");
    String tag = machine.get("/v1/machines/lab").header("etag");
    Answer again = machine.send("POST", "/v1/machines", lab, "If-None-Match", "*");

    Answer late = machine.send("DELETE", "/v1/machines/lab", "", "If-Match", "\"0\"");
    Answer ended = machine.send("DELETE", "/v1/machines/lab", "", "If-Match", tag);

    assertThat(made.status()).isEqualTo(201);
    assertThat(again.status()).isEqualTo(412);
    assertThat(late.status()).isEqualTo(412);
    assertThat(ended.status()).isEqualTo(204);
  }

  @Test
  void access_thatWaits_isGuardedByTheVcpus() {
    String access = "{\"gpa\":\"0x0\",\"op\":\"write\",\"size\":1,\"data\":\"0x1\"}";
    String path = "/v1/domains/1/vcpus/0/access";
    String tag = machine.get("/v1/domains/1/vcpus").header("etag");

    Answer late = machine.send("POST", path, access, "If-Match", "\"0\"", "Prefer", "wait=1");
    Answer made = machine.send("POST", path, access, "If-Match", tag, "Prefer", "wait=1");

    assertThat(late.status()).isEqualTo(412);
    assertThat(made.status()).as(made.text()).isEqualTo(200);
  }
}
