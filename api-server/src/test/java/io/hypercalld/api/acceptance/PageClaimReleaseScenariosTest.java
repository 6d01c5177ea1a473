package io.hypercalld.api.acceptance;

import static io.hypercalld.api.acceptance.ModelBehaviours.model;
import static io.hypercalld.api.acceptance.PageClaimWords.IOREQ_SERVER;
import static io.hypercalld.api.acceptance.PageClaimWords.RAM_RW;
import static io.hypercalld.api.acceptance.PageClaimWords.TABLE_PAGES;
import static io.hypercalld.api.acceptance.PageClaimWords.counter;
import static io.hypercalld.api.acceptance.PageClaimWords.large;
import static io.hypercalld.api.acceptance.PageClaimWords.policies;
import static io.hypercalld.api.acceptance.PageClaimWords.server;
import static io.hypercalld.api.acceptance.XenHost.D;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * The scenarios of the document on pages that device models claim, 6 to 8 and 13: claims that end.
 */
final class PageClaimReleaseScenariosTest implements ModelBehaviours {
  /** {@code -ERESTART}: the rest waits under {@code /_sim/continuations}. */
  private static final long PREEMPTED = -85;

  @Override
  public void begin(XenHost host) {
    host.daemon().post("/_sim/preempt", "{\"every\":0}");
    ModelBehaviours.super.begin(host);
  }

  @Override
  public Stream<Row<XenHost>> rows() {
    return Stream.concat(releasing(), leaving());
  }

  private static Stream<Row<XenHost>> releasing() {
    List<Row<XenHost>> rows = new ArrayList<>();
    for (String update : List.of("lazy", "eager", "indexed", "protect-at-tag")) {
      rows.add(
          model(
              number(6, update) + "a release goes page by page, and nobody claims in between",
              m -> release(m, update)));
      rows.add(
          model(
              number(8, update) + "a write while the claim ends lands in memory",
              m -> writeWhileReleased(m, update)));
      rows.add(
          model(
              "pages that wait for a server are its own once it comes: " + update,
              m -> claimLate(m, update)));
    }
    return rows.stream();
  }

  /** Only what Xen does has the number. */
  private static String number(int number, String update) {
    return update.equals("lazy") ? number + " " : update + ": ";
  }

  private static void release(ModelHost m, String update) {
    large(m);
    policies(m, "'claimUpdate':'" + update + "'");
    int server = server(m);
    int other = m.create(0);
    assertThat(m.retype(0, TABLE_PAGES, IOREQ_SERVER)).isZero();
    m.xen().daemon().post("/_sim/preempt", "{\"every\":1}");
    assertThat(m.claim(server, 0)).isEqualTo(PREEMPTED);
    long last = 0;
    JsonNode pending = stopped(m);
    while (pending != null) {
      long opaque = Long.decode(pending.at("/rest/opaque").asText());
      assertThat(opaque).isGreaterThan(last);
      last = opaque;
      assertThat(m.claim(other, 2)).isEqualTo(-16);
      m.xen().daemon().post("/_sim/continuations/" + pending.get("number").asText(), "");
      pending = stopped(m);
    }
    m.xen().daemon().post("/_sim/preempt", "{\"every\":0}");
    assertThat(last).isPositive();
    assertThat(m.claimedPages()).isZero();
    assertThat(m.claim(other, 2)).isZero();
  }

  private static JsonNode stopped(ModelHost m) {
    return m.xen().daemon().get("/_sim/continuations").body().get("items").get(0);
  }

  private static void writeWhileReleased(ModelHost m, String update) {
    large(m);
    policies(m, "'claimUpdate':'" + update + "'");
    int server = server(m);
    assertThat(m.retype(0, TABLE_PAGES, IOREQ_SERVER)).isZero();
    m.xen().daemon().post("/_sim/preempt", "{\"every\":1}");
    m.claim(server, 0);
    JsonNode pending = stopped(m);
    String outcome = m.write(0x80_0000, 8, 5).get("outcome").asText();
    assertThat(outcome).isIn("retry", "done");
    m.xen().daemon().post("/_sim/preempt", "{\"every\":0}");
    m.xen().daemon().post("/_sim/continuations/" + pending.get("number").asText(), "");
    if (outcome.equals("retry")) {
      assertThat(m.write(0x80_0000, 8, 5).get("outcome").asText()).isEqualTo("done");
    }
    assertThat(m.load(D, 0x80_0000)).isEqualTo(5);
    assertThat(counter(m, "/lostWrites")).isZero();
  }

