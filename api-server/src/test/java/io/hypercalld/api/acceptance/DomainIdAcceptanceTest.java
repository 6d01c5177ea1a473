package io.hypercalld.api.acceptance;

import static io.hypercalld.api.acceptance.AssignmentHost.EBUSY;
import static io.hypercalld.api.acceptance.AssignmentHost.EFAULT;
import static io.hypercalld.api.acceptance.AssignmentHost.EIO;
import static io.hypercalld.api.acceptance.AssignmentHost.IO;
import static io.hypercalld.api.acceptance.NumberedBehaviours.row;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.stream.Stream;

/**
 * B141 to B149, and the fourth document's scenarios that need units of few and of many ids: which
 * id stands for whom, from its choice to its reuse.
 */
final class DomainIdAcceptanceTest implements NumberedBehaviours<AssignmentHost> {
  /** Functions behind unit 0, of 16 ids. */
  private static final String VF_A = "0000:03:1%d.%d";

  /** Functions behind unit 1, of 16 ids in caching mode. */
  private static final String VF_B = "0000:04:1%d.%d";

  private static final String DISK = "0000:05:00.0";
  private static final String DISK_CM = "0000:06:00.0";

  @Override
  public AssignmentHost start() {
    return AssignmentHost.on("awkward-devices");
  }

  @Override
  public void begin(AssignmentHost host) {
    host.reset();
  }

  private static String vf(String pattern, int index) {
    return pattern.formatted(index / 8, index % 8);
  }

  private static String a(int index) {
    return vf(VF_A, index);
  }

  private static String b(int index) {
    return vf(VF_B, index);
  }

  @Override
  public Stream<Row<AssignmentHost>> rows() {
    return Stream.of(choice(), exhaustion(), reuse(), generations(), quarantine())
        .flatMap(rows -> rows)
        .map(DomainIdAcceptanceTest::consistentAfterwards);
  }

  /** Rows that look for violations themselves say so by a minus. */
  private static Row<AssignmentHost> consistentAfterwards(Row<AssignmentHost> row) {
    return row.name().startsWith("-")
        ? row(row.name().substring(1), row.check())
        : row(
            row.name(),
            h -> {
              row.check().on(h);
              assertThat(h.violations()).isEmpty();
            });
  }

