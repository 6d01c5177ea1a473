package io.hypercalld.api.acceptance;

import static io.hypercalld.api.acceptance.GuestPasids.BELOW;
import static io.hypercalld.api.acceptance.GuestPasids.FIRST;
import static io.hypercalld.api.acceptance.GuestPasids.FIRST_DEVFN;
import static io.hypercalld.api.acceptance.GuestPasids.ONE;
import static io.hypercalld.api.acceptance.GuestPasids.TWO;
import static io.hypercalld.api.acceptance.NumberedBehaviours.row;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.hypercalld.api.scenario.DaemonUnderTest.Answer;
import java.util.stream.Stream;

/** What a guest's PASID tables may say, how it has them forgotten, and whose faults are whose. */
final class ViommuPasidAcceptanceTest implements GuestBehaviours.OfPasids {
  private static final long A = 0x80_0000;
  private static final long B = 0x80_1000;
  private static final String MISSING = "guest bug: missing invalidation";
  private static final long GVA = 0x7f12_3456_7000L;

  @Override
  public void begin(GuestPasids host) {
    GuestBehaviours.OfPasids.super.begin(host);
    host.unit().policies("'ats':'off'");
  }

  @Override
  public Stream<Row<GuestPasids>> rows() {
    return Stream.of(types(), spaces(), forgetting(), faults()).flatMap(rows -> rows);
  }

  private static Stream<Row<GuestPasids>> types() {
    return Stream.of(
        row(
            "D20 PGTT 1 first-level: the guest's table on top of the P2M",
            g -> {
              g.pasid5();
              assertThat(g.found(FIRST, 5, GVA)).isEqualTo(0xa);
              assertThat(g.device(0).at("/pasids/0/type").asText()).isEqualTo("first-level");
            }),
        row(
            "D20 PGTT 2 second-level: a shadow of the guest's table",
            g -> {
              g.guest("", "");
              g.unit().store(A, 0xa);
              g.mapBelow(BELOW, GVA, A);
              g.secondLevel(FIRST_DEVFN, 5, 1, BELOW);
              g.translate();
              assertThat(g.mode()).isEqualTo("shadow");
              assertThat(g.found(FIRST, 5, GVA)).isEqualTo(0xa);
              assertThat(g.space(5).get("type").asText()).isEqualTo("second-level");
              assertThat(g.unit().view("/shadow").at("/spaces/0/guestRoot").asText())
                  .isEqualTo("0x80000");
            }),
        row(
            "D20 PGTT 3 nested: the guest's first level on top of a shadow of its second",
            g -> {
              g.guest("", "");
              g.unit().store(A, 0xa);
              // The guest's second level has tables and page elsewhere than they are.
              long shift = 0x4000_0000L;
              for (int page = 0; page < 4; page++) {
                g.mapBelow(BELOW, shift + ONE + page * 0x1000L, ONE + page * 0x1000L);
              }
              g.mapBelow(BELOW + 0x1_0000, shift + A, A);
              g.shareTop(BELOW, BELOW + 0x1_0000, shift + A);
              g.map(ONE, GVA, shift + A, shift);
              g.nested(FIRST_DEVFN, 5, 1, shift + ONE);
              g.translate();
              assertThat(g.mode()).isEqualTo("nested");
              assertThat(g.found(FIRST, 5, GVA)).isEqualTo(0xa);
              assertThat(g.device(0).at("/pasids/0/secondStage").asText()).isEqualTo("shadow");
            }),
        row(
            "D20 PGTT 4 pass-through: guest-physical addresses",
            g -> {
              g.guest("", "");
              g.unit().store(A, 0xa);
              g.passThrough(FIRST_DEVFN, 5, 1);
              g.translate();
              assertThat(g.mode()).isEqualTo("passthrough");
              assertThat(g.found(FIRST, 5, A)).isEqualTo(0xa);
            }));
  }