  private static void claimLate(ModelHost m, String update) {
    policies(m, "'unclaimed':'ram','claimUpdate':'" + update + "'");
    assertThat(m.retype(5, 3, IOREQ_SERVER)).isZero();
    m.write(0x6000, 8, 1);
    int server = server(m);
    assertThat(m.write(0x6000, 8, 2).get("outcome").asText()).isEqualTo("pending");
    m.respond(server, 0);
    assertThat(m.load(D, 0x6000)).isEqualTo(1);
    m.write(0x6000, 8, 2);
    assertThat(m.claim(server, 0)).isZero();
    m.write(0x6000, 8, 3);
    assertThat(m.load(D, 0x6000)).isEqualTo(3);
    assertThat(m.claimedPages()).isEqualTo(3);
  }

  private static Stream<Row<XenHost>> leaving() {
    return Stream.of(
        model(
            "13 pages outlive their server, and a vCPU is seen to be stuck",
            m -> {
              int server = server(m);
              assertThat(m.retype(5, 3, IOREQ_SERVER)).isZero();
              m.letGo();
              assertThat(m.destroy(server)).isZero();
              assertThat(m.claimedPages()).isEqualTo(3);
              for (int tries = 0; tries < 4; tries++) {
                assertThat(m.write(0x5000, 8, 1).get("outcome").asText()).isEqualTo("retry");
              }
              JsonNode vcpu =
                  m.xen().daemon().get("/v1/domains/1/vcpus").body().get("items").get(0);
              assertThat(vcpu.get("state").asText()).isEqualTo("stuck");
              assertThat(vcpu.get("stuckAt").asText()).isEqualTo("0x5");
              assertThat(vcpu.get("retries").asInt()).isEqualTo(4);
              assertThat(counter(m, "/lostWrites")).isZero();
              assertThat(m.claim(m.create(0), 2)).isEqualTo(-16);
              assertThat(m.retype(5, 3, RAM_RW)).isZero();

              policies(m, "'serverDestroy':'release'");
              int other = server(m);
              assertThat(m.retype(5, 3, IOREQ_SERVER)).isZero();
              m.letGo();
              assertThat(m.destroy(other)).isZero();
              assertThat(m.claimedPages()).isZero();
              assertThat(m.write(0x5000, 8, 1).get("outcome").asText()).isEqualTo("done");
            }),
        model(
            "7 as first merged pages outlive the release of their claim, and nobody claims again",
            m -> {
              policies(m, "'claimProfile':'2017-04'");
              int server = server(m);
              assertThat(m.retype(5, 3, IOREQ_SERVER)).isZero();
              assertThat(m.claim(server, 0)).isZero();
              assertThat(m.claimedPages()).isEqualTo(3);
              assertThat(m.claim(server, 2)).isEqualTo(-16);
              assertThat(m.write(0x5000, 8, 1).get("outcome").asText()).isEqualTo("retry");
              assertThat(m.retype(5, 3, RAM_RW)).isZero();

              policies(m, "'claimProfile':'today'");
              assertThat(m.claim(server, 2)).isZero();
              assertThat(m.retype(5, 3, IOREQ_SERVER)).isZero();
              assertThat(m.claim(server, 0)).isZero();
              assertThat(m.claimedPages()).isZero();
              assertThat(m.claim(server, 2)).isZero();
            }),
        model(
            "mended the pages go with their server, and a write that waited is made",
            m -> {
              policies(m, "'serverDestroy':'release'");
              int server = server(m);
              assertThat(m.retype(5, 3, IOREQ_SERVER)).isZero();
              assertThat(m.write(0x5000, 8, 6).get("outcome").asText()).isEqualTo("pending");
              m.letGo();
              assertThat(m.destroy(server)).isZero();
              assertThat(m.claimedPages()).isZero();
              assertThat(m.load(D, 0x5000)).isEqualTo(6);
              assertThat(m.write(0x5000, 8, 6).get("outcome").asText()).isEqualTo("done");
              assertThat(m.claim(m.create(0), 2)).isZero();
            }));
  }
}
