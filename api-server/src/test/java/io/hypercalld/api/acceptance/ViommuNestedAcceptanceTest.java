package io.hypercalld.api.acceptance;

import static io.hypercalld.api.acceptance.GuestPasids.BELOW;
import static io.hypercalld.api.acceptance.GuestPasids.FIRST;
import static io.hypercalld.api.acceptance.GuestPasids.FIRST_DEVFN;
import static io.hypercalld.api.acceptance.GuestPasids.ONE;
import static io.hypercalld.api.acceptance.GuestPasids.SECOND;
import static io.hypercalld.api.acceptance.GuestPasids.SECOND_DEVFN;
import static io.hypercalld.api.acceptance.GuestPasids.TWO;
import static io.hypercalld.api.acceptance.NumberedBehaviours.row;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.stream.Stream;

/**
 * The scenarios of the document on virtual IOMMUs that concern first-level tables: S1-M10 to M12,
 * S1-D17, S1-D20, and scenario 16.
 */
final class ViommuNestedAcceptanceTest implements GuestBehaviours.OfPasids {
  private static final long A = 0x80_0000;
  private static final long B = 0x80_1000;
  private static final long GVA = 0x7f12_3456_7000L;

  @Override
  public Stream<Row<GuestPasids>> rows() {
    return Stream.concat(nesting(), switching());
  }

  /** PASID 5 of the first device, one page of first-level tables. */
  private static void pasid5(GuestPasids g) {
    g.unit().store(A, 0xa);
    g.unit().store(B, 0xb);
    g.map(ONE, GVA, A);
    g.firstLevel(FIRST_DEVFN, 5, 1, ONE);
    g.translate();
  }

  private static Stream<Row<GuestPasids>> nesting() {
    return Stream.of(
        row(
            "16 PASID 5: each entry of stage 1 is itself translated by stage 2, the shared P2M",
            g -> {
              g.guest("", ",'pageTables':'shared'");
              String p2m = g.entry(FIRST).get("secondLevelTable").asText();
              pasid5(g);
              assertThat(g.mode()).isEqualTo("nested");
              JsonNode traced = g.explain(FIRST, 5, GVA);
              assertThat(traced.get("verdict").asText()).startsWith("maps to");
              assertThat(tables(traced)).matches(".*(second-level )+first-level ".repeat(4) + ".*");
              assertThat(traced.get("steps").findValuesAsText("table"))
                  .filteredOn("first-level"::equals)
                  .hasSize(4);
              assertThat(g.found(FIRST, 5, GVA)).isEqualTo(0xa);
              JsonNode pasid = g.device(0).at("/pasids/0");
              assertThat(pasid.get("secondStage").asText()).isEqualTo("p2m");
              assertThat(g.space(5).get("secondLevelTable").asText()).isEqualTo(p2m);
              JsonNode domain = g.daemon().get("/v1/domains/" + g.unit().guest()).body();
              assertThat(domain.get("pageTables").asText()).isEqualTo("shared");
            }),
        row(
            "M10 4 levels on 4: 24 entries are read",
            g -> {
              g.guest("", ",'pageTables':'shared'");
              // Where a page has gone and come, the P2M has leaves of 4 KiB.
              for (long gpa : new long[] {0x1f_f000, 0x9f_f000}) {
                g.balloon("decrease_reservation", gpa);
                g.balloon("populate_physmap", gpa);
              }
              assertThat(reads(g)).isEqualTo(24);
            }),
        row(
            "M10 with leaves of 2 MiB in the second stage: 19",
            g -> {
              g.guest("", ",'pageTables':'shared'");
              assertThat(reads(g)).isEqualTo(19);
            }),
        row(
            "M10 with leaves of 1 GiB in the second stage: 14",
            g -> {
              g.guest("2GiB", "", ",'pageTables':'shared'");
              assertThat(reads(g)).isEqualTo(14);
            }),
        row(
            "M11 the machine's PASID entry leads to the guest's own table; there is no shadow",
            g -> {
              g.guest("", "");
              pasid5(g);
              JsonNode space = g.space(5);
              assertThat(space.get("type").asText()).isEqualTo("nested");
              assertThat(space.get("firstLevelTable").asText()).isEqualTo("0x40000");
              JsonNode shadow = g.unit().view("/shadow");
              assertThat(shadow.get("spaces")).isEmpty();
              assertThat(shadow.at("/nested/0/guestRoot").asText()).isEqualTo("0x40000");
              assertThat(shadow.at("/nested/0/pasid").asInt()).isEqualTo(5);
              // An edit of what was absent needs no command: the unit walks the guest's table.
              g.map(ONE, GVA + 0x2000, B);
              assertThat(g.found(FIRST, 5, GVA + 0x2000)).isEqualTo(0xb);
            }),
        row(
            "M12 a separate table is the second stage where the domain has one",
            g -> {
              g.guest("", ",'pageTables':'separate'");
              pasid5(g);
              assertThat(g.device(0).at("/pasids/0/secondStage").asText()).isEqualTo("dma-table");
              assertThat(g.found(FIRST, 5, GVA)).isEqualTo(0xa);
            }),
        row(
            "two devices with the same PASID go through tables of their own",
            g -> {
              g.guest("", "");
              assertThat(g.assign(SECOND, "00:05.0").status()).isLessThan(300);
              g.map(TWO, GVA, B);
              g.firstLevel(SECOND_DEVFN, 5, 2, TWO);
              pasid5(g);
              assertThat(g.found(FIRST, 5, GVA)).isEqualTo(0xa);
              assertThat(g.found(SECOND, 5, GVA)).isEqualTo(0xb);
            }));
  }

