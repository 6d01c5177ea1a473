package io.hypercalld.api.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import io.hypercalld.api.contract.ServedMachine.Answer;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Fault rules of every effect but those of invalidation commands, which have their own test. */
final class FaultEffectsTest {
  private static final String VF = "0000:03:10.0";
  private static final String PAUSE = "domctl/pausedomain";

  private final ServedMachine machine = new ServedMachine();

  @BeforeEach
  void create() {
    assertThat(machine.post("/v1/domains", "{\"memory\":\"64MiB\"}").status()).isEqualTo(201);
  }

  @AfterEach
  void stop() {
    machine.close();
  }

  private Answer inject(String rule) {
    Answer answer = machine.post("/_sim/faults", rule.replace('\'', '"'));
    assertThat(answer.status()).as(answer.text()).isEqualTo(200);
    return answer;
  }

  private Answer pause() {
    return machine.call(PAUSE, "{'domain':1}");
  }

  private long hits(int rule) {
    return machine.get("/_sim/faults").json().at("/items/%d/hits".formatted(rule)).asLong();
  }

  private JsonNode events(String types) {
    return machine
        .send("GET", "/v1/events?types=" + types, "", "Accept", "application/json")
        .json()
        .at("/items");
  }

  @Test
  void errno_ofAHypercall_isInjected_named_toldAndCounted() {
    inject("{'id':'r1','match':{'call':'domctl.pause*','domid':1},'effect':{'errno':'ENOMEM'}}");

    Answer refused = pause();

    assertThat(refused.status()).isEqualTo(507);
    assertThat(refused.at("/errno")).isEqualTo("ENOMEM");
    assertThat(refused.at("/injectedBy")).isEqualTo("r1");
    assertThat(machine.call("domctl/unpausedomain", "{'domain':1}").status()).isEqualTo(200);
    assertThat(hits(0)).isEqualTo(1);
    JsonNode event = events("sim.fault.injected").get(0);
    assertThat(event.at("/data/rule").asText()).isEqualTo("r1");
    assertThat(event.at("/data/effect").asText()).isEqualTo("ENOMEM");
  }

  @Test
  void errno_thatPasses_saysWhenToAskAgain() {
    inject("{'match':{'call':'domctl.pausedomain'},'effect':{'errno':'EAGAIN'}}");

    Answer refused = pause();

    assertThat(refused.status()).isEqualTo(503);
    assertThat(refused.header("Retry-After")).isEqualTo("1");
  }

  @Test
  void errno_ofADevice_strikesTheResourceAsWell() {
    inject("{'match':{'call':'domctl.assign_device','sbdf':'0000:03:*'},'effect':{'errno':'EIO'}}");

    Answer answer = machine.put("/v1/devices/" + VF + "/assignment", "{\"domain\":1}");

    assertThat(answer.at("/errno")).isEqualTo("EIO");
    assertThat(answer.at("/injectedBy")).isEqualTo("1");
    assertThat(machine.get("/v1/devices/" + VF).at("/owner")).isEqualTo("0");
  }

  @Test
  void creation_refusedByARule_leavesNothing() {
    inject("{'match':{'call':'domctl.createdomain'},'effect':{'errno':'ENOSPC'}}");

    assertThat(machine.post("/v1/domains", "{\"memory\":\"4MiB\"}").at("/errno"))
        .isEqualTo("ENOSPC");
    assertThat(machine.get("/v1/domains").json().at("/items")).hasSize(2);
  }

  @Test
  void skipAndTimes_chooseTheMoment() {
    inject(
        "{'match':{'call':'domctl.pausedomain'},'when':{'skip':1,'times':2},"
            + "'effect':{'errno':'EBUSY'}}");

    assertThat(List.of(pause(), pause(), pause(), pause()))
        .extracting(Answer::status)
        .containsExactly(200, 409, 409, 200);
  }

