package io.hypercalld.api.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.api.contract.ServedMachine.Answer;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Idempotency-Key: what was done is told again, not done again. */
final class IdempotencyTest {
  private static final String WEB = "{\"name\":\"web\",\"memory\":\"4MiB\"}";

  private final ServedMachine machine = new ServedMachine();

  @AfterEach
  void stop() {
    machine.close();
  }

  private Answer create(String body, String key) {
    return machine.send("POST", "/v1/domains", body, "Idempotency-Key", key);
  }

  @Test
  void sameKeyAndBody_isAnsweredTheSame_andDoneOnce() {
    Answer first = create(WEB, "\"one\"");
    String digest = machine.digest();

    Answer second = create(WEB, "\"one\"");

    assertThat(first.status()).isEqualTo(201);
    assertThat(second.status()).isEqualTo(201);
    assertThat(second.text()).isEqualTo(first.text());
    assertThat(second.header("location")).isEqualTo(first.header("location"));
    assertThat(second.header("idempotency-replayed")).isEqualTo("true");
    assertThat(machine.digest()).isEqualTo(digest);
  }

  @Test
  void reset_forgetsKeys_unlessItIsOnlyTried() {
    create(WEB, "one");

    machine.post("/_sim/reset?dryRun=true", "{}");
    Answer tried = create(WEB, "one");
    machine.post("/_sim/reset", "{}");
    Answer done = create(WEB, "one");

    assertThat(tried.header("idempotency-replayed")).isEqualTo("true");
    assertThat(done.status()).isEqualTo(201);
    assertThat(done.header("idempotency-replayed")).isEmpty();
  }

  @Test
  void refusal_isAnAnswer_andToldAgain() {
    create(WEB, "one");

    Answer refused = create(WEB, "two");
    machine.delete("/v1/domains/web");
    Answer again = create(WEB, "two");

    assertThat(refused.status()).isEqualTo(409);
    assertThat(again.status()).isEqualTo(409);
    assertThat(again.text()).isEqualTo(refused.text());
  }

  @Test
  void sameKey_otherBodyOrPath_isRefused() {
    create(WEB, "one");
    String digest = machine.digest();

    Answer otherBody = create("{\"memory\":\"8MiB\"}", "one");
    Answer otherPath =
        machine.send("POST", "/_sim/clock", "{\"advanceNanos\":5}", "Idempotency-Key", "one");

    assertThat(otherBody.status()).isEqualTo(422);
    assertThat(otherBody.at("/type")).isEqualTo("/problems/idempotency-key-reused");
    assertThat(otherPath.status()).isEqualTo(422);
    assertThat(machine.digest()).isEqualTo(digest);
  }

  @Test
  void sameKey_atTheSameTime_isDoneOnce() {
    List<CompletableFuture<Answer>> asked =
        IntStream.range(0, 8)
            .mapToObj(_ -> CompletableFuture.supplyAsync(() -> create(WEB, "one")))
            .toList();

    assertThat(asked.stream().map(CompletableFuture::join).map(Answer::status))
        .allMatch(status -> status == 201 || status == 409)
        .contains(201);
    assertThat(machine.get("/v1/domains").json().at("/items")).hasSize(2);
  }

  @Test
  void sameKey_whileTheFirstWaits_isAConflict() throws InterruptedException {
    String server = "{\"memory\":\"4MiB\"}";
    machine.post("/v1/domains", server);
    machine.post("/v1/domains/1/actions/unpause", "");
    machine.post("/v1/domains/1/ioreq-servers", "{}");
    String path = "/v1/domains/1/vcpus/0/io";
    String io = "{\"port\":\"0x3f8\",\"op\":\"in\",\"size\":1}";
    machine.post(
        "/v1/hypercalls/dm_op/map_io_range_to_ioreq_server",
        "{\"domid\":1,\"id\":0,\"type\":0,\"start\":\"0x3f8\",\"end\":\"0x3ff\"}");
    machine.post(
        "/v1/hypercalls/dm_op/set_ioreq_server_state", "{\"domid\":1,\"id\":0,\"enabled\":1}");
    CompletableFuture<Answer> first =
        CompletableFuture.supplyAsync(
            () -> machine.send("POST", path, io, "Idempotency-Key", "k", "Prefer", "wait=30"));
    while (machine.get("/v1/domains/1/ioreq-servers/0/requests").json().at("/items").isEmpty()) {
      Thread.onSpinWait();
    }

    Answer second = machine.send("POST", path, io, "Idempotency-Key", "k", "Prefer", "wait=30");
    machine.post("/v1/domains/1/ioreq-servers/0/requests/1/response", "{\"data\":\"0x41\"}");

    assertThat(second.status()).isEqualTo(409);
    assertThat(second.at("/type")).isEqualTo("/problems/idempotency-key-in-use");
    assertThat(first.join().at("/outcome")).isEqualTo("emulated");
  }

  @Test
  void reset_forgetsKeys() {
    create(WEB, "one");

    machine.post("/_sim/reset", "");

    assertThat(create(WEB, "one").header("idempotency-replayed")).isEmpty();
    assertThat(machine.get("/v1/domains/web").status()).isEqualTo(200);
  }

  @Test
  void key_tooLong_isRefused() {
    assertThat(create(WEB, "x".repeat(256)).status()).isEqualTo(400);
    assertThat(create(WEB, "x".repeat(255)).status()).isEqualTo(201);
  }
}
