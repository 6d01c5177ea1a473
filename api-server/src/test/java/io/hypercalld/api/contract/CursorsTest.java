package io.hypercalld.api.contract;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.hypercalld.api.contract.ServedMachine.Answer;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Lists in pages: all of one are of one revision of the machine. */
final class CursorsTest {
  private final ServedMachine machine = new ServedMachine();

  @BeforeEach
  void guests() {
    for (String name : List.of("a", "b", "c")) {
      create(name);
    }
  }

  @AfterEach
  void stop() {
    machine.close();
  }

  private void create(String name) {
    Answer answer =
        machine.post(
            "/v1/domains", "{\"name\":\"%s\",\"memory\":\"4MiB\",\"vcpus\":1}".formatted(name));
    assertThat(answer.status()).as(answer.text()).isEqualTo(201);
  }

  private static List<String> names(Answer page) {
    List<String> names = new ArrayList<>();
    page.json().get("items").forEach(item -> names.add(item.at("/name").asText()));
    return names;
  }

  private Answer next(String path, Answer page) {
    return machine.get(path + "&cursor=" + page.at("/nextCursor"));
  }

  @Test
  void pages_ofAListThatChanges_areOfTheRevisionOfTheFirst() {
    String path = "/v1/domains?limit=2";
    Answer first = machine.get(path);
    machine.delete("/v1/domains/c");
    machine.delete("/v1/domains/b");
    create("d");

    Answer second = next(path, first);

    assertThat(names(first)).containsExactly("Domain-0", "a");
    assertThat(names(second)).containsExactly("b", "c");
    assertThat(second.at("/revision")).isEqualTo(first.at("/revision")).matches("[0-9]+");
    assertThat(second.json().get("nextCursor").isNull()).isTrue();
    assertThat(names(machine.get("/v1/domains"))).containsExactly("Domain-0", "a", "d");
    assertThat(next(path, first).text()).isEqualTo(second.text());
  }

  @Test
  void revision_growsWithChanges_andNotWithReads() {
    long before = machine.get("/v1/domains").json().at("/revision").asLong();
    long read = machine.get("/v1/devices?limit=1").json().at("/revision").asLong();
    machine.post("/v1/domains/a/actions/unpause", "");
    long after = machine.get("/v1/iommus/0/registers").json().at("/revision").asLong();

    assertThat(read).isEqualTo(before);
    assertThat(after).isGreaterThan(before);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/v1/domains",
        "/v1/devices",
        "/v1/iommus",
        "/v1/iommus/0/registers",
        "/v1/iommus/0/context-entries",
        "/v1/domains/a/p2m"
      })
  void pages_oneItemAtATime_areTheList(String path) {
    JsonNode whole = machine.get(path).json().get("items");
    List<JsonNode> found = new ArrayList<>();
    Answer page = machine.get(path + "?limit=1");
    found.add(page.json().get("items").get(0));
    while (!page.json().get("nextCursor").isNull() && found.size() < 10) {
      assertThat(page.json().get("items")).hasSize(1);
      page = next(path + "?limit=1", page);
      assertThat(page.status()).as(page.text()).isEqualTo(200);
      found.add(page.json().get("items").get(0));
    }

    for (int i = 0; i < found.size(); i++) {
      assertThat(found.get(i)).isEqualTo(whole.get(i));
    }
    assertThat(found).hasSize(Math.min(10, whole.size()));
  }

  @Test
  void longP2m_goesOnAsLongAsNothingChanges_andIsGoneAfterwards() {
    String create = "{\"name\":\"long\",\"memory\":\"160MiB\",\"vcpus\":1}";
    assertThat(machine.post("/v1/domains", create).status()).isEqualTo(201);
    // Every other page of 32,768: more runs than are kept of a list at once.
    StringBuilder odd = new StringBuilder("{'domid':4,'extent_order':0,'extent_start':['0x1'");
    for (int gfn = 3; gfn < 40_000; gfn += 2) {
      odd.append(",'0x").append(Integer.toHexString(gfn)).append('\'');
    }
    machine.call("memory_op/decrease_reservation", odd.append("]}").toString());
    String path = "/v1/domains/long/p2m?limit=10000";
    Answer second = next(path, machine.get(path));
    assertThat(second.json().get("items")).hasSize(6384);

    Answer third = next(path, second);
    machine.post("/v1/domains/a/actions/unpause", "");
    Answer late = next(path, second);

    assertThat(third.status()).isEqualTo(200);
    assertThat(third.json().get("items")).isNotEmpty();
    assertThat(late.status()).isEqualTo(410);
    assertThat(late.at("/type")).isEqualTo("/problems/cursor-expired");
  }

  @Test
  void cursor_afterAResetOrARestore_isGone() {
    machine.post("/_sim/snapshots", "{\"name\":\"s\"}");
    String path = "/v1/domains?limit=1";
    Answer before = machine.get(path);
    machine.post("/_sim/snapshots/s/restore", "");
    Answer restored = next(path, before);
    Answer again = machine.get(path);
    machine.post("/_sim/reset", "");
    Answer reset = next(path, again);

    for (Answer answer : List.of(restored, reset)) {
      assertThat(answer.status()).isEqualTo(410);
      assertThat(answer.at("/type")).isEqualTo("/problems/cursor-expired");
      assertThat(answer.at("/hint")).isEqualTo("begin the list again, without a cursor");
    }
  }

  @Test
  void cursor_ofTooManyLists_isGoneForTheOldest() {
    String path = "/v1/devices?limit=1";
    Answer oldest = machine.get(path);
    for (int i = 0; i < 16; i++) {
      assertThat(next(path, machine.get(path)).status()).isEqualTo(200);
    }

    assertThat(next(path, oldest).status()).isEqualTo(410);
  }

  @Test
  void cursor_ofAnotherList_isRefused() {
    String cursor = machine.get("/v1/domains?limit=1").at("/nextCursor");

    for (String path :
        List.of(
            "/v1/devices?cursor=" + cursor,
            "/v1/domains?state=paused&cursor=" + cursor,
            "/v1/domains?cursor=x",
            "/v1/domains?cursor=99999999999999999999-1")) {
      Answer answer = machine.get(path);
      assertThat(answer.status()).as(path).isEqualTo(400);
      assertThat(answer.at("/type")).isEqualTo("/problems/invalid-parameter");
    }
    assertThat(machine.get("/v1/domains?cursor=99-1").status()).isEqualTo(410);
  }
}