  private static Stream<Row<GuestPasids>> spaces() {
    return Stream.of(
        row(
            "D20 several types at once, PASID 0 for requests without, and no other",
            g -> {
              g.pasid5();
              g.mapBelow(BELOW, GVA, B);
              g.secondLevel(FIRST_DEVFN, 6, 2, BELOW);
              g.passThrough(FIRST_DEVFN, 0, 3);
              g.forgetPasids();
              assertThat(g.found(FIRST, 5, GVA)).isEqualTo(0xa);
              assertThat(g.found(FIRST, 6, GVA)).isEqualTo(0xb);
              assertThat(GuestPasids.mark(g.readPlain(FIRST, A))).isEqualTo(0xa);
              assertThat(g.found(FIRST, 7, GVA)).isEqualTo(-1);
            }),
        row(
            "D20 a PASID of 20 bits: 14 lead through the directory, 6 through the table",
            g -> {
              g.guest("", "");
              int pasid = 0xabcde;
              g.unit().store(A, 0xa);
              g.map(ONE, GVA, A);
              long directory = 0x10_0000;
              long table = 0x1_8000;
              g.unit().store(directory + (pasid >>> 6) * 8L, table | 1);
              g.unit().store(table + (pasid & 0x3f) * 64L, 1 | 1 << 6, 1, ONE);
              g.unit().store(GuestUnit.ROOT, GuestUnit.CONTEXT | 1);
              g.unit()
                  .store(GuestUnit.CONTEXT + FIRST_DEVFN * 32L, directory | 7 << 9 | 1 << 3 | 1, 0);
              g.switchOn();
              assertThat(g.found(FIRST, pasid, GVA)).isEqualTo(0xa);
              assertThat(g.found(FIRST, pasid - 64, GVA)).isEqualTo(-1);
            }),
        row(
            "requests without PASID go through the PASID that the context entry names",
            g -> {
              g.pasid5();
              assertThat(GuestPasids.mark(g.readPlain(FIRST, GVA))).isEqualTo(-1);
              g.unit().store(GuestUnit.CONTEXT + FIRST_DEVFN * 32L + 8, 5);
              g.forgetContexts();
              assertThat(GuestPasids.mark(g.readPlain(FIRST, GVA))).isEqualTo(0xa);
            }));
  }