  @Test
  void firstMatch_wins() {
    inject("{'id':'a','match':{'call':'domctl.*'},'when':{'times':1},'effect':{'errno':'EBUSY'}}");
    inject("{'id':'b','match':{'call':'domctl.pausedomain'},'effect':{'errno':'EPERM'}}");

    assertThat(pause().at("/injectedBy")).isEqualTo("a");
    assertThat(pause().at("/injectedBy")).isEqualTo("b");
    assertThat(List.of(hits(0), hits(1))).containsExactly(1L, 1L);
  }

  @Test
  void probability_isTheSameEveryTime() {
    List<List<Integer>> runs = new ArrayList<>();
    for (int run = 0; run < 2; run++) {
      machine.post("/_sim/reset", "");
      create();
      inject(
          "{'match':{'call':'domctl.pausedomain'},'when':{'probability':0.5,'seed':7},"
              + "'effect':{'errno':'EBUSY'}}");
      List<Integer> statuses = new ArrayList<>();
      for (int i = 0; i < 40; i++) {
        statuses.add(pause().status());
      }
      runs.add(statuses);
    }

    assertThat(runs.get(0)).isEqualTo(runs.get(1));
    assertThat(runs.get(0).stream().filter(status -> status == 409).count()).isBetween(8L, 32L);
  }

