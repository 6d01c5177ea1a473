package io.hypercalld.api.acceptance;

import static io.hypercalld.api.acceptance.AssignmentHost.EBUSY;
import static io.hypercalld.api.acceptance.NumberedBehaviours.row;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
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
