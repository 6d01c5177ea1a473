package io.hypercalld.api.acceptance;

import static io.hypercalld.api.acceptance.GuestTranslation.BOTH;
import static io.hypercalld.api.acceptance.GuestTranslation.FIRST;
import static io.hypercalld.api.acceptance.GuestTranslation.ONE;
import static io.hypercalld.api.acceptance.NumberedBehaviours.row;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.hypercalld.api.scenario.DaemonUnderTest.Answer;
import java.util.List;
import java.util.stream.Stream;

/** Why a guest's device goes where it goes: the machine's stage beside the guest's. */
final class ViommuExplainAcceptanceTest implements GuestBehaviours.OfTranslation {
  private static final long A = GuestTranslation.PAGE_A;
  private static final long B = GuestTranslation.PAGE_B;
  private static final long IOVA = GuestTranslation.IOVA;
  private static final String MISSING = "guest bug: missing invalidation";

  @Override
  public Stream<Row<GuestTranslation>> rows() {
    return Stream.concat(passing(), blocked());
  }

  private static Stream<Row<GuestTranslation>> passing() {
    return Stream.of(
        row(
            "the guest's tables by its addresses, then the P2M, end where the shadow ends",
            g -> {
              g.guest("");
              g.onePage();
              JsonNode explained = explain(g, IOVA, "read");
              JsonNode guest = explained.get("guest");
              assertThat(guest.get("domid").asInt()).isEqualTo(g.unit().guest());
              assertThat(guest.get("guestBdf").asText()).isEqualTo("0000:00:04.0");
              assertThat(guest.get("gpa").asText()).isEqualTo("0x800000");
              assertThat(explained.get("verdict").asText())
                  .isEqualTo("maps to " + guest.get("maddr").asText());
              assertThat(guest.get("agrees").asBoolean()).isTrue();
              assertThat(tables(guest))
                  .containsSubsequence(
                      "root", "context", "second-level", "second-level", "second-level", "p2m");
              assertThat(addresses(guest)).contains("0x11000", "0x40000", "0x41000", "0x42008");
            }),
        row(
            "13 what the guest has not said is told on both sides",
            g -> {
              g.guest("");
              g.onePage();
              g.map(ONE, IOVA, B, BOTH);
              String digest = g.daemon().digest();
              JsonNode explained = explain(g, IOVA, "read");
              assertThat(explained.get("stale").asBoolean()).isTrue();
              assertThat(explained.at("/guest/gpa").asText()).isEqualTo("0x801000");
              assertThat(explained.at("/guest/agrees").asBoolean()).isFalse();
              assertThat(explained.at("/guest/oracle").asText()).startsWith(MISSING);
              // Explaining counts nothing and finds nothing for the guest.
              assertThat(g.daemon().digest()).isEqualTo(digest);
              g.forgetPage(1, IOVA);
              JsonNode after = explain(g, IOVA, "read");
              assertThat(after.get("stale").asBoolean()).isFalse();
              assertThat(after.at("/guest/agrees").asBoolean()).isTrue();
            }),
        row(
            "each run of a shadow is walked both ways, the guest's steps beside the machine's",
            g -> {
              g.guest("");
              g.onePage();
              JsonNode walks = g.shadow().get("walks");
              assertThat(walks).hasSize(1);
              JsonNode walk = walks.get(0);
              assertThat(walk.get("iova").asText()).isEqualTo("0x1000");
              assertThat(walk.get("gpa").asText()).isEqualTo("0x800000");
              assertThat(walk.get("expected")).isEqualTo(walk.get("maddr"));
              assertThat(walk.get("stale").asBoolean()).isFalse();
              assertThat(walk.get("guest").findValuesAsText("address"))
                  .contains("0x11000", "0x12200", "0x40000", "0x41000", "0x42008");
              assertThat(walk.get("guest").findValuesAsText("table"))
                  .containsSubsequence(
                      "root", "context", "second-level", "second-level", "second-level", "p2m");
              assertThat(walk.get("machine").findValuesAsText("table"))
                  .containsSubsequence(
                      "root", "context", "second-level", "second-level", "second-level");
              g.map(ONE, IOVA, B, BOTH);
              g.map(ONE, 2 * IOVA, A, BOTH);
              JsonNode stale = g.shadow().at("/walks/0");
              assertThat(stale.get("gpa").asText()).isEqualTo("0x801000");
              assertThat(stale.get("maddr")).isEqualTo(walk.get("maddr"));
              assertThat(stale.get("machine")).isEqualTo(walk.get("machine"));
              assertThat(stale.get("stale").asBoolean()).isTrue();
              JsonNode absent = g.shadow().at("/walks/1");
              assertThat(absent.get("iova").asText()).isEqualTo("0x2000");
              assertThat(absent.get("expected")).isEqualTo(walk.get("maddr"));
              assertThat(absent.get("maddr").isNull()).isTrue();
              assertThat(absent.get("stale").asBoolean()).isTrue();
              g.forgetDomain(1);
              assertThat(g.shadow().get("walks").findValuesAsText("stale"))
                  .containsExactly("false", "false");
              assertThat(g.unit().view("/shadow").get("walks").isNull()).isTrue();
            }),
        row(
            "a device that goes by no tables of the guest's has one stage",
            g -> {
              g.guest("");
              assertThat(explain(g, A, "read").get("guest").isNull()).isTrue();
            }));
  }

