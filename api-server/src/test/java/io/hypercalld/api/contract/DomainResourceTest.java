package io.hypercalld.api.contract;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.hypercalld.api.contract.ServedMachine.Answer;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** {@code /v1/domains} and what hangs below it. */
final class DomainResourceTest {
  private ServedMachine machine;

  @BeforeEach
  void serve() {
    machine = new ServedMachine();
  }

  @AfterEach
  void stop() {
    machine.close();
  }

  @Test
  void create_inOneStep_isPopulatedAndPaused() {
    Answer created =
        machine.post(
            "/v1/domains", "{\"name\":\"web\",\"type\":\"hvm\",\"memory\":\"4GiB\",\"vcpus\":4}");

    assertThat(created.status()).isEqualTo(201);
    assertThat(created.header("location")).isEqualTo("/v1/domains/1");
    JsonNode domain = machine.get("/v1/domains/web").json();
    assertThat(domain).isEqualTo(created.json());
    assertThat(domain.at("/domid").asInt()).isEqualTo(1);
    assertThat(domain.at("/state").asText()).isEqualTo("paused");
    assertThat(domain.at("/vcpus").asInt()).isEqualTo(4);
    assertThat(domain.at("/memoryBytes").asLong()).isEqualTo(4L << 30);
    assertThat(domain.at("/pageTables").asText()).isEqualTo("shared");
    assertThat(domain.at("/viommu").isNull()).isTrue();
  }

  @Test
  void create_fourGibibytes_leavesTheHoleBelowFourGibibytes() {
    machine.post("/v1/domains", "{\"memory\":\"4GiB\"}");

    assertThat(machine.get("/v1/domains/1/p2m/0xeffff").at("/type")).isEqualTo("ram_rw");
    assertThat(machine.get("/v1/domains/1/p2m/0xf0000").at("/type")).isEqualTo("mmio_dm");
    assertThat(machine.get("/v1/domains/1/p2m/0x100000").at("/type")).isEqualTo("ram_rw");
  }

  static Stream<Arguments> impossible() {
    return Stream.of(
        Arguments.of("{'memory':'1TiB'}", 507, "out-of-memory"),
        Arguments.of("{'memory':4097}", 422, "invalid-argument"),
        Arguments.of("{'memory':0}", 422, "invalid-argument"),
        Arguments.of("{'memory':-4096}", 400, "malformed-body"),
        Arguments.of("{'memory':'4 GiB'}", 400, "malformed-body"),
        Arguments.of("{'memory':'9223372036854775808'}", 400, "malformed-body"),
        Arguments.of("{'vcpus':0}", 422, "invalid-argument"),
        Arguments.of("{'vcpus':289}", 422, "invalid-argument"),
        Arguments.of("{'type':'vax'}", 400, "malformed-body"),
        Arguments.of("{'name':'Domain-0'}", 409, "exists"),
        Arguments.of("{'name':'7'}", 400, "malformed-body"),
        Arguments.of("{'name':'a/b'}", 400, "malformed-body"),
        Arguments.of("{'viommu':{'type':'intel_vtd','l1':true}}", 501, "not-supported"),
        Arguments.of("{'type':'pv','policies':{'dmaMode':'vp'}}", 501, "not-supported"),
        Arguments.of("{'policies':{'dmaMode':'pv'}}", 400, "malformed-body"),
        Arguments.of("{'policies':{'claimTypes':5}}", 422, "invalid-argument"),
        Arguments.of("{'policies':{'unclaimd':'ram'}}", 400, "malformed-body"),
        Arguments.of("{'pageTables':'mixed'}", 400, "malformed-body"));
  }

  @ParameterizedTest
  @MethodSource("impossible")
  void create_impossible_changesNothing(String body, int status, String type) {
    String before = machine.digest();

    Answer answer = machine.post("/v1/domains", body.replace('\'', '"'));

    assertThat(answer.status()).isEqualTo(status);
    assertThat(answer.at("/type")).isEqualTo("/problems/" + type);
    assertThat(machine.digest()).isEqualTo(before);
    assertThat(machine.get("/v1/domains").json().at("/items")).hasSize(1);
  }

  @Test
  void create_separateTables_mirrorsTheP2m() {
    machine.post("/v1/domains", "{\"memory\":\"64MiB\",\"pageTables\":\"separate\"}");
    machine.put("/v1/devices/03:10.0/assignment", "{\"domain\":1}");

    Answer dma =
        machine.post(
            "/v1/devices/03:10.0/dma",
            "{\"op\":\"write\",\"address\":\"0x5000\",\"data\":\"c0de\"}");

    assertThat(machine.get("/v1/domains/1").at("/pageTables")).isEqualTo("separate");
    assertThat(dma.at("/outcome")).isEqualTo("done");
    assertThat(machine.get("/v1/domains/1/memory?gpa=0x5000&length=2").at("/data"))
        .isEqualTo("c0de");
    assertThat(machine.get("/v1/domains/1/counters").json().at("/iommu/tables").asLong())
        .isPositive();
  }

