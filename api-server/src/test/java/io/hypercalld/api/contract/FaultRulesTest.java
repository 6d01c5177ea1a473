package io.hypercalld.api.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.api.platform.PlatformSource;
import io.hypercalld.api.scenario.DaemonUnderTest;
import io.hypercalld.api.scenario.DaemonUnderTest.Answer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Rules under {@code /_sim/faults} have hardware fail when they say, and not again. */
class FaultRulesTest {
  private static final String VF = "0000:03:10.0";

  private final DaemonUnderTest daemon = DaemonUnderTest.on(PlatformSource.named("two-socket"));

  @AfterEach
  void stop() {
    daemon.close();
  }

  private Answer inject(String rule) {
    return daemon.post("/_sim/faults", rule.replace('\'', '"'));
  }

  private int guest() {
    Answer created = daemon.post("/v1/domains", "{\"type\":\"hvm\",\"memory\":\"2MiB\"}");
    assertThat(created.status()).as("%s", created.body()).isEqualTo(201);
    return created.body().get("domid").asInt();
  }

  private Answer assign(int guest) {
    return daemon.hypercall(
        "domctl", "assign_device", "{'domain':%d,'machine_sbdf':'%s'}".formatted(guest, VF));
  }

  @Test
  void timeOut_ofTheContextFlush_refusesTheAssignmentOnceAndChangesNoOwner() {
    int guest = guest();
    Answer rule =
        inject(
            "{'id':'slow','match':{'sbdf':'%s','command':'context'},".formatted(VF)
                + "'effect':{'type':'invalidation-timeout'}}");
    assertThat(rule.at("/id")).isEqualTo("slow");

    assertThat(assign(guest).at("/errno")).isEqualTo("EIO");

    assertThat(daemon.get("/v1/devices/" + VF).at("/owner")).isEqualTo("0");
    assertThat(daemon.get("/_sim/faults").at("/items/0/hits")).isEqualTo("1");
    assertThat(daemon.get("/_sim/invariants").body().get("violations")).isEmpty();
    assertThat(assign(guest).status()).isEqualTo(200);
  }

  @Test
  void droppedInvalidation_leavesStaleTranslations() {
    int guest = guest();
    String write = "{\"op\":\"write\",\"address\":\"0x100000\",\"data\":\"01\"}";
    daemon.post("/v1/devices/" + VF + "/dma", write);
    inject("{'match':{'iommu':0,'command':'context'},'effect':{'type':'drop-invalidation'}}");
    inject("{'match':{'iommu':0,'command':'iotlb'},'effect':{'type':'drop-invalidation'}}");

    assign(guest);

    assertThat(daemon.get("/_sim/invariants").body().get("violations").toString()).contains("I6");
  }

  @Test
  void shortage_leavesSoManyFramesAndLastsUntilItIsRemoved() {
    inject("{'id':'full','when':{'skip':3},'effect':{'errno':'ENOMEM'}}");

    Answer refused = daemon.post("/v1/domains", "{\"type\":\"hvm\",\"memory\":\"2MiB\"}");

    assertThat(refused.at("/errno")).isEqualTo("ENOMEM");
    assertThat(daemon.delete("/_sim/faults/full").status()).isEqualTo(204);
    guest();
  }

  @Test
  void removal_leavesTheStateThatWasBefore() {
    String before = daemon.get("/v1/machine").at("/memory/freeBytes");
    inject("{'id':'a','effect':{'type':'queue-error'}}");
    inject("{'id':'b','effect':{'errno':'ENOMEM'}}");

    daemon.delete("/_sim/faults/a");
    daemon.delete("/_sim/faults/b");

    assertThat(daemon.get("/_sim/faults").body().get("items")).isEmpty();
    assertThat(daemon.get("/v1/machine").at("/memory/freeBytes")).isEqualTo(before);
    assertThat(assign(guest()).status()).isEqualTo(200);
    assertThat(daemon.delete("/_sim/faults/a").status()).isEqualTo(404);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{}",
        "{'effect':{}}",
        "{'effect':{'errno':'EBUSY'}}",
        "{'effect':{'type':'queue-error','errno':'ENOMEM'}}",
        "{'effect':{'type':'corrupt-pte'}}",
        "{'when':{'times':1},'effect':{'errno':'ENOMEM'}}",
        "{'match':{'call':'domctl.assign_device'},'effect':{'type':'queue-error'}}"
      })
  void rule_thatMeansNothing_isRefusedWith400(String rule) {
    String before = daemon.digest();

    assertThat(inject(rule).status()).isEqualTo(400);

    assertThat(daemon.digest()).isEqualTo(before);
  }

  @Test
  void rule_withATakenName_isRefused() {
    inject("{'id':'a','effect':{'type':'queue-error'}}");

    assertThat(inject("{'id':'a','effect':{'type':'queue-error'}}").at("/errno"))
        .isEqualTo("EEXIST");
    assertThat(inject("{'match':{'iommu':9},'effect':{'type':'queue-error'}}").at("/errno"))
        .isEqualTo("ENODEV");
  }
}
