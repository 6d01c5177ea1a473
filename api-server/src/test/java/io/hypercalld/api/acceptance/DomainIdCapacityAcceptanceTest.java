package io.hypercalld.api.acceptance;

import static io.hypercalld.api.acceptance.AssignmentHost.EBUSY;
import static io.hypercalld.api.acceptance.NumberedBehaviours.row;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.hypercalld.api.platform.EmbeddedPlatforms;
import io.hypercalld.api.platform.PlatformSource;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** What many guests with a virtual function each run into, on four units of 256 ids. */
final class DomainIdCapacityAcceptanceTest implements AssignmentBehaviours {
  @Override
  public AssignmentHost start() {
    return AssignmentHost.on("four-nics");
  }

  @Override
  public Stream<Row<AssignmentHost>> rows() {
    return Stream.of(
        row(
            "B147 with scratch pages 127 guests fit behind 256 ids, without them 255",
            h -> {
              h.policies("'quarantine':'scratch-page'");
              List<String> functions = virtualFunctions(h);
              giveEach(h, functions.subList(0, 127));
              assertThat(h.ids(0)).hasSize(255);
              int last = h.guest("16KiB");
              h.refuses(EBUSY, () -> h.assign(last, functions.get(127)));
              try (AssignmentHost basic = AssignmentHost.on("two-socket")) {
                List<String> many = virtualFunctions(basic);
                giveEach(basic, many.subList(0, 255));
                int oneMore = basic.guest("16KiB");
                basic.refuses(EBUSY, () -> basic.assign(oneMore, many.get(255)));
              }
            }),
        row(
            "B149 whatever the order of free and claim, a new owner is not struck out any more",
            h -> {
              JsonNode races =
                  h.daemon().post("/v1/experiments/domain-ids", "{}").body().get("races");
              assertThat(races.at("/0/profile").asText()).isEqualTo("as-shipped");
              assertThat(races.at("/0/lost").asInt()).isPositive();
              assertThat(races.at("/1/profile").asText()).isEqualTo("fixed");
              assertThat(races.at("/1/lost").asInt()).isZero();
            }),
        row(
            "B171 128 functions in steps of one fill a bus, in steps of two another",
            h -> {
              List<String> close = virtualFunctions(h).subList(0, 128);
              assertThat(close.getFirst()).isEqualTo("0000:10:10.0");
              assertThat(close.getLast()).isEqualTo("0000:10:1f.7");
              assertThat(hasContexts(h, 0x10)).isTrue();
              assertThat(hasContexts(h, 0x11)).isFalse();
              try (AssignmentHost apart = variant("four-nics", "stride: 1", "stride: 2")) {
                List<String> far = virtualFunctions(apart).subList(0, 128);
                assertThat(far.getFirst()).isEqualTo("0000:10:10.0");
                assertThat(far.getLast()).isEqualTo("0000:11:0f.6");
                int guest = apart.guest();
                apart.given(guest, far.getLast());
                assertThat(apart.outcome(far.getLast(), 0)).isEqualTo("done");
                assertThat(apart.did(far.getLast())).isEqualTo(1);
                assertThat(hasContexts(apart, 0x10)).isTrue();
                assertThat(hasContexts(apart, 0x11)).isTrue();
                assertThat(hasContexts(apart, 0x12)).isFalse();
              }
            }));
  }

  /** Whether a bus has a context table on the first unit. */
  private static boolean hasContexts(AssignmentHost h, int bus) {
    long root = Long.decode(h.daemon().get("/v1/iommus/0").at("/rootTable"));
    String entry =
        h.daemon().get("/v1/memory?maddr=0x%x&length=1".formatted(root + 16L * bus)).at("/data");
    return (Integer.parseInt(entry, 16) & 1) != 0;
  }

  /** An embedded platform with something else in its description, wherever it is there. */
  static AssignmentHost variant(String platform, String from, String to) throws IOException {
    String text = EmbeddedPlatforms.find(platform).orElseThrow();
    assertThat(text).contains(from);
    Path file = Files.createTempFile("variant", ".yaml");
    try {
      Files.writeString(file, text.replace(from, to));
      return AssignmentHost.on(PlatformSource.named(file.toString()));
    } finally {
      Files.delete(file);
    }
  }

  static List<String> virtualFunctions(AssignmentHost h) {
    List<String> functions = new ArrayList<>();
    for (JsonNode device : h.items("/v1/devices?limit=10000")) {
      if (!device.get("physicalFunction").isNull()) {
        functions.add(device.get("sbdf").asText());
      }
    }
    return functions;
  }

  static void giveEach(AssignmentHost h, List<String> functions) {
    functions.forEach(function -> h.given(h.guest("16KiB"), function));
  }
}
