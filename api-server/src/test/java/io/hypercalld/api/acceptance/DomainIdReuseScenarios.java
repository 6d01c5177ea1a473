package io.hypercalld.api.acceptance;

import static io.hypercalld.api.acceptance.AssignmentHost.EBADF;
import static io.hypercalld.api.acceptance.AssignmentHost.EIO;
import static io.hypercalld.api.acceptance.AssignmentHost.IO;
import static io.hypercalld.api.acceptance.DomainIdAcceptanceTest.a;
import static io.hypercalld.api.acceptance.DomainIdAcceptanceTest.b;
import static io.hypercalld.api.acceptance.DomainIdScenariosTest.FEW_IDS;
import static io.hypercalld.api.acceptance.DomainIdScenariosTest.REST;
import static io.hypercalld.api.acceptance.DomainIdScenariosTest.awkward;
import static io.hypercalld.api.acceptance.DomainIdScenariosTest.nics;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.hypercalld.api.acceptance.DomainIdScenariosTest.Hosts;
import io.hypercalld.api.acceptance.NumberedBehaviours.Row;
import java.util.List;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** The scenarios of domain-ids per unit in which an id is flushed, kept and freed. */
final class DomainIdReuseScenarios {
  /** Why a domain is shut down, in its flags from bit 16 on. */
  private static final int SHUTDOWN_CRASH = 3;

  private static final String PHANTOM = "0000:0a:00.0";
  private static final String PHANTOM_4 = "0000:0a:00.4";

  private DomainIdReuseScenarios() {}

  /** What is flushed, and what is left behind where it is not. */
  static Stream<Row<Hosts>> flushing() {
    return Stream.of(
        awkward(
            "3 whoever takes an id that was freed finds none of its translations",
            h -> {
              reused(h, first -> assertThat(h.deassign(first, a(0))).isZero());
              h.reset();
              reused(h, first -> h.daemon().delete("/v1/domains/" + first));
            }),
        nics(
            "7 an unmapped page is two commands, to the two units of the domain, with its ids",
            h -> {
              int guest = h.guest();
              h.given(h.guest(), "0000:20:10.0");
              h.given(guest, "0000:10:10.0");
              h.given(guest, "0000:20:10.1");
              h.resetCounters();
              assertThat(h.xen().decrease(guest, "0x5")).isEqualTo(1);
              assertThat(IntStream.range(0, 4).mapToLong(unit -> h.commands(unit)))
                  .containsExactly(1L, 1L, 0L, 0L);
              assertThat(h.lastFlushedId(0)).isEqualTo(h.idOf(0, guest)).isEqualTo(1);
              assertThat(h.lastFlushedId(1)).isEqualTo(h.idOf(1, guest)).isEqualTo(2);
              assertThat(h.violations()).isEmpty();
            }),
        nics(
            "9 freed between a claim's two steps an id loses its owner in 2009, mended in no order",
            h -> {
              JsonNode races =
                  h.daemon().post("/v1/experiments/domain-ids", "{}").body().get("races");
              JsonNode shipped = races.get(0);
              JsonNode fixed = races.get(1);
              assertThat(shipped.get("profile").asText()).isEqualTo("as-shipped");
              assertThat(fixed.get("profile").asText()).isEqualTo("fixed");
              // Two steps of freeing among four of claiming twice: 6 over 2 orders.
              assertThat(shipped.get("orders").asInt()).isEqualTo(15);
              assertThat(fixed.get("orders").asInt()).isEqualTo(15);
              assertThat(shipped.get("lostIn"))
                  .hasSize(shipped.get("lost").asInt())
                  .isNotEmpty()
                  .allMatch(order -> order.asText().matches("C*FC.*CF.*|C*FCC*F.*"));
              assertThat(fixed.get("lost").asInt()).isZero();
              assertThat(fixed.get("lostIn")).isEmpty();
            }));
  }

  /** A guest's id goes, in some way, to the next guest and another function. */
  private static void reused(AssignmentHost h, IntConsumer free) {
    int first = h.guest();
    h.given(first, a(0));
    String old = h.maddr(a(0), 0x3000);
    int did = h.did(a(0));
    assertThat(h.remembered(0, did)).isNotEmpty();

    free.accept(first);
    int second = h.guest();
    h.given(second, a(1));

    assertThat(h.did(a(1))).isEqualTo(did);
    assertThat(h.remembered(0, did)).isEmpty();
    JsonNode segment = h.write(a(1), 0x3000, "5a").at("/segments/0");
    assertThat(segment.get("cache").asText()).isEqualTo("miss");
    assertThat(segment.get("maddr").asText())
        .isEqualTo(
            "0x"
                + Long.toHexString(
                    Long.decode(h.xen().lookup(second, "0x3").get("mfn").asText()) << 12));
    assertThat(h.remembered(0, did)).hasSize(1).noneMatch(entry -> entry.toString().contains(old));
    assertThat(h.violations()).isEmpty();
  }