  private static Stream<Row<AssignmentHost>> choice() {
    return Stream.of(
        row(
            "B141 a domain has an id of each unit, and is flushed on each with that one",
            h -> {
              h.given(h.guest(), a(0));
              int guest = h.guest();
              h.given(guest, a(1));
              h.given(guest, b(0));
              assertThat(h.did(a(1))).isEqualTo(2).isEqualTo(h.idOf(0, guest));
              assertThat(h.did(b(0))).isEqualTo(2).isEqualTo(h.idOf(1, guest));
              assertThat(h.outcome(a(1), 0x5000)).isEqualTo("done");
              assertThat(h.outcome(b(0), 0x5000)).isEqualTo("done");
              h.resetCounters();
              assertThat(h.xen().decrease(guest, "0x5")).isEqualTo(1);
              assertThat(h.flushes(0, "page") + h.flushes(0, "domain")).isEqualTo(1);
              assertThat(h.flushes(1, "page") + h.flushes(1, "domain")).isEqualTo(1);
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
            "-6 exhausted, it was EFAULT in 2009, and nothing changed either",
            h -> {
              h.policies("'profile':'as-shipped'");
              for (int i = 0; i < 15; i++) {
                h.given(h.guest(), a(i));
              }
              int last = h.guest();
              h.refuses(EFAULT, () -> h.assign(last, a(15)));
              assertThat(h.owner(a(15))).isZero();
              assertThat(h.did(a(15))).isZero();
            }));
  }

  private static Stream<Row<AssignmentHost>> reuse() {
    return Stream.of(
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
            }),
        row(
            "2 two functions on one unit and one on another",
            h -> {
              int guest = h.guest();
              h.given(guest, a(0));
              h.given(guest, a(1));
              h.given(guest, b(0));
              int onB = h.idOf(1, guest);
              h.deassign(guest, a(0));
              assertThat(h.idOf(0, guest)).isPositive();
              h.deassign(guest, a(1));
              assertThat(h.idOf(0, guest)).isEqualTo(-1);
              assertThat(h.idOf(1, guest)).isEqualTo(onB);
              assertThat(h.outcome(b(0), 0)).isEqualTo("done");
            }),
        row(
            "10 an id that the unit does not forget is kept until it does",
            h -> {
              int guest = h.guest();
              h.given(guest, a(0));
              h.outcome(a(0), 0x3000);
              h.timeOut(a(0), "context", 0, 1);
              assertThat(h.deassign(guest, a(0))).isEqualTo(EIO);
              assertThat(h.daemon().get("/v1/domains/" + guest).at("/state")).isEqualTo("shutdown");
              assertThat(h.idOf(0, guest)).isPositive();
              assertThat(h.owner(a(0))).isEqualTo(guest);
              h.daemon().delete("/v1/domains/" + guest);
              assertThat(h.idOf(0, guest)).isEqualTo(-1);
              assertThat(h.state(a(0))).isIn("quarantined", "broken");
            }),
        row(
            "-10 in 2009 it was free all the same",
            h -> {
              h.policies("'profile':'as-shipped'");
              int guest = h.guest();
              h.given(guest, a(0));
              h.outcome(a(0), 0x3000);
              h.timeOut(a(0), "context", 0, 1);
              assertThat(h.deassign(guest, a(0))).isEqualTo(EIO);
              assertThat(h.idOf(0, guest)).isEqualTo(-1);
              assertThat(h.violations().toString()).contains("I4");
              h.daemon().delete("/v1/domains/" + guest);
            }),
        row(
            "16 a fault names the guest that its unit knows by the id",
            h -> {
              int first = h.guest();
              int second = h.guest();
              h.given(second, b(0));
              h.given(first, a(0));
              h.given(second, a(1));
              h.given(first, b(1));
              // The same id stands for one guest here and for the other there.
              assertThat(h.did(a(0))).isEqualTo(1);
              assertThat(h.did(b(0))).isEqualTo(2);
              assertThat(h.did(a(1))).isEqualTo(h.did(b(0)));
              h.outcome(a(0), 0x4000_0000);
              h.outcome(b(1), 0x4000_0000);
              assertThat(culprit(h, 0, a(0))).isEqualTo(first);
              assertThat(culprit(h, 1, b(1))).isEqualTo(first);
            }));
  }

  /** Whom the last fault of a device is laid to, in the fault records or in the event. */
  private static int culprit(AssignmentHost h, int unit, String device) {
    int domid = -1;
    for (JsonNode fault : h.items("/v1/iommus/" + unit + "/faults")) {
      if (fault.get("sbdf").asText().equals(device)) {
        domid = fault.get("domid").asInt();
      }
    }
    return domid;
  }

  private static Stream<Row<AssignmentHost>> generations() {
    return Stream.of(
        row(
            "4 in caching mode id 0 is nobody's",
            h -> {
              h.policies("'profile':'fixed'");
              assertThat(h.idOf(1, 0)).isEqualTo(1);
            }),
        row(
            "-4 in 2009 it was dom0's, and the checks say so",
            h -> {
              h.policies("'profile':'as-shipped'");
              assertThat(h.idOf(1, 0)).isZero();
              assertThat(h.violations())
                  .anyMatch(
                      text ->
                          text.startsWith("I3")
                              && text.contains("domain-id 0, which iommu 1 in caching mode keeps"));
            }),
        row(
            "-5 verbatim, domain 16 shares dom0's id on a unit of 16",
            h -> {
              h.policies("'domainIds':'verbatim'");
              int guest = h.guest(16);
              h.given(guest, a(0));
              assertThat(h.did(a(0))).isZero();
              assertThat(h.violations())
                  .anyMatch(
                      text ->
                          text.startsWith("I3 domain-id 0 of iommu 0 stands for two tables")
                              && text.contains("of d0")
                              && text.contains("of d16"));
            }),
        row(
            "5 mended, domain 16 is refused there",
            h -> {
              h.policies("'domainIds':'verbatim','profile':'fixed'");
              int guest = h.guest(16);
              h.refuses(EBUSY, () -> h.assign(guest, a(0)));
              h.given(guest, DISK);
              assertThat(h.did(DISK)).isEqualTo(16);
            }),
        row(
            "11 with 16 bits the id is the number or its complement, and back",
            h -> {
              int guest = h.guest(0x123);
              h.given(guest, DISK);
              h.given(guest, DISK_CM);
              assertThat(h.did(DISK)).isEqualTo(0x123);
              assertThat(h.did(DISK_CM)).isEqualTo(0xffff - 0x123);
              assertThat(h.ids(3)).contains((0xffff - 0x123) + "=" + 0x123);
              assertThat(h.daemon().get("/v1/iommus/3").at("/domainIds/scans")).isEqualTo("0");
            }),
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
            }));
  }

  private static Stream<Row<AssignmentHost>> quarantine() {
    return Stream.of(
        row(
            "12 in quarantine a function has a pseudo id and a table of its own",
            h -> {
              h.policies("'quarantine':'scratch-page'");
              int guest = h.guest();
              h.given(guest, a(0));
              h.deassign(guest, a(0));
              int did = h.did(a(0));
              assertThat(h.ids(0))
                  .anyMatch(
                      id ->
                          id.startsWith(did + "=")
                              && Integer.parseInt(id.substring(id.indexOf('=') + 1)) >= 0x8000);
              assertThat(h.outcome(a(0), 0x1234_5000)).isEqualTo("done");
              assertThat(h.idOf(0, guest)).isEqualTo(-1);
              h.deassign(IO, a(0));
            }),
        row(
            "12 off, a device goes straight back to dom0",
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
