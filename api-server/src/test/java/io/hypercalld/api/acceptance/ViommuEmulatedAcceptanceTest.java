package io.hypercalld.api.acceptance;

import static io.hypercalld.api.acceptance.GuestTranslation.BOTH;
import static io.hypercalld.api.acceptance.GuestTranslation.ONE;
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
              virtual(g, "{'op':'write','address':'0x1000','data':'77'}");
              assertThat(g.unit().load(A)).isEqualTo(0x77);
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
              Answer set =
                  g.daemon()
                      .put(
                          "/v1/domains/%d/virtual-devices/00:03.0".formatted(g.unit().guest()),
                          "{\"iotlbEntries\":64}");
              assertThat(set.status()).isEqualTo(200);
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