  private static Stream<Row<GuestPasids>> forgetting() {
    return Stream.of(
        row(
            "a first-level entry that changes is used once its page is forgotten, no other sooner",
            g -> {
              g.pasid5();
              g.map(ONE, GVA + 0x1000, A);
              g.found(FIRST, 5, GVA);
              g.found(FIRST, 5, GVA + 0x1000);
              g.map(ONE, GVA, B);
              g.map(ONE, GVA + 0x1000, B);
              JsonNode stale = g.read(FIRST, 5, GVA);
              assertThat(GuestPasids.mark(stale)).isEqualTo(0xa);
              assertThat(stale.get("oracle").asText()).contains("missing invalidation");
              JsonNode walk = g.walk(GVA);
              assertThat(walk.get("gpa").asText()).isEqualTo("0x801000");
              assertThat(walk.get("expected")).isNotEqualTo(walk.get("maddr"));
              assertThat(walk.get("stale").asBoolean()).isTrue();
              g.forgetPage(1, 5, GVA);
              assertThat(g.found(FIRST, 5, GVA)).isEqualTo(0xb);
              assertThat(g.found(FIRST, 5, GVA + 0x1000)).isEqualTo(0xa);
              g.forgetSpace(1, 5);
              assertThat(g.found(FIRST, 5, GVA + 0x1000)).isEqualTo(0xb);
              assertThat(g.found(FIRST, 5, GVA)).isEqualTo(0xb);
              assertThat(g.walk(GVA).get("stale").asBoolean()).isFalse();
              assertThat(g.cost("syncs/first_level")).isEqualTo(2);
            }),
        row(
            "commands for another PASID or domain-id of the guest's change nothing",
            g -> {
              g.pasid5();
              g.found(FIRST, 5, GVA);
              g.map(ONE, GVA, B);
              g.forgetSpace(1, 6);
              g.forgetSpace(2, 5);
              assertThat(g.found(FIRST, 5, GVA)).isEqualTo(0xa);
              g.forgetTranslations(1);
              assertThat(g.found(FIRST, 5, GVA)).isEqualTo(0xb);
            }),
        row(
            "a PASID entry that changes is used once it is forgotten",
            g -> {
              g.pasid5();
              g.map(TWO, GVA, B);
              g.found(FIRST, 5, GVA);
              g.firstLevel(FIRST_DEVFN, 5, 1, TWO);
              JsonNode stale = g.read(FIRST, 5, GVA);
              assertThat(GuestPasids.mark(stale)).isEqualTo(0xa);
              assertThat(stale.get("oracle").asText()).startsWith(MISSING);
              g.forgetPasid(1, 5);
              g.forgetSpace(1, 5);
              assertThat(g.found(FIRST, 5, GVA)).isEqualTo(0xb);
              g.absent(FIRST_DEVFN, 5);
              g.forgetPasids();
              assertThat(g.found(FIRST, 5, GVA)).isEqualTo(-1);
            }),
        row(
            "a PASID entry that appears takes effect once it is told, with caching mode",
            g -> {
              g.pasid5();
              g.firstLevel(FIRST_DEVFN, 6, 1, ONE);
              assertThat(g.found(FIRST, 6, GVA)).isEqualTo(-1);
              assertThat(g.found(FIRST, 6, GVA)).isEqualTo(-1);
              assertThat(g.cost("missingInvalidations")).isEqualTo(2);
              g.forgetPasid(1, 6);
              assertThat(g.found(FIRST, 6, GVA)).isEqualTo(0xa);
            }),
        row(
            "a PASID entry that appears need not be told without: the first request finds it",
            g -> {
              g.pasid5(",'cachingMode':false");
              g.firstLevel(FIRST_DEVFN, 6, 1, ONE);
              assertThat(g.found(FIRST, 6, GVA)).isEqualTo(-1);
              assertThat(g.found(FIRST, 6, GVA)).isEqualTo(0xa);
              assertThat(g.cost("missingInvalidations")).isZero();
              assertThat(g.unit().faults()).isEmpty();
            }),
        row(
            "pages cannot be asked for: ECAP.PRS is clear, there is no page request register",
            g -> {
              g.guest("", "");
              assertThat(g.unit().read(GuestUnit.ECAP, 8) & 1L << 29).isZero();
              // PQH, PQT, PQA, PRS, PECTL, PEDATA, PEADDR, PEUADDR.
              for (int register : new int[] {0xc0, 0xc8, 0xd0, 0xdc, 0xe0, 0xe4, 0xe8, 0xec}) {
                g.unit().write(register, 4, 0xffff_ffffL);
                assertThat(g.unit().read(register, 4)).as("0x%x", register).isZero();
              }
              g.translate();
              // A page group response is no descriptor of a unit that has no page requests.
              g.submit(0x9, 0);
              assertThat(g.unit().read(GuestUnit.FSTS, 4) & 1 << 4).isNotZero();
              assertThat(g.unit().read(GuestUnit.IQH, 8)).isZero();
            }),
        row(
            "what the P2M takes away no device reaches, through no first level",
            g -> {
              g.pasid5();
              assertThat(g.found(FIRST, 5, GVA)).isEqualTo(0xa);
              g.balloon("decrease_reservation", A);
              g.check();
              assertThat(g.found(FIRST, 5, GVA)).isEqualTo(-1);
              g.balloon("populate_physmap", A);
              g.unit().store(A, 0xaa);
              assertThat(g.found(FIRST, 5, GVA)).isEqualTo(0xaa);
            }),
        row(
            "a device that keeps translations forgets a PASID's when the guest says so",
            g -> {
              g.unit().policies("'ats':'on'");
              g.pasid5();
              assertThat(g.unit().read(GuestUnit.ECAP, 8) & 1 << 2).isNotZero();
              g.context(FIRST_DEVFN, 1 << 2);
              g.forgetContexts();
              assertThat(g.entry(FIRST).at("/fields/DTE").asText()).isEqualTo("0x1");
              long before = g.deviceTlbFlushes();
              g.forgetOfDevice(FIRST_DEVFN, 5, GVA);
              assertThat(g.unit().read(GuestUnit.FSTS, 4)).isZero();
              assertThat(g.deviceTlbFlushes()).isEqualTo(before + 1);
            }));
  }

