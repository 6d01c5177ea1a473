package io.hypercalld.api.contract;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.hypercalld.api.contract.ServedMachine.Answer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What the hypervisor does about faults. */
final class FaultHandlingTest {
  private static final String VF = "/v1/devices/0000:03:10.2";
  private static final String FECTL = "0x38";
  private static final String MASKED = "0x80000000";

  private ServedMachine machine;

  @BeforeEach
  void serve() {
    machine = new ServedMachine();
    machine.post("/v1/domains", "{\"memory\":\"64MiB\"}");
    machine.put(VF + "/assignment", "{\"domain\":1}");
  }

  @AfterEach
  void stop() {
    machine.close();
  }

  private Answer fault() {
    return machine.post(
        VF + "/dma", "{\"op\":\"write\",\"address\":\"0xfed0000000\",\"data\":\"00\"}");
  }

  private void writeRegister(String offset, String value) {
    machine.post(
        "/v1/iommus/0/mmio",
        "{\"offset\":\"%s\",\"size\":4,\"value\":\"%s\"}".formatted(offset, value));
  }

  private JsonNode faults() {
    return machine.get("/v1/iommus/0/faults").json().at("/items");
  }

  private String pace(long nanoseconds) {
    return machine.post("/_sim/pace", "{\"nanoseconds\":%d}".formatted(nanoseconds)).text();
  }

  private String busMaster() {
    return machine.get(VF).at("/busMaster");
  }

  @Test
  void fault_ofAGuestsDevice_isReadOutAttributedAndPrinted() {
    assertThat(fault().at("/fault/recorded")).isEqualTo("true");

    assertThat(faults().at("/0/drained").asBoolean()).isTrue();
    assertThat(faults().at("/0/domid").asInt()).isEqualTo(1);
    assertThat(machine.get("/metrics").text())
        .contains("hv_iommu_fault_records_pending{iommu=\"0\"} 0");
    assertThat(machine.get("/v1/console").json().findValuesAsText("text"))
        .contains(
            "(XEN) [VT-D]DMAR:[DMA Write] Request device [0000:03:10.2] fault addr fed0000000",
            "(XEN) [VT-D]DMAR: reason 05 - PTE Write access is not set on iommu:0");
  }

  @Test
  void faults_moreThanThereAreRecords_areAllReadOut() {
    for (int count = 0; count < 20; count++) {
      fault();
    }

    assertThat(faults()).hasSize(20);
    assertThat(busMaster()).as("20 ms apart are no storm").isEqualTo("true");
  }

  @Test
  void fault_whileTheEventIsMasked_staysInItsRegisterUntilItIsNot() {
    writeRegister(FECTL, MASKED);

    fault();

    assertThat(faults().at("/0/drained").asBoolean()).isFalse();
    writeRegister(FECTL, "0x0");
    assertThat(faults()).hasSize(1);
    assertThat(faults().at("/0/drained").asBoolean()).isTrue();
  }

  @Test
  void fault_inQuarantine_isDomIos() {
    machine.delete(VF + "/assignment");

    fault();

    assertThat(faults().at("/0/domid").asInt()).isEqualTo(0x7ff1);
    assertThat(faults().at("/0/reason").asText()).isEqualTo("0x2");
  }

  @Test
  void b83_tenFaultsInAStorm_stopTheDevice() {
    pace(10_000_000);
    for (int count = 0; count < 9; count++) {
      fault();
    }
    assertThat(busMaster()).isEqualTo("true");

    fault();

    assertThat(busMaster()).isEqualTo("false");
    assertThat(fault().at("/fault")).as("it is silent now").isEqualTo("null");
  }

  @Test
  void b83_tenFaultsFarApart_stopNothing() {
    pace(10_000_001);
    for (int count = 0; count < 12; count++) {
      fault();
    }

    assertThat(busMaster()).isEqualTo("true");
    assertThat(machine.get(VF).at("/faults/storm")).isEqualTo("1");
  }

  @Test
  void storm_afterANewOwner_isForgotten() {
    pace(0);
    for (int count = 0; count < 9; count++) {
      fault();
    }
    machine.delete(VF + "/assignment");
    machine.put(VF + "/assignment", "{\"domain\":1}");

    fault();

    assertThat(busMaster()).isEqualTo("true");
  }

  @Test
  void command_ofADriver_letsADeviceOnTheBusAgain() {
    pace(0);
    for (int count = 0; count < 10; count++) {
      fault();
    }

    machine.put(VF + "/command", "{\"busMaster\":true}");

    assertThat(fault().at("/fault/reason")).isEqualTo("0x5");
  }
}
