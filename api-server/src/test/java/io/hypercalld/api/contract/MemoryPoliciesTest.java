package io.hypercalld.api.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.api.platform.PlatformSource;
import io.hypercalld.api.scenario.DaemonUnderTest;
import io.hypercalld.api.scenario.DaemonUnderTest.Answer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** What may be chosen for a domain's memory, and what is refused. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class MemoryPoliciesTest {
  private final DaemonUnderTest daemon = DaemonUnderTest.on(PlatformSource.named("two-socket"));

  @AfterAll
  void stop() {
    daemon.close();
  }

  private Answer create(String body) {
    return daemon.post("/v1/domains", body.replace('\'', '"'));
  }

  @Test
  void chosenPolicies_areThoseOfTheDomain() {
    Answer made =
        create(
            "{'memory':'32MiB','p2mPageSize':'16KiB','pageTables':'separate','policies':{"
                + "'dmaLeafSizes':['4KiB'],'tableFrameSize':'16KiB',"
                + "'syncHooks':['physmap-add','zap']}}");

    assertThat(made.status()).as("%s", made.body()).isEqualTo(201);
    assertThat(made.at("/p2mPageSize")).isEqualTo("16KiB");
    assertThat(made.body().get("policies").toString())
        .isEqualTo(
            "{\"pageTables\":\"separate\",\"p2mPageSize\":\"16KiB\",\"dmaLeafSizes\":[\"4KiB\"],"
                + "\"tableFrameSize\":\"16KiB\",\"flush\":\"per-page\",\"dmaMode\":\"vp-iommu\","
                + "\"iommuApi\":\"2024\",\"nbCtx\":8,\"syncHooks\":[\"physmap-add\",\"zap\"],"
                + "\"devicePaging\":\"refuse\",\"unclaimed\":\"refuse\",\"claimAccess\":\"write\","
                + "\"claimUpdate\":\"lazy\",\"serverDestroy\":\"leave\",\"claimTypes\":1,\"claimProfile\":\"today\","
                + "\"apicIds\":\"2n\",\"intremap\":\"off\",\"extDestId\":\"off\","
                + "\"viommuApi\":\"v4\"}");
    assertThat(daemon.get("/_sim/invariants").body().get("violations")).isEmpty();
  }

  @Test
  void syncHooks_mayChangeWhileTheDomainLives() {
    int id = create("{'memory':'4MiB'}").body().get("domid").asInt();

    Answer changed =
        daemon.patch("/v1/domains/" + id, "{\"policies\":{\"syncHooks\":[\"balloon\"]}}");

    assertThat(changed.at("/policies/syncHooks/0")).isEqualTo("balloon");
    assertThat(changed.body().get("policies").get("syncHooks")).hasSize(1);
  }

  @Test
  void changeOfSeveral_ofWhichOneIsRefused_isNoneOfThem() {
    int id = create("{'memory':'4MiB'}").body().get("domid").asInt();
    String before = daemon.digest();

    Answer refused =
        daemon.patch(
            "/v1/domains/" + id,
            "{'policies':{'unclaimed':'ram','syncHooks':[],'nbCtx':3,'dmaMode':'identity'}}"
                .replace('\'', '"'));

    assertThat(refused.at("/errno")).isEqualTo("EBUSY");
    assertThat(daemon.digest()).isEqualTo(before);
  }

  @Test
  void flushes_areCountedForTheDomainThatNeedsThem() {
    int id = create("{'memory':'4MiB','pageTables':'separate'}").body().get("domid").asInt();
    daemon.put("/v1/devices/03:10.1/assignment", "{\"domain\":" + id + "}");
    String counters = "/v1/domains/" + id + "/counters";
    daemon.post(counters + "/reset", "");

    daemon.hypercall(
        "memory_op", "decrease_reservation", "{'domid':%d,'extent_start':['0x5']}".formatted(id));

    assertThat(daemon.get(counters).at("/flushes/page")).isEqualTo("1");
    daemon.post(counters + "/reset", "");
    assertThat(daemon.get(counters).at("/flushes/page")).isEqualTo("0");
  }

  @Test
  void memoryThatIsNoMultipleOfTheGranule_isRefused() {
    String before = daemon.digest();

    Answer refused = create("{'memory':'4100KiB','p2mPageSize':'16KiB'}");

    assertThat(refused.at("/errno")).isEqualTo("EINVAL");
    assertThat(daemon.digest()).isEqualTo(before);
  }

  @Test
  void sharingOfP2mWithLargeGranule_isRefusedWithTheReason() {
    String before = daemon.digest();

    Answer refused = create("{'memory':'4MiB','p2mPageSize':'16KiB','pageTables':'shared'}");

    assertThat(refused.at("/errno")).isEqualTo("EOPNOTSUPP");
    assertThat(refused.at("/detail")).contains("16");
    assertThat(daemon.digest()).isEqualTo(before);
  }

  @Test
  void tablesWithoutSmallLeaves_areRefused() {
    Answer refused = create("{'memory':'4MiB','policies':{'dmaLeafSizes':['2MiB']}}");

    assertThat(refused.at("/errno")).isEqualTo("EINVAL");
  }

  @Test
  void memberAndPolicyThatContradict_areMalformed() {
    Answer refused =
        create("{'memory':'4MiB','pageTables':'shared','policies':{'pageTables':'separate'}}");

    assertThat(refused.status()).isEqualTo(400);
    assertThat(refused.at("/pointer")).isEqualTo("/policies/pageTables");
  }

  @Test
  void everyPolicy_isListedWithItsAlternatives() {
    Answer policies = daemon.get("/v1/policies");

    assertThat(policies.body().get("items").findValuesAsText("name"))
        .contains("syncHooks", "p2mPageSize", "tableFrameSize", "dmaLeafSizes", "profile");
  }
}