  private static Stream<Row<GuestPasids>> switching() {
    return Stream.of(
        row(
            "D17 every way from one mode to another, and back",
            g -> {
              g.guest("", "");
              String before = g.entry(FIRST).get("pasids").toString();
              assertThat(g.mode()).isEqualTo("default");
              assertThat(GuestPasids.mark(g.readPlain(FIRST, A))).isZero();
              g.mapBelow(BELOW, GVA, A);
              pasid5(g);
              assertThat(g.mode()).isEqualTo("nested");
              assertThat(GuestPasids.mark(g.readPlain(FIRST, A))).isEqualTo(-1);
              String[] order = {
                "shadow", "passthrough", "nested", "passthrough", "shadow", "nested"
              };
              for (String mode : order) {
                switch (mode) {
                  case "nested" -> g.firstLevel(FIRST_DEVFN, 5, 1, ONE);
                  case "shadow" -> g.secondLevel(FIRST_DEVFN, 5, 1, BELOW);
                  default -> g.passThrough(FIRST_DEVFN, 5, 1);
                }
                g.forgetPasid(1, 5);
                g.forgetTranslations(1);
                assertThat(g.mode()).isEqualTo(mode);
                assertThat(g.found(FIRST, 5, mode.equals("passthrough") ? A : GVA)).isEqualTo(0xa);
                g.check();
              }
              g.unit().write(GuestUnit.GCMD, 4, GuestUnit.QIE);
              assertThat(g.mode()).isEqualTo("default");
              assertThat(g.entry(FIRST).get("pasids").toString()).isEqualTo(before);
              assertThat(GuestPasids.mark(g.readPlain(FIRST, A))).isEqualTo(0xa);
              assertThat(g.unit().view("/shadow").get("spaces")).isEmpty();
            }),
        row(
            "D17 a switch that fails leaves the old mode, and can be tried again",
            g -> {
              g.pasid5();
              g.mapBelow(BELOW, GVA, B);
              g.secondLevel(FIRST_DEVFN, 5, 1, BELOW);
              String before = g.entry(FIRST).toString();
              g.runOutOfMemory();
              g.forgetPasid(1, 5);
              assertThat(g.mode()).isEqualTo("nested");
              assertThat(g.entry(FIRST)).hasToString(before);
              assertThat(g.found(FIRST, 5, GVA)).isEqualTo(0xa);
              assertThat(g.cost("refusals")).isEqualTo(1);
              g.haveMemoryAgain();
              g.forgetPasid(1, 5);
              assertThat(g.mode()).isEqualTo("shadow");
              assertThat(g.found(FIRST, 5, GVA)).isEqualTo(0xb);
            }),
        row(
            "a snapshot has the device nested as it was",
            g -> {
              g.pasid5();
              assertThat(g.daemon().post("/_sim/snapshots", "{\"name\":\"nested\"}").status())
                  .isLessThan(300);
              g.unit().write(GuestUnit.GCMD, 4, GuestUnit.QIE);
              g.unit().store(A, 0xffff);
              assertThat(g.found(FIRST, 5, GVA)).isEqualTo(-1);
              assertThat(g.daemon().post("/_sim/snapshots/nested/restore", "{}").status())
                  .isLessThan(300);
              assertThat(g.mode()).isEqualTo("nested");
              assertThat(g.found(FIRST, 5, GVA)).isEqualTo(0xa);
              assertThat(g.daemon().delete("/_sim/snapshots/nested").status()).isEqualTo(204);
            }),
        row(
            "units that nest are driven in scalable mode, others in legacy mode",
            g -> {
              var units = g.daemon().get("/v1/iommus").body().get("items");
              assertThat(units.findValuesAsText("tableMode"))
                  .containsExactly("scalable", "scalable", "legacy");
            }),
        row(
            "a machine without a unit that nests refuses to announce that its guests can",
            g -> {
              try (GuestUnit other = new GuestUnit(XenHost.start())) {
                var refused = other.tryGuest("'type':'hvm','memory':'16MiB','viommu':{'l1':true}");
                assertThat(refused.status()).isEqualTo(501);
                assertThat(refused.at("/errno")).isEqualTo("EOPNOTSUPP");
                assertThat(refused.at("/detail")).contains("NEST");
                assertThat(other.daemon().get("/v1/domains").body().get("items")).hasSize(1);
              }
            }));
  }

  private static String tables(JsonNode traced) {
    return String.join(" ", traced.get("steps").findValuesAsText("table")) + " ";
  }

  /** Entries that a miss reads while the unit remembers the way to its tables. */
  private static long reads(GuestPasids g) {
    g.map(ONE, GVA + 0x1000, B);
    pasid5(g);
    assertThat(g.found(FIRST, 5, GVA)).isEqualTo(0xa);
    long before = g.entryReads();
    assertThat(g.found(FIRST, 5, GVA + 0x1000)).isEqualTo(0xb);
    return g.entryReads() - before;
  }
}
