package io.hypercalld.api.scenario;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.hypercalld.api.platform.PlatformSource;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * How many guests can have a virtual function each, with domain-ids per unit: as many on every unit
 * as it has ids beside dom0's, whatever the other units do.
 *
 * @see "documents/004, VT-d: per-iommu domain-id"
 */
class SriovCapacityTest {
  private static final int GUESTS_PER_UNIT = 255;

  private final DaemonUnderTest daemon = DaemonUnderTest.on(PlatformSource.named("two-socket"));

  @AfterEach
  void stop() {
    daemon.close();
  }

  @Test
  void oneVirtualFunctionPerGuest_fillsEachUnitOnItsOwn() {
    for (int unit = 0; unit < 2; unit++) {
      List<String> functions = virtualFunctions(unit);
      assertThat(functions).hasSize(256);
      for (String function : functions.subList(0, GUESTS_PER_UNIT)) {
        assertThat(assign(newGuest(), function).status()).isEqualTo(200);
      }
      refusesOneMore(unit, functions.getLast());
      hasRoomForOneMoreAfterOneLeaves(unit, functions);
    }
    assertThat(daemon.get("/_sim/invariants").body().get("violations")).isEmpty();
  }

  private void refusesOneMore(int unit, String function) {
    int guest = newGuest();
    String before = daemon.digest();

    DaemonUnderTest.Answer refused = assign(guest, function);

    assertThat(refused.status()).isEqualTo(409);
    assertThat(refused.at("/errno")).isEqualTo("EBUSY");
    assertThat(refused.at("/ret")).isEqualTo("-16");
    assertThat(daemon.digest()).isEqualTo(before);
    assertThat(daemon.get("/v1/devices/" + function).at("/owner")).isEqualTo("0");
    assertThat(daemon.get("/v1/iommus/" + unit).at("/domainIds/used")).isEqualTo("256");
  }

  private void hasRoomForOneMoreAfterOneLeaves(int unit, List<String> functions) {
    String leaving = functions.getFirst();
    String did = daemon.get("/v1/devices/" + leaving).at("/domainId");
    String owner = daemon.get("/v1/devices/" + leaving).at("/owner");
    daemon.post(
        "/v1/devices/" + leaving + "/dma",
        "{\"op\":\"write\",\"address\":\"0x0\",\"data\":\"01\"}");
    assertThat(cachedUnder(unit, did)).isNotEmpty();

    daemon.hypercall(
        "domctl", "deassign_device", "{'domain':" + owner + ",'machine_sbdf':'" + leaving + "'}");

    assertThat(cachedUnder(unit, did)).isEmpty();
    assertThat(assign(newGuest(), functions.getLast()).status()).isEqualTo(200);
    assertThat(daemon.get("/v1/devices/" + functions.getLast()).at("/domainId")).isEqualTo(did);
    assertThat(assign(newGuest(), leaving).at("/errno")).isEqualTo("EBUSY");
  }

  private List<JsonNode> cachedUnder(int unit, String did) {
    List<JsonNode> entries = new ArrayList<>();
    for (JsonNode entry :
        daemon.get("/v1/iommus/" + unit + "/iotlb?limit=1000").body().get("items")) {
      if (entry.get("domainId").asText().equals(did)) {
        entries.add(entry);
      }
    }
    return entries;
  }

  private List<String> virtualFunctions(int unit) {
    List<String> functions = new ArrayList<>();
    for (JsonNode device : daemon.get("/v1/devices?limit=1000&iommu=" + unit).body().get("items")) {
      if (!device.get("physicalFunction").isNull()) {
        functions.add(device.get("sbdf").asText());
      }
    }
    return functions;
  }

  private int newGuest() {
    DaemonUnderTest.Answer created =
        daemon.post("/v1/domains", "{\"type\":\"hvm\",\"memory\":\"2MiB\"}");
    assertThat(created.status()).isEqualTo(201);
    return created.body().get("domid").asInt();
  }

  private DaemonUnderTest.Answer assign(int guest, String function) {
    return daemon.hypercall(
        "domctl", "assign_device", "{'domain':" + guest + ",'machine_sbdf':'" + function + "'}");
  }
}
