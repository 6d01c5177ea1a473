package io.hypercalld.api.acceptance;

import static io.hypercalld.api.acceptance.GuestTranslation.BOTH;
import static io.hypercalld.api.acceptance.GuestTranslation.ONE;
import static io.hypercalld.api.acceptance.GuestTranslation.READ;
import static io.hypercalld.api.acceptance.GuestTranslation.WRITE;
import static io.hypercalld.api.acceptance.GuestUnit.quoted;
import static io.hypercalld.api.acceptance.NumberedBehaviours.row;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.hypercalld.api.scenario.DaemonUnderTest.Answer;
import java.util.stream.Stream;

/**
 * The scenarios of the document on virtual IOMMUs that concern devices which only the guest has:
 * S1-M5, S1-D19, 2.4 row 11.
 */
final class ViommuEmulatedAcceptanceTest implements GuestBehaviours.OfTranslation {
  private static final long A = GuestTranslation.PAGE_A;
  private static final long B = GuestTranslation.PAGE_B;
  private static final long IOVA = GuestTranslation.IOVA;
  private static final long LARGE = 0xa0_0000;

  @Override
  public Stream<Row<GuestTranslation>> rows() {
    return emulated();
  }

  private static Stream<Row<GuestTranslation>> emulated() {
    return Stream.of(
        row(
            "11 an emulated device's request is translated, and the call answers the page",
            g -> {
              g.guest("");
              g.context(0x18, 1, ONE);
              g.onePage();
              JsonNode answer = virtual(g, "{'op':'read','address':'0x1008','length':4}");
              assertThat(answer.get("outcome").asText()).isEqualTo("done");
              assertThat(answer.at("/parts/0/translatedAddr").asText()).isEqualTo("0x800000");
              assertThat(answer.at("/parts/0/addrMask").asText()).isEqualTo("0xfff");
              assertThat(answer.at("/parts/0/permission").asInt()).isEqualTo(BOTH);
              assertThat(answer.at("/parts/0/iova").asText()).isEqualTo("0x1008");
              virtual(g, "{'op':'write','address':'0x1000','data':'77'}");
              assertThat(g.unit().load(A)).isEqualTo(0x77);
            }),
        row(
            "11 the answer tells the page's size, and what of reading and writing is permitted",
            g -> {
              g.guest("");
              g.context(0x18, 1, ONE);
              g.map(ONE, IOVA, A, READ);
              g.map(ONE, 2 * IOVA, B, WRITE);
              g.mapLarge(ONE, LARGE, LARGE, BOTH);
              g.translate();
              String read = "{'op':'read','address':'0x%x','length':1}";
              String write = "{'op':'write','address':'0x%x','data':'01'}";
              JsonNode reading = virtual(g, read.formatted(IOVA)).at("/parts/0");
              assertThat(reading.get("permission").asInt()).isEqualTo(READ);
              assertThat(virtual(g, write.formatted(IOVA)).at("/fault/reason").asText())
                  .isEqualTo("0x5");
              JsonNode writing = virtual(g, write.formatted(2 * IOVA)).at("/parts/0");
              assertThat(writing.get("permission").asInt()).isEqualTo(WRITE);
              assertThat(virtual(g, read.formatted(2 * IOVA)).at("/fault/reason").asText())
                  .isEqualTo("0x6");
              JsonNode large = virtual(g, read.formatted(LARGE + 0x5123)).at("/parts/0");
              assertThat(large.get("addrMask").asText()).isEqualTo("0x1fffff");
              assertThat(large.get("translatedAddr").asText()).isEqualTo("0xa00000");
            }),
        row(
            "11 without context entry the fault is recorded against the device, with its event",
            g -> {
              g.guest("");
              g.unit().write(0x3c, 4, 0x60);
              g.unit().write(0x40, 4, 0xfee0_0000L);
              g.unit().write(GuestUnit.FECTL, 4, 0);
              g.onePage();
              JsonNode answer = virtual(g, "{'op':'read','address':'0x1000','length':4}");
              assertThat(answer.get("data").isNull()).isTrue();
              assertThat(answer.at("/fault/reason").asText()).isEqualTo("0x2");
              assertThat(g.unit().faults().get(0).get("sourceId").asText()).isEqualTo("0x18");
              assertThat(RemappedGuest.waiting(g.unit(), 0)).isEqualTo("[96]");
            }),
        row(
            "Q4 a warm device asks nobody: 100 requests, one call; without memory 100 calls",
            g -> {
              g.guest("");
              g.context(0x18, 1, ONE);
              g.onePage();
              String read = "{'op':'read','address':'0x1000','length':4}";
              for (int entries : new int[] {64, 0}) {
                remember(g, entries);
                long before = g.cost("translateCalls");
                long hits = g.cost("translateHits");
                for (int request = 0; request < 100; request++) {
                  virtual(g, read);
                }
                assertThat(g.cost("translateCalls") - before).isEqualTo(entries == 0 ? 100 : 1);
                assertThat(g.cost("translateHits") - hits).isEqualTo(entries == 0 ? 0 : 99);
              }
            }),
        row(
            "11 unmapped, a fault names the device and nothing moves",
            g -> {
              g.guest("");
              g.context(0x18, 1, ONE);
              g.onePage();
              JsonNode answer = virtual(g, "{'op':'write','address':'0x1ffe','data':'11223344'}");
              assertThat(answer.get("outcome").asText()).isEqualTo("blocked");
              assertThat(answer.at("/fault/reason").asText()).isEqualTo("0x5");
              assertThat(g.unit().faults().get(0).get("sbdf").asText()).isEqualTo("0000:00:03.0");
              assertThat(g.unit().load(A + 0xff8)).isZero();
            }),
        row(
            "what an emulated device remembers saves calls, until the guest has it forgotten",
            g -> {
              g.guest("");
              g.context(0x18, 1, ONE);
              g.onePage();
              remember(g, 64);
              String read = "{'op':'read','address':'0x1000','length':4}";
              assertThat(virtual(g, read).at("/parts/0/cache").asText()).isEqualTo("miss");
              assertThat(virtual(g, read).at("/parts/0/cache").asText()).isEqualTo("hit");
              assertThat(g.cost("translateCalls")).isEqualTo(1);
              g.map(ONE, IOVA, B, BOTH);
              g.forgetPage(1, IOVA);
              JsonNode again = virtual(g, read);
              assertThat(again.at("/parts/0/cache").asText()).isEqualTo("miss");
              assertThat(again.at("/parts/0/translatedAddr").asText()).isEqualTo("0x801000");
            }));
  }

  private static void remember(GuestTranslation g, int entries) {
    Answer set =
        g.daemon()
            .put(
                "/v1/domains/%d/virtual-devices/00:03.0".formatted(g.unit().guest()),
                quoted("{'iotlbEntries':%d}".formatted(entries)));
    assertThat(set.status()).isEqualTo(200);
  }

  private static JsonNode virtual(GuestTranslation g, String body) {
    Answer answer =
        g.daemon()
            .post(
                "/v1/domains/%d/virtual-devices/00:03.0/dma".formatted(g.unit().guest()),
                quoted(body));
    assertThat(answer.status()).as("%s", answer.body()).isEqualTo(200);
    return answer.body();
  }
}
