package io.hypercalld.api.contract;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.hypercalld.api.contract.ServedMachine.Answer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** {@code /v1/devices}, {@code /v1/iommus} and the way from one through the other. */
final class DeviceResourceTest {
  private static final String VF = "/v1/devices/0000:03:10.0";

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
  void device_shortAddress_isTheSame() {
    assertThat(machine.get("/v1/devices/03:10.0").json()).isEqualTo(machine.get(VF).json());
  }

  @Test
  void device_virtualFunction_hasTheMembersOfTheContract() {
    JsonNode device = machine.get(VF).json();

    assertThat(device.at("/sbdf").asText()).isEqualTo("0000:03:10.0");
    assertThat(device.at("/vendorId").asText()).isEqualTo("0x8086");
    assertThat(device.at("/class").asText()).isEqualTo("0x020000");
    assertThat(device.at("/iommu").asInt()).isZero();
    assertThat(device.at("/owner").asInt()).isZero();
    assertThat(device.at("/state").asText()).isEqualTo("dom0");
    assertThat(device.at("/physicalFunction").asText()).isEqualTo("0000:03:00.0");
    assertThat(device.at("/requesterIds").toString()).isEqualTo("[\"03:10.0\"]");
    assertThat(device.at("/domainId").asInt()).isZero();
  }

  @Test
  void devices_filteredAndPaged_areAllThereOnce() {
    int all = machine.get("/v1/devices").json().at("/items").size();
    int paged = 0;
    String cursor = "";
    do {
      Answer page = machine.get("/v1/devices?limit=100" + cursor);
      paged += page.json().at("/items").size();
      cursor = page.json().at("/nextCursor").isNull() ? "" : "&cursor=" + page.at("/nextCursor");
    } while (!cursor.isEmpty());

    assertThat(paged).isEqualTo(all).isGreaterThan(512);
    assertThat(machine.get("/v1/devices?owner=1").json().at("/items")).isEmpty();
    assertThat(machine.get("/v1/devices?owner=Domain-0").json().at("/items")).hasSize(all);
    assertThat(machine.get("/v1/devices?state=assigned").json().at("/items")).isEmpty();
    assertThat(machine.get("/v1/devices?state=rented").status()).isEqualTo(400);
  }

  @Test
  void assignment_putAgain_isNoMistake() {
    Answer first = machine.put(VF + "/assignment", "{\"domain\":1}");
    String digest = machine.digest();
    Answer again = machine.put(VF + "/assignment", "{\"domain\":1}");

    assertThat(first.status()).isEqualTo(200);
    assertThat(first.at("/state")).isEqualTo("assigned");
    assertThat(first.at("/guestBdf")).startsWith("0000:00:");
    assertThat(again.json()).isEqualTo(first.json());
    assertThat(machine.digest()).isEqualTo(digest);
    assertThat(machine.get("/v1/domains/1").json().at("/devices").toString())
        .isEqualTo("[\"0000:03:10.0\"]");
  }

  @Test
  void assignment_ofAnotherDomain_isBusy() {
    machine.post("/v1/domains", "{\"memory\":\"64MiB\"}");
    machine.put(VF + "/assignment", "{\"domain\":1}");
    String digest = machine.digest();

    Answer answer = machine.put(VF + "/assignment", "{\"domain\":2}");

    assertThat(answer.status()).isEqualTo(409);
    assertThat(answer.at("/type")).isEqualTo("/problems/device-busy");
    assertThat(answer.at("/errno")).isEqualTo("EBUSY");
    assertThat(answer.at("/ret")).isEqualTo("-16");
    assertThat(answer.at("/call")).isEqualTo("domctl.assign_device");
    assertThat(answer.at("/hint")).isEqualTo("deassign it first");
    assertThat(machine.digest()).isEqualTo(digest);
  }

  @Test
  void assignment_atAPlaceOfChoice_isThere() {
    Answer answer = machine.put(VF + "/assignment", "{\"domain\":1,\"guestBdf\":\"00:1e.0\"}");

    assertThat(answer.at("/guestBdf")).isEqualTo("0000:00:1e.0");
    assertThat(
            machine
                .put("/v1/devices/03:10.1/assignment", "{\"domain\":1,\"guestBdf\":\"00:1e.0\"}")
                .status())
        .isEqualTo(409);
  }

  @Test
  void assignment_ofTheHostBridge_isNotPermitted() {
    Answer answer = machine.put("/v1/devices/00:00.0/assignment", "{\"domain\":1}");

    assertThat(answer.status()).isEqualTo(403);
    assertThat(answer.at("/errno")).isEqualTo("EPERM");
  }

  @Test
  void deassignment_thenDma_isBlockedRecordedAndExplained() {
    machine.put(VF + "/assignment", "{\"domain\":1}");
    assertThat(machine.delete(VF + "/assignment").status()).isEqualTo(204);
    assertThat(machine.delete(VF + "/assignment").at("/errno")).isEqualTo("ENODEV");

    Answer dma =
        machine.post(VF + "/dma", "{\"op\":\"write\",\"address\":\"0x1000\",\"data\":\"00\"}");
    JsonNode fault = machine.get("/v1/iommus/0/faults").json().at("/items/0");
    Answer explained = machine.get("/v1/explain/dma?sbdf=03:10.0&iova=0x1000&access=write");

    assertThat(dma.at("/outcome")).isEqualTo("blocked");
    assertThat(dma.at("/fault/reason")).isEqualTo("0x2");
    assertThat(dma.at("/fault/recorded")).isEqualTo("true");
    assertThat(fault.at("/sbdf").asText()).isEqualTo("0000:03:10.0");
    assertThat(fault.at("/sourceId").asText()).isEqualTo("0x380");
    assertThat(fault.at("/type").asText()).isEqualTo("write");
    assertThat(fault.at("/reason").asText()).isEqualTo("0x2");
    assertThat(explained.at("/verdict")).isEqualTo("blocked");
    assertThat(explained.at("/reason")).isEqualTo("0x2");
    assertThat(machine.get("/metrics").text()).contains("hv_iommu_faults_total{iommu=\"0\"");
  }