  @Test
  void delay_passesForTheMachine_beforeTheErrno() {
    inject(
        "{'match':{'call':'domctl.pausedomain'},"
            + "'effect':{'errno':'ETIMEDOUT','delay':{'type':'fixed','value':'5ms'}}}");

    assertThat(pause().status()).isEqualTo(504);
    assertThat(machine.get("/_sim/clock").at("/nowNanos")).isEqualTo("5000000");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{'type':'uniform','min':'1ms','max':'2ms'}",
        "{'type':'lognormal','median':'5ms','sigma':0.3}"
      })
  void delay_drawn_makesTheCallLater(String delay) {
    inject("{'match':{'call':'domctl.pausedomain'},'effect':{'delay':%s}}".formatted(delay));

    Answer done = pause();

    assertThat(done.status()).isEqualTo(200);
    assertThat(done.header("injected-by")).isEqualTo("1");
    assertThat(machine.get("/_sim/clock").json().at("/nowNanos").asLong())
        .isBetween(1_000_000L, 50_000_000L);
  }

  @Test
  void delay_byTheWallClock_delaysTheAnswerAndNotTheMachine() {
    inject(
        "{'match':{'call':'domctl.pausedomain'},'effect':"
            + "{'delay':{'type':'fixed','value':'400ms','clock':'wall'}}}");
    long began = System.nanoTime();

    Answer done = pause();

    assertThat(Duration.ofNanos(System.nanoTime() - began)).isGreaterThan(Duration.ofMillis(400));
    assertThat(done.status()).isEqualTo(200);
    assertThat(done.header("injected-by")).isEqualTo("1");
    assertThat(machine.get("/_sim/clock").at("/nowNanos")).isEqualTo("0");
  }

  @Test
  void rules_inAJournal_leadToTheSameDigest_andBlameNobodyAfterwards() {
    inject("{'id':'full','when':{'skip':2000},'effect':{'errno':'ENOMEM'}}");
    assertThat(machine.post("/v1/domains", "{\"memory\":\"1GiB\"}").at("/injectedBy"))
        .isEqualTo("full");
    machine.delete("/_sim/faults/full");
    inject("{'id':'late','match':{'call':'domctl.pausedomain'},'effect':{'type':'http-reset'}}");
    assertThatThrownBy(this::pause).isInstanceOf(UncheckedIOException.class);
    String journal = machine.get("/_sim/journal").text();
    String digest = machine.digest();

    Answer replayed = machine.post("/_sim/replay", journal);

    assertThat(replayed.at("/digest")).as(replayed.text()).isEqualTo(digest);
    assertThat(machine.call("domctl/unpausedomain", "{'domain':1}").header("injected-by"))
        .isEmpty();
  }

  @Test
  void hang_isNeverAnswered_andNotDone() {
    inject("{'match':{'call':'domctl.pausedomain'},'effect':{'type':'hang'}}");
    HttpRequest request =
        HttpRequest.newBuilder(URI.create(machine.url() + "/v1/hypercalls/" + PAUSE))
            .timeout(Duration.ofMillis(700))
            .POST(BodyPublishers.ofString("{\"domain\":1}"))
            .build();

    try (HttpClient client = HttpClient.newHttpClient()) {
      assertThatThrownBy(() -> client.send(request, BodyHandlers.ofString()))
          .isInstanceOf(java.net.http.HttpTimeoutException.class);
    }

    assertThat(events("domain.paused").size()).isEqualTo(1);
    assertThat(machine.get("/health/ready").status()).isEqualTo(200);
  }

  @Test
  void httpReset_losesTheAnswer_whichAKeyBringsBack() {
    inject(
        "{'match':{'call':'domctl.createdomain'},'when':{'times':1},"
            + "'effect':{'type':'http-reset'}}");
    String web = "{\"name\":\"web\",\"memory\":\"4MiB\"}";

    assertThatThrownBy(() -> machine.send("POST", "/v1/domains", web, "Idempotency-Key", "k"))
        .isInstanceOf(UncheckedIOException.class);
    Answer again = machine.send("POST", "/v1/domains", web, "Idempotency-Key", "k");

    assertThat(again.status()).isEqualTo(201);
    assertThat(again.header("idempotency-replayed")).isEqualTo("true");
    assertThat(machine.get("/v1/domains").json().at("/items")).hasSize(3);
  }

  @Test
  void corruptEntry_faultsAsReserved_onceTheCacheForgets() {
    machine.put("/v1/devices/" + VF + "/assignment", "{\"domain\":1}");
    String read = "{\"op\":\"read\",\"address\":\"0x200000\",\"length\":4}";
    assertThat(machine.post("/v1/devices/" + VF + "/dma", read).at("/outcome")).isEqualTo("done");
    inject(
        "{'match':{'call':'domctl.pausedomain','domid':1},"
            + "'effect':{'type':'corrupt-pte','gfn':'0x200'}}");

    assertThat(pause().header("injected-by")).isEqualTo("1");

    assertThat(machine.post("/v1/devices/" + VF + "/dma", read).at("/outcome")).isEqualTo("done");
    machine.delete("/v1/devices/" + VF + "/assignment");
    machine.put("/v1/devices/" + VF + "/assignment", "{\"domain\":1}");
    Answer blocked = machine.post("/v1/devices/" + VF + "/dma", read);
    assertThat(blocked.at("/outcome")).as(blocked.text()).isEqualTo("blocked");
  }

  @Test
  void domainIds_exhausted_refuseTheNextDomain() {
    inject("{'id':'ids','match':{'iommu':0},'effect':{'type':'domain-ids-exhausted'}}");

    Answer refused = machine.put("/v1/devices/" + VF + "/assignment", "{\"domain\":1}");

    assertThat(refused.at("/errno")).isEqualTo("EBUSY");
    assertThat(refused.at("/injectedBy")).isEqualTo("ids");
    assertThat(hits(0)).isEqualTo(1);
    machine.delete("/_sim/faults/ids");
    assertThat(machine.put("/v1/devices/" + VF + "/assignment", "{\"domain\":1}").status())
        .isEqualTo(200);
  }

  @Test
  void memory_runsOutAtTheNth_andIsBlamed() {
    inject("{'id':'oom','when':{'skip':2000},'effect':{'errno':'ENOMEM'}}");

    Answer refused = machine.post("/v1/domains", "{\"memory\":\"1GiB\"}");

    assertThat(refused.status()).isEqualTo(507);
    assertThat(refused.at("/injectedBy")).isEqualTo("oom");
    assertThat(hits(0)).isEqualTo(1);
  }

  /** A vCPU waits for what a port holds. */
  private void waitForAnEmulator() {
    machine.post("/v1/domains/1/actions/unpause", "");
    machine.post(
        "/v1/domains/1/ioreq-servers",
        "{\"ranges\":[{\"type\":\"port\",\"start\":\"0x3f8\",\"end\":\"0x3ff\"}]}");
    machine.post("/v1/domains/1/vcpus/0/io", "{\"port\":\"0x3f8\",\"op\":\"in\",\"size\":1}");
  }

  private JsonNode requests() {
    return machine.get("/v1/domains/1/ioreq-servers/0/requests").json().at("/items");
  }

  @Test
  void silentEmulator_inItsPage_leavesTheVcpuWaiting() {
    waitForAnEmulator();
    String state = "/v1/domains/0/memory?gpa=0x4000001e";
    machine.call(
        "memory_op/acquire_resource",
        "{'domid':1,'type':0,'id':0,'frame':1,'nr_frames':1,'frame_list':['0x40000']}");
    int theirs = machine.get("/v1/domains/1/ioreq-servers/0").json().at("/ports/0").asInt();
    String bind = "{'remote_dom':1,'remote_port':%d}".formatted(theirs);
    String port = machine.call("event_channel_op/bind_interdomain", bind).at("/out/local_port");
    inject("{'when':{'times':1},'effect':{'type':'ioreq-no-reply'}}");
    // An input port's direction, and STATE_IORESP_READY.
    String ready = "{\"data\":\"2300\"}";

    machine.put(state, ready);
    Answer lost = machine.call("event_channel_op/send", "{'port':%s}".formatted(port));
    JsonNode waiting = requests();
    String seen = machine.get(state + "&length=1").at("/data");
    machine.put(state, ready);
    machine.call("event_channel_op/send", "{'port':%s}".formatted(port));

    assertThat(lost.header("injected-by")).isEqualTo("1");
    assertThat(waiting).hasSize(1);
    assertThat(seen).as("STATE_IOREQ_INPROCESS").isEqualTo("22");
    assertThat(requests()).isEmpty();
  }

  @Test
  void silentEmulator_leavesTheVcpuWaiting() {
    waitForAnEmulator();
    String answer = "/v1/domains/1/ioreq-servers/0/requests/1/response";
    inject("{'match':{'domid':1},'when':{'times':1},'effect':{'type':'ioreq-no-reply'}}");

    assertThat(machine.post(answer, "{\"data\":\"0x41\"}").header("injected-by")).isEqualTo("1");
    assertThat(requests()).hasSize(1);
    assertThat(machine.post(answer, "{\"data\":\"0x41\"}").status()).isEqualTo(204);
    assertThat(requests()).isEmpty();
  }

  @Test
  void event_lost_isCounted() {
    inject("{'match':{'event':'domain.*'},'effect':{'type':'event-drop'}}");

    machine.call("domctl/unpausedomain", "{'domain':1}");

    assertThat(events("domain.unpaused")).isEmpty();
    assertThat(machine.get("/metrics").text())
        .contains("hv_events_dropped_total{reason=\"injected\"} 1");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{'effect':{}}",
        "{'effect':{'type':'hang','errno':'EIO'}}",
        "{'effect':{'errno':'EBUSY'}}",
        "{'match':{'call':'x'},'when':{'probability':1.5},'effect':{'errno':'EIO'}}",
        "{'match':{'call':'x'},'effect':{'delay':{'type':'fixed'}}}",
        "{'match':{'call':'x'},'effect':{'delay':{'type':'fixed','value':'5 ms'}}}",
        "{'effect':{'type':'corrupt-pte'}}",
        "{'match':{'sbdf':'nonsense'},'effect':{'type':'hang'}}",
        "{'match':{'sbdf':'0000:03:*'},'effect':{'type':'queue-error'}}"
      })
  void rule_thatMeansNothing_isRefused(String rule) {
    assertThat(machine.post("/_sim/faults", rule.replace('\'', '"')).status()).isEqualTo(400);
    assertThat(machine.get("/_sim/faults").json().at("/items")).isEmpty();
  }
}