  private static Stream<Row<GuestPasids>> faults() {
    return Stream.of(
        row(
            "a fault of the first stage is the guest's: record with PASID, and event",
            g -> {
              g.pasid5();
              assertThat(g.found(FIRST, 5, GVA + 0x5000)).isEqualTo(-1);
              JsonNode fault = g.unit().faults().get(0);
              assertThat(fault.get("reason").asText()).isEqualTo("0x71");
              assertThat(fault.get("pasid").asInt()).isEqualTo(5);
              assertThat(fault.get("sbdf").asText()).isEqualTo("0000:00:04.0");
              assertThat(fault.get("address").asText()).isEqualTo("0x7f123456c000");
              // Masked, the event is kept.
              assertThat(g.unit().read(GuestUnit.FECTL, 4)).isEqualTo(0xc000_0000L);
              assertThat(g.cost("guestFaults/0x71")).isEqualTo(1);
              assertThat(g.cost("hostFaults")).isZero();
            }),
        row(
            "a fault of the second stage is the host's: the guest hears nothing",
            g -> {
              g.pasid5();
              g.balloon("decrease_reservation", A);
              assertThat(g.found(FIRST, 5, GVA)).isEqualTo(-1);
              assertThat(g.unit().faults()).isEmpty();
              assertThat(g.cost("hostFaults")).isEqualTo(1);
            }),
        row(
            "a first-level table that is gone is a fault of the second stage",
            g -> {
              g.pasid5();
              g.balloon("decrease_reservation", ONE + 0x2000);
              assertThat(g.read(FIRST, 5, GVA).at("/fault/reason").asText()).isEqualTo("0x76");
              assertThat(g.unit().faults()).isEmpty();
              assertThat(g.cost("hostFaults")).isEqualTo(1);
            }),
        row(
            "a PASID without entry is blocked, for the guest to see",
            g -> {
              g.pasid5();
              assertThat(g.found(FIRST, 9, GVA)).isEqualTo(-1);
              assertThat(g.unit().faults().get(0).get("reason").asText()).isEqualTo("0x59");
            }),
        row(
            "an entry of no type that there is is the guest's fault",
            g -> {
              g.guest("", "");
              g.pasid(FIRST_DEVFN, 5, 1 | 5 << 6, 1, ONE);
              g.translate();
              assertThat(g.found(FIRST, 5, GVA)).isEqualTo(-1);
              assertThat(g.unit().faults().get(0).get("reason").asText()).isEqualTo("0x5b");
            }),
        row(
            "a device behind a unit that cannot nest is refused, and stays where it is",
            g -> {
              g.guest("", "");
              Answer refused = g.assign("0000:05:00.0", "00:05.0");
              assertThat(refused.status()).isEqualTo(501);
              assertThat(refused.at("/errno")).isEqualTo("EOPNOTSUPP");
              assertThat(refused.at("/detail")).contains("iommu 2");
              assertThat(g.daemon().get("/v1/devices/0000:05:00.0").at("/owner")).isEqualTo("0");
            }));
  }
}
