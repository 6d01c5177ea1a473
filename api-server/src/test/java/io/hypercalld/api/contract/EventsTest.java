package io.hypercalld.api.contract;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.hypercalld.api.contract.EventFeed.Frame;
import io.hypercalld.api.contract.ServedMachine.Answer;
import java.net.http.HttpClient;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** {@code /v1/events}: server-sent events, lines of JSON, and pages. */
final class EventsTest {
  private static final String WEB = "{\"name\":\"web\",\"memory\":\"64MiB\"}";
  private static final String VF = "/v1/devices/0000:03:10.0";

  private final ServedMachine machine = new ServedMachine();
  private final HttpClient client = HttpClient.newHttpClient();

  @AfterEach
  void stop() {
    client.close();
    machine.close();
  }

  private EventFeed watch(String query, String... headers) {
    return new EventFeed(client, machine.url() + "/v1/events" + query, headers);
  }

  private void advance() {
    machine.post("/_sim/clock", "{\"advanceNanos\":1000}");
  }

  private Answer page(String query) {
    return machine.send("GET", "/v1/events" + query, "", "Accept", "application/json");
  }

  @Test
  void event_hasTheMembersOfCloudEvents_andWhatAskedForIt() {
    try (EventFeed feed = watch("")) {
      assertThat(feed.line()).isEqualTo("retry: 2000");
      machine.send("POST", "/_sim/clock", "{\"advanceNanos\":1000}", "X-Request-Id", "mine");

      Frame event = feed.next();

      assertThat(event.event()).isEqualTo("sim.clock.advanced");
      assertThat(event.at("/specversion")).isEqualTo("1.0");
      assertThat(event.at("/id")).isEqualTo(event.id());
      assertThat(event.at("/source")).isEqualTo("/v1/machine");
      assertThat(event.at("/type")).isEqualTo("sim.clock.advanced");
      assertThat(event.at("/time")).matches("\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d.*Z");
      assertThat(event.at("/simtimens")).isEqualTo("1000");
      assertThat(event.at("/revision")).matches("\\d+");
      assertThat(event.at("/requestid")).isEqualTo("mine");
      assertThat(event.at("/data/advancedNanos")).isEqualTo("1000");
    }
  }

  @Test
  void lifeOfADomainWithADevice_isToldInOrder() {
    try (EventFeed feed = watch("?types=domain.*,device.*")) {
      machine.post("/v1/domains", WEB);
      machine.post("/v1/domains/web/actions/unpause", "");
      machine.put(VF + "/assignment", "{\"domain\":1}");
      machine.delete(VF + "/assignment");
      machine.post("/v1/domains/web/actions/pause", "");
      machine.delete("/v1/domains/web");

      assertThat(feed.typesUntil("domain.destroyed"))
          .containsExactly(
              "domain.created",
              "domain.paused",
              "domain.unpaused",
              "device.assigned",
              "device.deassigned",
              "device.quarantined",
              "domain.paused",
              "domain.dying",
              "domain.destroyed");
    }
  }

  @Test
  void creation_isToldWithTheName() {
    machine.post("/v1/domains", WEB);

    assertThat(page("?types=domain.created").at("/items/0/data/name")).isEqualTo("web");
  }

  @Test
  void fault_isToldAsXenWordsIt() {
    machine.post("/v1/domains", WEB);
    machine.put(VF + "/assignment", "{\"domain\":1}");
    try (EventFeed feed = watch("?types=iommu.fault&sbdf=03:10.0&domid=1")) {
      machine.post(
          VF + "/dma", "{\"op\":\"write\",\"address\":\"0x100000000000\",\"data\":\"00\"}");

      Frame fault = feed.next();

      assertThat(fault.at("/source")).isEqualTo("/v1/iommus/0");
      assertThat(fault.at("/data/sbdf")).isEqualTo("0000:03:10.0");
      assertThat(fault.at("/data/iova")).isEqualTo("0x100000000000");
      assertThat(fault.at("/data/access")).isEqualTo("w");
      assertThat(fault.at("/data/reason")).isEqualTo("0x05");
      assertThat(fault.at("/data/text")).isEqualTo("PTE Write access is not set");
      assertThat(fault.at("/data/domid")).isEqualTo("1");
      assertThat(fault.data().at("/data/domainId").isInt()).isTrue();
    }
  }

  @Test
  void frequentTypes_areToldOnlyToWhoNamesThem() {
    try (EventFeed usual = watch("");
        EventFeed maps = watch("?types=iommu.map")) {
      machine.post("/v1/domains", WEB);
      advance();

      assertThat(usual.typesUntil("sim.clock.advanced")).doesNotContain("iommu.map");
      assertThat(maps.next().at("/data/domid")).isEqualTo("1");
    }
  }