  private static Stream<Row<GuestTranslation>> blocked() {
    return Stream.of(
        row(
            "where the guest's tables block it, they are what would have to be different",
            g -> {
              g.guest("");
              g.onePage();
              JsonNode explained = explain(g, 0x3000, "write");
              assertThat(explained.get("reason").asText()).isEqualTo("0x5");
              assertThat(explained.at("/guest/reason").asText()).isEqualTo("0x5");
              assertThat(explained.get("wouldPassIf").asText())
                  .isEqualTo(
                      ("in d%d's own tables the second-level entry of level 1 at 0x42018 had W set,"
                              + " and it had its change invalidated")
                          .formatted(g.unit().guest()));
            }),
        row(
            "with caching mode what appears unsaid is the guest's bug, without it is not",
            g -> {
              for (boolean caching : new boolean[] {true, false}) {
                g.unit().begin();
                g.guest(",'cachingMode':" + caching);
                g.onePage();
                g.map(ONE, 2 * IOVA, B, BOTH);
                JsonNode explained = explain(g, 2 * IOVA, "read");
                assertThat(explained.get("verdict").asText()).isEqualTo("blocked");
                assertThat(explained.at("/guest/oracle").asText().startsWith(MISSING))
                    .isEqualTo(caching);
                assertThat(explained.get("wouldPassIf").asText())
                    .isEqualTo("d%d had its change invalidated".formatted(g.unit().guest()));
              }
            }),
        row(
            "14 where the P2M is the hole, it is named",
            g -> {
              g.guest("");
              g.onePage();
              g.balloonOut(A);
              JsonNode explained = explain(g, IOVA, "read");
              assertThat(explained.at("/guest/verdict").asText()).isEqualTo("maps to 0x800000");
              assertThat(explained.at("/guest/maddr").isNull()).isTrue();
              assertThat(explained.get("wouldPassIf").asText())
                  .contains("0x800")
                  .endsWith("were memory that devices may use so: it is mmio_dm");
            }));
  }

  private static JsonNode explain(GuestTranslation g, long iova, String access) {
    Answer answer =
        g.daemon()
            .get("/v1/explain/dma?sbdf=%s&iova=0x%x&access=%s".formatted(FIRST, iova, access));
    assertThat(answer.status()).as("%s", answer.body()).isEqualTo(200);
    return answer.body();
  }

  private static List<String> tables(JsonNode stage) {
    return stage.get("steps").findValuesAsText("table");
  }

  private static List<String> addresses(JsonNode stage) {
    return stage.get("steps").findValuesAsText("address");
  }
}
