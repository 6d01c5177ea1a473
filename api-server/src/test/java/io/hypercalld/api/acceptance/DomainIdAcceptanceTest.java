package io.hypercalld.api.acceptance;

import static io.hypercalld.api.acceptance.AssignmentHost.EBUSY;
import static io.hypercalld.api.acceptance.AssignmentHost.EIO;
import static io.hypercalld.api.acceptance.NumberedBehaviours.row;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** B141 to B148: which id stands for whom, from its choice to its reuse. */
final class DomainIdAcceptanceTest implements AssignmentBehaviours {
  /** Functions behind unit 0, of 16 ids. */
  private static final String VF_A = "0000:03:1%d.%d";

  /** Functions behind unit 1, of 16 ids in caching mode. */
  private static final String VF_B = "0000:04:1%d.%d";

  static final String DISK = "0000:05:00.0";
  static final String DISK_CM = "0000:06:00.0";

  private static String vf(String pattern, int index) {
    return pattern.formatted(index / 8, index % 8);
  }

  static String a(int index) {
    return vf(VF_A, index);
  }

  static String b(int index) {
    return vf(VF_B, index);
  }

  @Override
  public Stream<Row<AssignmentHost>> rows() {
    return Stream.of(choice(), exhaustion(), succession(), policies()).flatMap(rows -> rows);
  }

  private static Stream<Row<AssignmentHost>> choice() {
    return Stream.of(
        row(
            "B141 a domain has an id of each unit, and is flushed on each with that one",
            h -> {
              h.given(h.guest(), a(0));
              h.given(h.guest(), a(2));
              int guest = h.guest();
              h.given(guest, a(1));
              h.given(guest, b(0));
              assertThat(h.did(a(1))).isEqualTo(3).isEqualTo(h.idOf(0, guest));
              assertThat(h.did(b(0))).isEqualTo(2).isEqualTo(h.idOf(1, guest));
              assertThat(h.outcome(a(1), 0x5000)).isEqualTo("done");
              assertThat(h.outcome(b(0), 0x5000)).isEqualTo("done");
              h.resetCounters();
              assertThat(h.xen().decrease(guest, "0x5")).isEqualTo(1);
              assertThat(h.flushes(0, "page") + h.flushes(0, "domain")).isEqualTo(1);
              assertThat(h.flushes(1, "page") + h.flushes(1, "domain")).isEqualTo(1);
              assertThat(h.lastFlushedId(0)).isEqualTo(3);
              assertThat(h.lastFlushedId(1)).isEqualTo(2);
              assertThat(h.outcome(a(1), 0x5000)).isEqualTo("0x5");
              assertThat(h.outcome(b(0), 0x5000)).isEqualTo("0x5");
            }),
        row(
            "B142 another device of the domain on the unit shares its id",
            h -> {
              int guest = h.guest();
              h.given(guest, a(0));
              List<String> before = h.ids(0);
              h.given(guest, a(1));
              assertThat(h.did(a(1))).isEqualTo(h.did(a(0)));
              assertThat(h.ids(0)).isEqualTo(before);
            }),
        row(
            "B143 the last device on the unit takes the id with it, the next gets the lowest",
            h -> {
              int guest = h.guest();
              h.given(guest, a(0));
              h.given(guest, a(1));
              h.given(h.guest(), a(2));
              h.given(guest, b(0));
              h.deassign(guest, a(0));
              assertThat(h.idOf(0, guest)).isEqualTo(1);
              h.deassign(guest, a(1));
              assertThat(h.idOf(0, guest)).isEqualTo(-1);
              assertThat(h.idOf(1, guest)).isPositive();
              int next = h.guest();
              h.given(next, a(3));
              assertThat(h.idOf(0, next)).isEqualTo(1);
            }),
        row(
            "B146 a unit with an id for each number needs no map",
            h -> {
              int guest = h.guest(7);
              h.given(guest, DISK);
              h.given(guest, DISK_CM);
              assertThat(h.did(DISK)).isEqualTo(7);
              assertThat(h.did(DISK_CM)).isEqualTo(0xfff8);
              assertThat(h.ids(2)).containsExactly("0=0", "7=7");
              h.deassign(guest, DISK);
              assertThat(h.ids(2)).containsExactly("0=0");
            }));
  }