  @Test
  void reader_whoComesBack_missesNothing() {
    advance();
    advance();
    JsonNode kept = page("").json().at("/items");
    String first = kept.get(0).at("/id").asText();

    try (EventFeed feed = watch("", "Last-Event-ID", first);
        EventFeed since = watch("?since=" + first)) {
      assertThat(feed.next().id()).isEqualTo(kept.get(1).at("/id").asText());
      assertThat(since.next().id()).isEqualTo(kept.get(1).at("/id").asText());
    }
  }

  @Test
  void reader_ofAnotherDaemon_isToldToReadAnew() {
    advance();
    JsonNode page = page("").json();

    for (String id : new String[] {"18231", "999999999999999999"}) {
      try (EventFeed feed = watch("", "Last-Event-ID", id)) {
        Frame resync = feed.next();
        assertThat(resync.event()).isEqualTo("stream.resync");
        assertThat(resync.at("/oldest")).isEqualTo(page.at("/oldest").asText());
        assertThat(resync.at("/newest")).isEqualTo(page.at("/newest").asText());
        assertThat(resync.at("/revision")).matches("\\d+");
        advance();
        page = page("").json();
        assertThat(feed.next().id()).isEqualTo(page.at("/newest").asText());
      }
    }
  }

  @Test
  void lines_areTheSameEventsWithoutFrames() {
    try (EventFeed feed = watch("", "Accept", "application/x-ndjson")) {
      advance();

      JsonNode event = EventFeed.parse(feed.line());

      assertThat(event).isEqualTo(page("").json().at("/items").get(0));
    }
  }

  @Test
  void pages_goOnFromTheirCursor_andExpire() {
    for (int i = 0; i < 5; i++) {
      advance();
    }

    JsonNode first = page("?limit=3").json();
    JsonNode second = page("?limit=3&cursor=" + first.at("/nextCursor").asText()).json();

    assertThat(first.at("/items")).hasSize(3);
    assertThat(second.at("/items")).hasSize(2);
    assertThat(second.at("/nextCursor").isNull()).isTrue();
    machine.post("/_sim/reset", "");
    Answer expired = page("?cursor=" + first.at("/nextCursor").asText());
    assertThat(expired.status()).isEqualTo(410);
    assertThat(expired.at("/type")).isEqualTo("/problems/cursor-expired");
  }

  @Test
  void reset_beginsTheRingAnew() {
    advance();
    try (EventFeed feed = watch("")) {
      machine.post("/_sim/reset", "");

      assertThat(feed.next().event()).isEqualTo("sim.reset");
      JsonNode items = page("").json().at("/items");
      assertThat(items).hasSize(1);
      assertThat(items.get(0).at("/type").asText()).isEqualTo("sim.reset");
    }
  }

  @Test
  void snapshots_areTold() {
    try (EventFeed feed = watch("?types=sim.*")) {
      machine.post("/_sim/snapshots", "{\"name\":\"a\"}");
      machine.post("/_sim/snapshots/a/restore", "");

      assertThat(feed.next().event()).isEqualTo("sim.snapshot");
      Frame restored = feed.next();
      assertThat(restored.event()).isEqualTo("sim.restored");
      assertThat(restored.at("/data/name")).isEqualTo("a");
    }
  }

  @Test
  void trial_isNoEvent() {
    machine.post("/v1/domains?dryRun=true", WEB);

    assertThat(page("").json().at("/items")).isEmpty();
  }

  @Test
  void anotherMachine_hasEventsOfItsOwn() {
    machine.post("/v1/machines", "{\"name\":\"lab\"}");
    try (EventFeed feed = new EventFeed(client, machine.url() + "/v1/machines/lab/events")) {
      machine.post("/v1/machines/lab/domains", WEB);

      assertThat(feed.next().at("/source")).isEqualTo("/v1/machines/lab/domains/1");
      assertThat(page("").json().at("/items")).isEmpty();
    }
  }

  @Test
  void filter_thatNamesNothing_isRefused() {
    assertThat(machine.get("/v1/events?types=domain.creatd").status()).isEqualTo(400);
    assertThat(machine.get("/v1/events?types=domain.creatd").at("/detail"))
        .contains("domain.created");
    assertThat(machine.get("/v1/events?sbdf=nonsense").status()).isEqualTo(400);
    assertThat(machine.get("/v1/events?since=now").status()).isEqualTo(400);
  }

  @Test
  void end_isSaid() {
    ServedMachine other = new ServedMachine();
    try (EventFeed feed = new EventFeed(client, other.url() + "/v1/events")) {
      other.close();

      assertThat(feed.next().event()).isEqualTo("stream.bye");
      assertThat(feed.hasEnded()).isTrue();
    }
  }

  @Test
  void events_areCounted() {
    try (EventFeed feed = watch("")) {
      advance();
      feed.next();

      assertThat(machine.get("/metrics").text())
          .contains("hv_events_published_total{type=\"sim.clock.advanced\"} 1")
          .contains("hv_event_subscribers 1")
          .contains("# TYPE hv_events_dropped_total counter");
    }
  }
}
