package io.hypercalld.api.contract;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.hypercalld.api.contract.ServedMachine.Answer;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Snapshots: a machine goes back to where it was, and goes on from there as it did before. */
class SnapshotsTest {
  private static final String WEB = "{\"name\":\"web\",\"memory\":\"64MiB\"}";
  private static final String WRITE =
      "{\"op\":\"write\",\"address\":\"0x3000\",\"data\":\"c0ffee\"}";

  private final ServedMachine machine = new ServedMachine();

  @AfterEach
  void stop() {
    machine.close();
  }

  private void take(String name) {
    assertThat(machine.post("/_sim/snapshots", "{\"name\":\"" + name + "\"}").status())
        .isEqualTo(201);
  }

  private void restore(String name) {
    assertThat(machine.post("/_sim/snapshots/" + name + "/restore", "").status()).isEqualTo(200);
  }

  /** One of what a toolstack, a device or a guest might do. */
  private record Step(String method, String path, String body) {}

  private static Step random(RandomGenerator random) {
    int domain = 1 + random.nextInt(3);
    String vf = "/v1/devices/03:10." + random.nextInt(8);
    int gfn = random.nextInt(64);
    return switch (random.nextInt(10)) {
      case 0 -> new Step("POST", "/v1/domains", "{\"memory\":\"4MiB\"}");
      case 1 -> new Step("DELETE", "/v1/domains/" + domain, "");
      case 2, 3 -> new Step("PUT", vf + "/assignment", "{\"domain\":" + domain + "}");
      case 4 -> new Step("DELETE", vf + "/assignment", "");
      case 5, 6 ->
          new Step(
              "POST",
              vf + "/dma",
              "{\"op\":\"write\",\"address\":\"0x%x\",\"data\":\"%02x\"}"
                  .formatted(gfn << 12, random.nextInt(256)));
      case 7 ->
          new Step(
              "POST",
              "/v1/hypercalls/memory_op/decrease_reservation",
              "{\"domid\":%d,\"extent_start\":[\"0x%x\"],\"extent_order\":0}"
                  .formatted(domain, gfn));
      case 8 ->
          new Step(
              "POST",
              "/v1/hypercalls/memory_op/populate_physmap",
              "{\"domid\":%d,\"extent_start\":[\"0x%x\"],\"extent_order\":0}"
                  .formatted(domain, gfn));
      default ->
          new Step(
              "POST",
              "/v1/domains/" + domain + "/vcpus/0/access",
              "{\"gpa\":\"0x%x\",\"op\":\"write\",\"size\":8,\"data\":\"0x%x\"}"
                  .formatted(gfn << 12, random.nextInt()));
    };
  }

  private List<Integer> run(RandomGenerator random, int steps) {
    List<Integer> statuses = new ArrayList<>();
    for (int i = 0; i < steps; i++) {
      Step step = random(random);
      statuses.add(machine.send(step.method, step.path, step.body).status());
    }
    return statuses;
  }

  private static RandomGenerator seeded(long seed) {
    return RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
  }

  @Test
  void restoredMachine_doesAgainExactlyWhatItDid() {
    run(seeded(1), 150);
    take("middle");
    String middle = machine.digest();
    List<Integer> statuses = run(seeded(2), 150);
    String end = machine.digest();
    JsonNode counters = machine.get("/v1/iommus/0/counters").json();

    restore("middle");

    assertThat(machine.digest()).isEqualTo(middle);
    assertThat(run(seeded(2), 150)).isEqualTo(statuses);
    assertThat(machine.digest()).isEqualTo(end).isNotEqualTo(middle);
    assertThat(machine.get("/v1/iommus/0/counters").json()).isEqualTo(counters);
    assertThat(statuses).contains(200, 201, 404, 409);
    assertThat(machine.get("/_sim/invariants").json().get("violations")).isEmpty();
  }