  @Test
  void dma_acrossPages_isOneSegmentAPage() {
    machine.put(VF + "/assignment", "{\"domain\":1}");

    Answer write =
        machine.post(
            VF + "/dma", "{\"op\":\"write\",\"address\":\"0x1ffe\",\"data\":\"01020304\"}");
    Answer read =
        machine.post(VF + "/dma", "{\"op\":\"read\",\"address\":\"0x1ffe\",\"length\":4}");

    assertThat(write.json().at("/segments")).hasSize(2);
    assertThat(read.at("/data")).isEqualTo("01020304");
    assertThat(machine.get("/v1/domains/1/memory?gpa=0x1ffe&length=4").at("/data"))
        .isEqualTo("01020304");
  }

  @Test
  void dma_malformed_isRefused() {
    for (String body :
        new String[] {
          "{\"op\":\"read\",\"address\":\"0x0\"}",
          "{\"op\":\"read\",\"address\":\"0x0\",\"length\":-1}",
          "{\"op\":\"read\",\"address\":\"0x0\",\"length\":9223372036854775808}",
          "{\"op\":\"write\",\"address\":\"0x0\",\"data\":\"0\"}",
          "{\"op\":\"write\",\"address\":\"0x0\",\"data\":\"00\",\"length\":2}",
          "{\"op\":\"copy\",\"address\":\"0x0\",\"length\":1}"
        }) {
      assertThat(machine.post(VF + "/dma", body).status()).as(body).isEqualTo(400);
    }
    assertThat(
            machine
                .post(VF + "/dma", "{\"op\":\"read\",\"address\":\"0x0\",\"length\":1048577}")
                .status())
        .isEqualTo(413);
  }

  @Test
  void explanation_changesNothing() {
    machine.put(VF + "/assignment", "{\"domain\":1}");
    String digest = machine.digest();

    Answer explained = machine.get("/v1/explain/dma?sbdf=03:10.0&iova=0x1000&access=read");

    assertThat(explained.at("/verdict")).startsWith("maps to 0x");
    assertThat(explained.json().at("/steps").findValuesAsText("table"))
        .contains("root", "context", "second-level");
    assertThat(machine.digest()).isEqualTo(digest);
    assertThat(machine.get("/v1/iommus/0/iotlb").json().at("/items")).isEmpty();
  }

  @Test
  void mmio_readsAndWritesTheRegisterFile() {
    Answer version = machine.post("/v1/iommus/0/mmio", "{\"offset\":\"0x0\",\"size\":4}");
    Answer written =
        machine.post("/v1/iommus/0/mmio", "{\"offset\":\"0x3c\",\"size\":4,\"value\":\"0x41\"}");

    assertThat(version.at("/value")).isEqualTo("0x10");
    assertThat(written.status()).isEqualTo(200);
    assertThat(machine.post("/v1/iommus/0/mmio", "{\"offset\":\"0x3c\",\"size\":4}").at("/value"))
        .isEqualTo("0x41");
    assertThat(machine.post("/v1/iommus/0/mmio", "{\"offset\":\"0x2\",\"size\":4}").at("/errno"))
        .isEqualTo("EINVAL");
    assertThat(machine.post("/v1/iommus/0/mmio", "{\"offset\":\"0x0\",\"size\":3}").at("/errno"))
        .isEqualTo("EINVAL");
    assertThat(machine.post("/v1/iommus/0/mmio", "{\"offset\":\"0x1000\",\"size\":4}").at("/errno"))
        .isEqualTo("EINVAL");
  }

  @Test
  void unit_listings_agreeWithEachOther() {
    machine.put(VF + "/assignment", "{\"domain\":1}");
    machine.post(VF + "/dma", "{\"op\":\"read\",\"address\":\"0x0\",\"length\":1}");

    assertThat(machine.get("/v1/iommus").json().at("/items")).hasSize(4);
    assertThat(machine.get("/v1/iommus/0").json().at("/domainIds/used").asInt()).isEqualTo(2);
    assertThat(machine.get("/v1/iommus/0/domain-ids").json().at("/items/1").toString())
        .isEqualTo("{\"domainId\":1,\"domid\":1}");
    assertThat(machine.get("/v1/iommus/0/iotlb").json().at("/items/0/domid").asInt()).isOne();
    assertThat(machine.get("/v1/iommus/0/context-cache").json().at("/items/0/sbdf").asText())
        .isEqualTo("0000:03:10.0");
    assertThat(machine.get("/v1/iommus/0/registers").json().at("/items").findValuesAsText("name"))
        .contains("VER", "CAP", "ECAP", "GSTS", "RTADDR");
    assertThat(machine.get("/v1/iommus/0/invalidation-queue").at("/enabled")).isEqualTo("true");
    assertThat(machine.get("/v1/iommus/0/context-entries").json().at("/items"))
        .hasSizeGreaterThan(128);
    assertThat(machine.get("/v1/iommus/0/counters").json().at("/cache/iotlbMisses").asInt())
        .isOne();
  }
}