  private static Stream<Row<AssignmentHost>> exhaustion() {
    return Stream.of(
        row(
            "B144 the sixteenth guest on a unit of 16 ids is EBUSY, elsewhere it is not",
            h -> {
              for (int i = 0; i < 15; i++) {
                h.given(h.guest(), a(i));
              }
              int last = h.guest();
              h.refuses(EBUSY, () -> h.assign(last, a(15)));
              h.given(last, b(0));
            }),
        row(
            "B145 caching mode leaves 15 of 16 ids",
            h -> {
              assertThat(h.daemon().get("/v1/iommus/1").at("/domainIds/capacity")).isEqualTo("15");
              for (int i = 0; i < 14; i++) {
                h.given(h.guest(), b(i));
              }
              assertThat(h.ids(1)).hasSize(15).noneMatch(id -> id.startsWith("0="));
              int last = h.guest();
              h.refuses(EBUSY, () -> h.assign(last, b(14)));
            }),
        row(
            "B148 a new owner of an id hits nothing of the old one's",
            h -> {
              int first = h.guest();
              h.given(first, a(0));
              String old = h.maddr(a(0), 0x3000);
              int did = h.did(a(0));
              h.deassign(first, a(0));
              assertThat(h.items("/v1/iommus/0/iotlb?limit=1000"))
                  .noneMatch(entry -> entry.get("domainId").asInt() == did);
              int second = h.guest();
              h.given(second, a(1));
              assertThat(h.did(a(1))).isEqualTo(did);
              JsonNode segment = h.write(a(1), 0x3000, "5a").at("/segments/0");
              assertThat(segment.get("cache").asText()).isEqualTo("miss");
              assertThat(segment.get("maddr").asText()).isNotEqualTo(old);
            }));
  }

  private static Stream<Row<AssignmentHost>> succession() {
    return Stream.of(
        row(
            "a number that is given anew brings no translations along that a unit holds on to",
            h -> {
              int number = 77;
              h.guest(number);
              h.given(number, a(0));
              h.outcome(a(0), 0x3000);
              h.timeOut(a(0), "context", 0, 1000);
              h.daemon().delete("/v1/domains/" + number);
              assertThat(h.idOf(0, number)).isEqualTo(1);
              assertThat(contextsOf(h, a(0))).hasSize(1);

              h.guest(number);
              assertThat(h.assign(number, a(1))).isEqualTo(EIO);
              assertThat(h.owner(a(1))).isZero();
              assertThat(h.did(a(1))).isZero();

              h.healed();
              h.given(number, a(1));
              assertThat(h.did(a(1))).isEqualTo(1);
              assertThat(contextsOf(h, a(0))).isEmpty();
              assertThat(h.violations()).isEmpty();
            }));
  }

  /** What unit 0 remembers of a requester's context entry. */
  private static List<JsonNode> contextsOf(AssignmentHost h, String sbdf) {
    List<JsonNode> entries = new ArrayList<>();
    for (JsonNode entry : h.items("/v1/iommus/0/context-cache?limit=1000")) {
      if (entry.get("sbdf").asText().equals(sbdf)) {
        entries.add(entry);
      }
    }
    return entries;
  }

  private static Stream<Row<AssignmentHost>> policies() {
    return Stream.of(
        row(
            "global ids are for life, and one on every unit",
            h -> {
              h.policies("'domainIds':'global'");
              int guest = h.guest();
              h.given(guest, a(0));
              h.given(guest, b(0));
              int did = h.did(a(0));
              assertThat(did).isEqualTo(2).isEqualTo(h.did(b(0)));
              h.deassign(guest, a(0));
              h.deassign(guest, b(0));
              assertThat(h.idOf(0, guest)).isEqualTo(did);
              h.daemon().delete("/v1/domains/" + guest);
              assertThat(h.idOf(0, guest)).isEqualTo(-1);
            }),
        row(
            "policies do not change under a guest's devices",
            h -> {
              int guest = h.guest();
              h.given(guest, a(0));
              String before = h.xen().digest();
              assertThat(h.policies("'domainIds':'global'").at("/errno")).isEqualTo("EBUSY");
              assertThat(h.policies("'quarantine':'off'").at("/errno")).isEqualTo("EBUSY");
              assertThat(h.xen().digest()).isEqualTo(before);
              assertThat(h.policies("'profile':'as-shipped'").status()).isEqualTo(200);
              assertThat(h.outcome(a(0), 0x3000)).isEqualTo("done");
              h.policies("'profile':'today'");
            }),
        row(
            "with quarantine off, a device goes straight back to dom0",
            h -> {
              h.policies("'quarantine':'off'");
              int guest = h.guest();
              h.given(guest, a(0));
              h.deassign(guest, a(0));
              assertThat(h.owner(a(0))).isZero();
              assertThat(h.outcome(a(0), 0x10_0000)).isEqualTo("done");
            }));
  }
}