  @Test
  void delete_domainWithADevice_isGoneAndTheDeviceInQuarantine() {
    machine.post("/v1/domains", "{\"memory\":\"64MiB\"}");
    machine.put("/v1/devices/03:10.0/assignment", "{\"domain\":1}");

    assertThat(machine.delete("/v1/domains/1").status()).isEqualTo(204);
    assertThat(machine.get("/v1/domains/1").status()).isEqualTo(404);
    assertThat(machine.delete("/v1/domains/1").status()).isEqualTo(404);
    assertThat(machine.get("/v1/devices/03:10.0").at("/state")).isEqualTo("quarantined");
    assertThat(machine.get("/_sim/invariants").json().at("/violations")).isEmpty();
  }

  @Test
  void delete_domainZero_isRefused() {
    assertThat(machine.delete("/v1/domains/0").at("/errno")).isEqualTo("EINVAL");
  }

  @Test
  void actions_pauseAndUnpause_areCounted() {
    machine.post("/v1/domains", "{\"memory\":\"64MiB\"}");

    assertThat(machine.post("/v1/domains/1/actions/pause", "").at("/state")).isEqualTo("paused");
    assertThat(machine.post("/v1/domains/1/actions/unpause", "").at("/state")).isEqualTo("paused");
    assertThat(machine.post("/v1/domains/1/actions/unpause", "{}").at("/state"))
        .isEqualTo("running");
    assertThat(machine.post("/v1/domains/1/actions/unpause", "").at("/errno")).isEqualTo("EINVAL");
    assertThat(machine.get("/v1/domains?state=running").json().at("/items")).hasSize(2);
  }

  @Test
  void p2m_listing_isRunsOfEqualLeavesInPages() {
    machine.post("/v1/domains", "{\"memory\":\"64MiB\"}");
    machine.call("memory_op/remove_from_physmap", "{'domid':1,'gpfn':'0x1001'}");

    JsonNode whole = machine.get("/v1/domains/1/p2m").json();
    Answer first = machine.get("/v1/domains/1/p2m?limit=1");
    Answer second = machine.get("/v1/domains/1/p2m?limit=1&cursor=" + first.at("/nextCursor"));

    assertThat(whole.at("/items")).hasSize(4);
    assertThat(whole.at("/items/1").toString()).contains("\"gfn\":\"0x1000\"", "\"count\":1");
    assertThat(first.json().at("/items/0")).isEqualTo(whole.at("/items/0"));
    assertThat(second.json().at("/items/0")).isEqualTo(whole.at("/items/1"));
    assertThat(machine.get("/v1/domains/1/p2m?from=0x1001&to=0x1004").json().at("/items/0/count"))
        .hasToString("2");
    assertThat(machine.get("/v1/domains/1/p2m?type=ram_ro").json().at("/items")).isEmpty();
  }

  @Test
  void memory_writtenThroughTheDomain_isInTheMachine() {
    machine.post("/v1/domains", "{\"memory\":\"64MiB\"}");

    assertThat(machine.put("/v1/domains/1/memory?gpa=0x2ffe", "{\"data\":\"01020304\"}").status())
        .isEqualTo(204);

    long mfn = Long.decode(machine.get("/v1/domains/1/p2m/0x2").at("/mfn"));
    String maddr = "0x" + Long.toHexString((mfn << 12) + 0xffe);
    assertThat(machine.get("/v1/memory?maddr=" + maddr + "&length=4").at("/data"))
        .isEqualTo("01020304");
  }

  @Test
  void memory_partlyMissing_isRefusedWhole() {
    machine.post("/v1/domains", "{\"memory\":\"64MiB\"}");
    String before = machine.digest();

    Answer answer = machine.put("/v1/domains/1/memory?gpa=0x3fffffe", "{\"data\":\"01020304\"}");

    assertThat(answer.at("/errno")).isEqualTo("EFAULT");
    assertThat(machine.digest()).isEqualTo(before);
  }

  @Test
  void counters_ofADomain_countAndReset() {
    machine.post("/v1/domains", "{\"memory\":\"64MiB\"}");

    assertThat(machine.get("/v1/domains/1/counters").json().at("/p2m/entryWrites").asLong())
        .isPositive();
    assertThat(machine.post("/v1/domains/1/counters/reset", "").status()).isEqualTo(204);
    assertThat(machine.get("/v1/domains/1/counters").json().at("/p2m/entryWrites").asLong())
        .isZero();
  }
}