  /** What happens to an id when an operation fails. */
  static Stream<Row<Hosts>> failing() {
    return Stream.of(
        awkward(
            "10 an id that the unit does not forget is kept until the end, in 2009 it was free",
            h -> {
              h.policies("'profile':'fixed'");
              int kept = unforgotten(h);
              assertThat(h.idOf(0, kept)).isPositive();
              assertThat(h.owner(a(0))).isEqualTo(kept);
              int other = h.guest();
              h.given(other, a(1));
              assertThat(h.idOf(0, other)).isEqualTo(h.idOf(0, kept) + 1);
              assertThat(h.deassign(other, a(1))).isZero();
              h.daemon().delete("/v1/domains/" + kept);
              assertThat(h.ids(0)).containsExactly("0=0");
              assertThat(h.violations()).isEmpty();

              h.reset();
              h.policies("'profile':'as-shipped'");
              int freed = unforgotten(h);
              assertThat(h.idOf(0, freed)).isEqualTo(-1);
              assertThat(h.violations()).anyMatch(text -> text.startsWith("I4"));
              int heir = h.guest();
              h.given(heir, a(1));
              assertThat(h.idOf(0, heir)).isEqualTo(1);
              assertThat(h.deassign(heir, a(1))).isZero();
              h.daemon().delete("/v1/domains/" + freed);
              assertThat(h.ids(0)).containsExactly("0=0");
            }),
        awkward(
            "14 phantom functions that fail on the second go back, or break and are EBADF",
            h -> {
              int guest = h.guest();
              List<String> ids = h.ids(REST);
              JsonNode entries = h.entries(REST);
              h.timeOut(PHANTOM_4, "context", 0, 1);
              assertThat(h.assign(guest, PHANTOM)).isEqualTo(EIO);
              assertThat(h.entries(REST)).isEqualTo(entries);
              assertThat(h.ids(REST)).isEqualTo(ids);
              assertThat(h.owner(PHANTOM)).isZero();
              assertThat(h.state(PHANTOM)).isEqualTo("dom0");
              assertThat(h.outcome(PHANTOM, 0x10_0000)).isEqualTo("done");
              assertThat(h.violations()).isEmpty();
              h.healed();
              h.given(guest, PHANTOM);
              assertThat(h.requesters(REST, guest)).containsExactlyInAnyOrder(PHANTOM, PHANTOM_4);
              assertThat(h.deassign(guest, PHANTOM)).isZero();
              assertThat(h.deassign(IO, PHANTOM)).isZero();

              h.timeOut(PHANTOM_4, "context", 0, 1);
              h.timeOut(PHANTOM, "context", 1, 1);
              assertThat(h.assign(guest, PHANTOM)).isEqualTo(EIO);
              assertThat(h.state(PHANTOM)).isEqualTo("broken");
              hasCrashed(h, guest);
              h.healed();
              h.daemon().delete("/v1/domains/" + guest);
              int next = h.guest();
              h.refuses(EBADF, () -> h.assign(next, PHANTOM));
            }),
        awkward(
            "15 after 10,000 random steps only reserved ids are left",
            h -> {
              RandomOwners owners = new RandomOwners(h);
              owners.walk(10_000);
              owners.leave();
              assertThat(h.ids(0)).containsExactly("0=0");
              assertThat(h.ids(1)).containsExactly("1=0");
              assertThat(h.ids(2)).containsExactly("0=0");
              assertThat(h.ids(3)).containsExactly("65535=0");
              assertThat(h.ids(REST)).containsExactly("0=0");
              // No bit without an owner is left either: there is room for all again.
              for (int i = 0; i < FEW_IDS - 1; i++) {
                h.given(h.guest("16KiB"), a(i));
              }
              for (int i = 0; i < FEW_IDS - 2; i++) {
                h.given(h.guest("16KiB"), b(i));
              }
            }));
  }

  /** A guest whose device is taken from it while the unit's context cache does not answer. */
  private static int unforgotten(AssignmentHost h) {
    int guest = h.guest();
    h.given(guest, a(0));
    h.outcome(a(0), 0x3000);
    h.timeOut(a(0), "context", 0, 1);
    assertThat(h.deassign(guest, a(0))).isEqualTo(EIO);
    hasCrashed(h, guest);
    return guest;
  }

  private static void hasCrashed(AssignmentHost h, int guest) {
    assertThat(h.daemon().get("/v1/domains/" + guest).at("/state")).isEqualTo("shutdown");
    assertThat(Long.decode(h.xen().info(guest).get("flags").asText()) >> 16 & 0xff)
        .isEqualTo(SHUTDOWN_CRASH);
  }
}
