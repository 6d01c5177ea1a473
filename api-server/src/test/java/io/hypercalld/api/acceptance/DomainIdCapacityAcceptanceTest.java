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
final class DomainIdCapacityAcceptanceTest implements NumberedBehaviours<AssignmentHost> {
  private static final int DOM0_AND_RESERVED = 2;
  private static final int IDS = 256;

  @Override
  public AssignmentHost start() {
    return AssignmentHost.on("four-nics");
  }

  @Override
  public void begin(AssignmentHost host) {
    host.reset();
  }

  @Override
  public Stream<Row<AssignmentHost>> rows() {
    return Stream.of(
        row(
            "1 for the platform there are 254 ids, and the 255th guest is refused",
            h -> {
              h.policies("'domainIds':'global'");
              List<String> functions = virtualFunctions(h);
              int most = IDS - DOM0_AND_RESERVED;
              giveEach(h, functions.subList(0, most));
              int last = h.guest("16KiB");
              h.refuses(EBUSY, () -> h.assign(last, functions.get(most)));
              assertThat(h.violations()).isEmpty();
            }),
        row(
            "1 as it was shipped the 255th overflows, and its DMA faults",
            h -> {
              h.policies("'domainIds':'global','profile':'as-shipped'");
              List<String> functions = virtualFunctions(h);
              int most = IDS - DOM0_AND_RESERVED;
              giveEach(h, functions.subList(0, most + 1));
              assertThat(h.did(functions.get(most))).isEqualTo(IDS);
              assertThat(h.outcome(functions.get(most - 1), 0)).isEqualTo("done");
              assertThat(h.outcome(functions.get(most), 0)).isEqualTo("0xb");
              assertThat(h.violations())
                  .singleElement()
                  .asString()
                  .startsWith("I3")
                  .contains("has domain-id 256, but iommu 1 tells only 256 apart");
            }),
        row(
            "1 per unit all 512 get theirs",
            h -> {
              giveEach(h, virtualFunctions(h));
              assertThat(h.violations()).isEmpty();
            }),
        row(
            "B147 with scratch pages 127 guests fit behind 256 ids, and the 128th is EBUSY",
            h -> {
              h.policies("'quarantine':'scratch-page'");
              List<String> functions = virtualFunctions(h);
              giveEach(h, functions.subList(0, 127));
              assertThat(h.ids(0)).hasSize(255);
              int last = h.guest("16KiB");
              h.refuses(EBUSY, () -> h.assign(last, functions.get(127)));
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
              try (AssignmentHost apart = variant("stride: 1", "stride: 2")) {
                List<String> far = virtualFunctions(apart).subList(0, 128);
                assertThat(far.getFirst()).isEqualTo("0000:10:10.0");
                assertThat(far.getLast()).isEqualTo("0000:11:0f.6");
                int guest = apart.guest();
                apart.given(guest, far.getLast());
                assertThat(apart.outcome(far.getLast(), 0)).isEqualTo("done");
                assertThat(apart.did(far.getLast())).isEqualTo(1);
              }
            }),
        row(
            "13 one space sized by the first unit overflows a smaller one",
            h -> {
              try (AssignmentHost mixed =
                  variant(
                      "base: 0xfed91000\n    cap: 0x00d2078c106f0602",
                      "base: 0xfed91000\n    cap: 0x00d2078c106f0600")) {
                mixed.policies("'domainIds':'global','profile':'as-shipped'");
                List<String> functions = virtualFunctions(mixed);
                giveEach(mixed, functions.subList(0, 16));
                String last = functions.get(128);
                giveEach(mixed, List.of(last));
                assertThat(mixed.did(last)).isEqualTo(18);
                assertThat(mixed.outcome(last, 0)).isEqualTo("0xb");
                assertThat(mixed.violations())
                    .anyMatch(text -> text.contains("domain-id 18, but iommu 1 tells only 16"));
                mixed.reset();
                giveEach(mixed, List.of(last));
                assertThat(mixed.did(last)).isEqualTo(1);
                assertThat(mixed.violations()).isEmpty();
              }
            }),
        row(
            "7 a page that is unmapped is flushed on the two units that know the domain",
            h -> {
              int guest = h.guest();
              h.given(h.guest(), "0000:20:10.0");
              h.given(guest, "0000:10:10.0");
              h.given(guest, "0000:20:10.1");
              h.resetCounters();
              assertThat(h.xen().decrease(guest, "0x5")).isEqualTo(1);
              List<Long> flushes = new ArrayList<>();
              for (int unit = 0; unit < 4; unit++) {
                flushes.add(h.flushes(unit, "page") + h.flushes(unit, "domain"));
              }
              assertThat(flushes).containsExactly(1L, 1L, 0L, 0L);
              assertThat(lastFlushedId(h, 0)).isEqualTo(h.idOf(0, guest)).isEqualTo(1);
              assertThat(lastFlushedId(h, 1)).isEqualTo(h.idOf(1, guest)).isEqualTo(2);
            }));
  }

  /** The same platform with something else in its description. */
  private static AssignmentHost variant(String from, String to) throws IOException {
    String text = EmbeddedPlatforms.find("four-nics").orElseThrow();
    assertThat(text).contains(from);
    Path file = Files.createTempFile("variant", ".yaml");
    try {
      Files.writeString(file, text.replace(from, to));
      return AssignmentHost.on(PlatformSource.named(file.toString()));
    } finally {
      Files.delete(file);
    }
  }

  /** The domain-id of the last IOTLB descriptor that a unit was given. */
  private static int lastFlushedId(AssignmentHost h, int unit) {
    JsonNode queue = h.daemon().get("/v1/iommus/" + unit + "/invalidation-queue").body();
    int tail = queue.get("tail").asInt();
    int size = queue.get("size").asInt();
    for (int back = 1; back <= size; back++) {
      int index = Math.floorMod(tail - back, size);
      for (JsonNode descriptor : queue.get("descriptors")) {
        boolean iotlb = (Long.decode(descriptor.get("lo").asText()) & 0xf) == 2;
        if (descriptor.get("index").asInt() == index && iotlb) {
          return (int) (Long.decode(descriptor.get("lo").asText()) >> 16 & 0xffff);
        }
      }
    }
    return -1;
  }

  private static List<String> virtualFunctions(AssignmentHost h) {
    List<String> functions = new ArrayList<>();
    for (JsonNode device : h.items("/v1/devices?limit=10000")) {
      if (!device.get("physicalFunction").isNull()) {
        functions.add(device.get("sbdf").asText());
      }
    }
    return functions;
  }

  private static void giveEach(AssignmentHost h, List<String> functions) {
    functions.forEach(function -> h.given(h.guest("16KiB"), function));
  }
}