  @Test
  void snapshot_isNotTouchedByWhatHappensAfterwards() {
    machine.post("/v1/domains", WEB);
    machine.put("/v1/devices/03:10.0/assignment", "{\"domain\":1}");
    take("before");
    machine.post("/v1/devices/03:10.0/dma", WRITE);
    machine.delete("/v1/domains/1");

    restore("before");

    assertThat(machine.get("/v1/domains/1/memory?gpa=0x3000&length=4").at("/data"))
        .isEqualTo("00000000");
    assertThat(machine.post("/v1/devices/03:10.0/dma", WRITE).at("/outcome")).isEqualTo("done");
    restore("before");
    assertThat(machine.get("/v1/domains/1/memory?gpa=0x3000&length=4").at("/data"))
        .isEqualTo("00000000");
  }

  @Test
  void diff_namesWhatIsDifferent_withBothStates() {
    take("empty");
    machine.post("/v1/domains", WEB);
    machine.put("/v1/devices/03:10.0/assignment", "{\"domain\":1}");
    take("full");

    JsonNode toNow = machine.get("/_sim/diff?from=empty").json().get("changes");

    assertThat(toNow.findValuesAsText("resource"))
        .contains("/v1/domains/1", "/v1/domains/1/p2m/0x0", "/v1/devices/0000:03:10.0")
        .contains("/v1/iommus/0/context-entries/0x380", "/v1/iommus/0/domain-ids/1")
        .doesNotContain("/v1/domains/0/p2m/0x0", "/v1/devices/0000:03:10.1");
    JsonNode device =
        toNow
            .valueStream()
            .filter(change -> change.get("resource").asText().equals("/v1/devices/0000:03:10.0"))
            .findFirst()
            .orElseThrow();
    assertThat(device.at("/before/owner").asInt()).isZero();
    assertThat(device.at("/after/owner").asInt()).isEqualTo(1);
    assertThat(machine.get("/_sim/diff?from=empty&to=full").json().get("changes")).isEqualTo(toNow);
    assertThat(machine.get("/_sim/diff?from=full").json().get("changes")).isEmpty();
  }

  @Test
  void reset_isTheMachineAtItsStart_andKeepsSnapshots() {
    String start = machine.digest();
    machine.post("/v1/domains", WEB);
    machine.post("/_sim/clock", "{\"advanceNanos\":5000}");
    take("used");

    Answer reset = machine.post("/_sim/reset", "");

    assertThat(reset.at("/digest")).isEqualTo(start);
    assertThat(machine.digest()).isEqualTo(start);
    assertThat(machine.get("/_sim/clock").at("/nowNanos")).isEqualTo("0");
    assertThat(machine.get("/_sim/snapshots").at("/items/0/nowNanos")).isEqualTo("5000");
    restore("used");
    assertThat(machine.get("/v1/domains/web").status()).isEqualTo(200);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "a/b", "..%2f", "a\\u0000"})
  void name_thatIsNoPlaceOfAPath_isRefused(String name) {
    Answer refused = machine.post("/_sim/snapshots", "{\"name\":\"" + name + "\"}");

    assertThat(refused.status()).isEqualTo(400);
    assertThat(refused.at("/pointer")).isEqualTo("/name");
    assertThat(machine.get("/_sim/snapshots").json().get("items")).isEmpty();
  }

  @Test
  void names_areUniqueAndMustExist() {
    take("one");
    String before = machine.digest();

    assertThat(machine.post("/_sim/snapshots", "{\"name\":\"one\"}").at("/errno"))
        .isEqualTo("EEXIST");
    assertThat(machine.post("/_sim/snapshots/none/restore", "").at("/errno")).isEqualTo("ENOENT");
    assertThat(machine.get("/_sim/diff?from=one&to=none").at("/errno")).isEqualTo("ENOENT");
    assertThat(machine.delete("/_sim/snapshots/one").status()).isEqualTo(204);
    assertThat(machine.delete("/_sim/snapshots/one").at("/errno")).isEqualTo("ENOENT");
    assertThat(machine.digest()).isEqualTo(before);
  }
}
