package io.hypercalld.api.contract;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.hypercalld.api.contract.EventFeed.Frame;
import io.hypercalld.api.contract.ServedMachine.Answer;
import java.net.http.HttpClient;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * A device that reaches what is none of its domain's, with no unit to stop it: an event, a line on
 * the console, and counters, but never a failure.
 */
class StrayDmaTest {
  private static final String DEVICE = "/v1/devices/03:10.0/dma";

  private final HttpClient client = HttpClient.newHttpClient();
  private final ServedMachine machine = new ServedMachine();

  @BeforeEach
  void driverDomainBesideAnother() {
    machine.post(
        "/v1/domains", quoted("{'name':'driver','memory':'64MiB','policies':{'dmaMode':'vp'}}"));
    machine.post("/v1/domains", quoted("{'name':'victim','memory':'16MiB'}"));
    machine.put("/v1/devices/03:10.0/assignment", quoted("{'domain':1}"));
  }

  @AfterEach
  void stop() {
    client.close();
    machine.close();
  }

  private static String quoted(String json) {
    return json.replace('\'', '"');
  }

  private String frameOfVictim() {
    return machine
        .post("/v1/hypercalls/dom0vp_op/phystomach?caller=2", quoted("{'gpfn':'0x8'}"))
        .at("/out/mfn");
  }

  private Answer write(String frame) {
    return machine.post(
        DEVICE, quoted("{'op':'write','address':'%s000','data':'cafe'}".formatted(frame)));
  }

  private double metric(String type) {
    String line = "hv_dma_stray_frames_total{type=\"%s\"} ".formatted(type);
    return machine
        .get("/metrics")
        .text()
        .lines()
        .filter(sample -> sample.startsWith(line))
        .mapToDouble(sample -> Double.parseDouble(sample.substring(line.length())))
        .sum();
  }

  @Test
  void strayAccess_succeeds_andIsToldAndCountedOnce() {
    String frame = frameOfVictim();
    try (EventFeed feed = new EventFeed(client, machine.url() + "/v1/events?types=device.stray")) {
      Answer written = write(frame);

      assertThat(written.status()).isEqualTo(200);
      assertThat(written.at("/outcome")).isEqualTo("done");
      Frame told = feed.next();
      assertThat(told.event()).isEqualTo("device.stray");
      JsonNode data = told.data().get("data");
      assertThat(data.at("/sbdf").asText()).isEqualTo("0000:03:10.0");
      assertThat(data.at("/domid").asInt()).isEqualTo(1);
      assertThat(data.at("/writing").asBoolean()).isTrue();
      assertThat(data.at("/victim/mfn").asText()).isEqualTo(frame);
      assertThat(data.at("/victim/owner").asInt()).isEqualTo(2);
      assertThat(data.at("/victim/gfn").asText()).isEqualTo("0x8");
    }
    machine.post(DEVICE, quoted("{'op':'read','address':'%s000','length':4}".formatted(frame)));

    for (String counters : new String[] {"/v1/machine/counters", "/v1/domains/1/counters"}) {
      JsonNode strays = machine.get(counters).json().get("strayDma");
      assertThat(strays.get("writes").asInt()).as(counters).isEqualTo(1);
      assertThat(strays.get("reads").asInt()).as(counters).isEqualTo(1);
    }
    assertThat(metric("write")).isEqualTo(1);
    assertThat(metric("read")).isEqualTo(1);
  }

  @Test
  void domainThatIsBehindAUnit_isNeverToldOf() {
    machine.send("PATCH", "/v1/domains/1", quoted("{'policies':{'dmaMode':'vp-iommu'}}"));
    String frame = frameOfVictim();

    // Guest frames, of which the domain has one of that number: its own is what is reached.
    assertThat(write(frame).json().get("victims")).isEmpty();
    assertThat(write("0x7fff0").at("/outcome")).isEqualTo("blocked");
    assertThat(metric("write")).isZero();
    assertThat(machine.get("/v1/machine/counters").at("/strayDma/writes")).isEqualTo("0");
  }
}
