package io.hypercalld.api.acceptance;

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
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * B175 to B179: what units are told of changes in a table of a domain's devices, and the policies
 * that say when.
 */
final class MappingAcceptanceTest implements AssignmentBehaviours {
  private static final String VF = "0000:10:10.0";

  /** A range for frames of no RAM, which are next to each other as RAM need not be. */
  private static final long FIRST_MFN = 0xf_0000;

  private static final int PAGES_OF_2M = 512;

  @Override
  public AssignmentHost start() {
    return AssignmentHost.on("four-nics");
  }

  @Override
  public Stream<Row<AssignmentHost>> rows() {
    return Stream.of(leaves(), choices(), policies()).flatMap(rows -> rows);
  }

  private static Stream<Row<AssignmentHost>> leaves() {
    return Stream.of(
        row(
            "B175 a hole in a 2 MiB leaf splits it, and one page-selective flush of one page does",
            h -> {
              int guest = guest(h, "");
              assertThat(h.xen().populate(guest, "0x400", 9)).isEqualTo(1);
              List<String> whole = leaves(h, 0x400);
              assertThat(whole).hasSize(1);
              assertThat(whole.getFirst()).startsWith(" dfn: 00000400 ");
              assertThat(h.outcome(VF, 0x40_3000)).isEqualTo("done");
              String kept = h.maddr(VF, 0x40_4000);
              long mfn = Long.decode(kept) >> 12;
              h.resetCounters();

              assertThat(h.xen().decrease(guest, "0x403")).isEqualTo(1);

              List<String> split = leaves(h, 0x400);
              assertThat(split).hasSize(PAGES_OF_2M - 1);
              assertThat(split)
                  .allSatisfy(line -> assertThat(line).startsWith("  dfn: "))
                  .noneMatch(line -> line.contains("dfn: 00000403"))
                  .anyMatch(line -> line.contains("dfn: 00000404 mfn: %08x".formatted(mfn)));
              assertThat(counter(h, guest, "/iommu/splits")).isEqualTo(1);
              assertThat(flushes(h, guest)).containsExactly(1L, 0L);
              assertThat(lastFlush(h)).isEqualTo(new Flush(3, 0x40_3000, 0));
              assertThat(h.outcome(VF, 0x40_3000)).isEqualTo("0x5");
              assertThat(h.maddr(VF, 0x40_4000)).isEqualTo(kept);
            }),
        row(
            "B176 512 single pages become a 2 MiB leaf, and the table is free after the flush",
            h -> {
              int guest = guest(h, "");
              permitDeviceFrames(h, guest);
              map(h, guest, 0x6000, 0, PAGES_OF_2M - 1);
              assertThat(leaves(h, 0x6000)).hasSize(PAGES_OF_2M - 1);
              long tables = counter(h, guest, "/iommu/tables");
              long free = freeFrames(h);
              h.resetCounters();

              map(h, guest, 0x6000, PAGES_OF_2M - 1, 1);

              assertThat(leaves(h, 0x6000)).hasSize(1);
              assertThat(counter(h, guest, "/iommu/coalesces")).isEqualTo(1);
              assertThat(flushes(h, guest)).containsExactly(0L, 1L);
              assertThat(lastFlush(h).granularity()).isEqualTo(2);
              assertThat(counter(h, guest, "/iommu/tables")).isEqualTo(tables - 1);
              assertThat(freeFrames(h)).isEqualTo(free + 1);
            }),
        row(
            "- the table of a leaf that became larger is not reused before the flush",
            h -> {
              int guest = guest(h, ",'flush':'deferred'");
              permitDeviceFrames(h, guest);
              map(h, guest, 0x6000, 0, PAGES_OF_2M - 1);
              long free = freeFrames(h);

              map(h, guest, 0x6000, PAGES_OF_2M - 1, 1);
              assertThat(freeFrames(h)).isEqualTo(free);
              settle(h);

              assertThat(freeFrames(h)).isEqualTo(free + 1);
            }));
  }

  private static Stream<Row<AssignmentHost>> choices() {
    return Stream.of(
        row(
            "B177 three pages from frame 5 on are flushed by the domain",
            h -> {
              int guest = guest(h, ",'flush':'per-call'");
              h.resetCounters();

              assertThat(h.xen().decrease(guest, "0x5", "0x6", "0x7")).isEqualTo(3);

              assertThat(flushes(h, guest)).containsExactly(0L, 1L);
              assertThat(lastFlush(h).granularity()).isEqualTo(2);
            }),
        row(
            "B178 new pages need no command where absence is not cached",
            h -> {
              int guest = guest(h, "");
              assertThat(h.outcome(VF, 0x40_0000)).isEqualTo("0x5");
              h.resetCounters();
              JsonNode before = queue(h);

              for (int page = 0; page < 16; page++) {
                String gfn = "0x" + Integer.toHexString(0x400 + page);
                assertThat(h.xen().populate(guest, gfn, 0)).isEqualTo(1);
              }

              assertThat(queue(h)).isEqualTo(before);
              for (String kind : List.of("global", "domain", "page", "context", "device")) {
                assertThat(h.flushes(0, kind)).as(kind).isZero();
              }
              assertThat(h.outcome(VF, 0x40_0000)).isEqualTo("done");
            }),
        row(
            "B179 2^20 pages are flushed by the domain, where a command names 2^9 at most",
            h -> {
              try (AssignmentHost poor = withMaximumMask9()) {
                int guest = guest(poor, ",'flush':'per-call','dmaLeafSizes':['4KiB','2MiB']");
                poor.xen().limit(guest, (1 << 20) + 1024);
                poor.xen()
                    .done(
                        "domctl",
                        "set_paging_mempool_size",
                        "{'domain':%d,'size':'0x2000000'}".formatted(guest));
                assertThat(extents(poor, guest, "populate_physmap")).isEqualTo(2048);
                assertThat(poor.xen().populate(guest, "0x400", 9)).isEqualTo(1);
                poor.resetCounters();

                assertThat(extents(poor, guest, "decrease_reservation")).isEqualTo(2048);

                assertThat(flushes(poor, guest)).containsExactly(0L, 1L);
                assertThat(lastFlush(poor).granularity()).isEqualTo(2);
                assertThat(decrease2M(poor, guest)).isEqualTo(1);
                assertThat(flushes(poor, guest)).containsExactly(1L, 1L);
                assertThat(lastFlush(poor)).isEqualTo(new Flush(3, 0x40_0000, 9));
              }
            }));
  }

  private static Stream<Row<AssignmentHost>> policies() {
    String[] gfns = {"0x10", "0x12", "0x14", "0x16"};
    return Stream.of(
        row(
            "- each page by itself costs a command each, all of a call one",
            h -> {
              int guest = guest(h, "");
              h.resetCounters();
              assertThat(h.xen().decrease(guest, "0x10", "0x11", "0x12", "0x13")).isEqualTo(4);
              assertThat(flushes(h, guest)).containsExactly(4L, 0L);
              assertThat(lastFlush(h)).isEqualTo(new Flush(3, 0x1_3000, 0));
              choose(h, guest, "per-call");
              h.resetCounters();

              assertThat(h.xen().decrease(guest, "0x14", "0x15", "0x16", "0x17")).isEqualTo(4);

              assertThat(flushes(h, guest)).containsExactly(1L, 0L);
              assertThat(lastFlush(h)).isEqualTo(new Flush(3, 0x1_4000, 2));
            }),
        row(
            "- put off, a device reaches what is not the domain's any more, until time has passed",
            h -> {
              int guest = guest(h, ",'flush':'deferred'");
              h.outcome(VF, 0x1_0000);
              settle(h);
              h.resetCounters();

              assertThat(h.xen().decrease(guest, gfns)).isEqualTo(4);

              assertThat(counter(h, guest, "/flushes/waiting")).isEqualTo(4);
              assertThat(flushes(h, guest)).containsExactly(0L, 0L);
              assertThat(h.outcome(VF, 0x1_0000)).isEqualTo("done");
              assertThat(h.violations()).anyMatch(text -> text.startsWith("I6"));
              h.daemon().post("/_sim/clock", "{\"advanceNanos\":9999999}");
              assertThat(h.outcome(VF, 0x1_0000)).isEqualTo("done");
              h.daemon().post("/_sim/clock", "{\"advanceNanos\":1}");
              assertThat(h.outcome(VF, 0x1_0000)).isEqualTo("0x5");
              assertThat(counter(h, guest, "/flushes/waiting")).isZero();
              assertThat(counter(h, guest, "/flushes/changes")).isEqualTo(4);
              assertThat(flushes(h, guest)).containsExactly(0L, 1L);
            }),
        row(
            "- put off, 256 changes are as many as wait",
            h -> {
              int guest = guest(h, ",'flush':'deferred'");
              assertThat(h.xen().populate(guest, "0x400", 9)).isEqualTo(1);
              settle(h);
              h.resetCounters();
              String[] pages =
                  IntStream.range(0, 255)
                      .mapToObj(page -> "0x" + Integer.toHexString(0x400 + 2 * page))
                      .toArray(String[]::new);
              assertThat(h.xen().decrease(guest, pages)).isEqualTo(255);
              assertThat(counter(h, guest, "/flushes/waiting")).isEqualTo(255);

              assertThat(h.xen().decrease(guest, "0x5fe")).isEqualTo(1);

              assertThat(counter(h, guest, "/flushes/waiting")).isZero();
              assertThat(flushes(h, guest)).containsExactly(0L, 1L);
            }),
        row(
            "- the machine's policy is that of domains that are made from then on",
            h -> {
              h.policies("'flush':'per-call'");
              int guest = guest(h, "");
              assertThat(h.daemon().get("/v1/domains/" + guest).at("/policies/flush"))
                  .isEqualTo("per-call");
              h.policies("'flush':'per-page'");
              assertThat(h.daemon().get("/v1/domains/" + guest).at("/policies/flush"))
                  .isEqualTo("per-call");
            }));
  }

  /** A guest of 2 MiB with a table of its own and a function. */
  private static int guest(AssignmentHost h, String morePolicies) {
    var created =
        h.daemon()
            .post(
                "/v1/domains",
                ("{'type':'hvm','memory':'2MiB','policies':{'pageTables':'separate'"
                        + morePolicies
                        + "}}")
                    .replace('\'', '"'));
    assertThat(created.status()).as("%s", created.body()).isEqualTo(201);
    int guest = created.body().get("domid").asInt();
    h.xen().limit(guest, 4096);
    h.given(guest, VF);
    return guest;
  }

  /** What was put off is done. */
  private static void settle(AssignmentHost h) {
    h.daemon().post("/_sim/clock", "{\"advanceNanos\":10000000}");
  }

  private static void choose(AssignmentHost h, int guest, String policy) {
    h.daemon().patch("/v1/domains/" + guest, "{\"policies\":{\"flush\":\"%s\"}}".formatted(policy));
  }

  private static void permitDeviceFrames(AssignmentHost h, int guest) {
    h.xen()
        .done(
            "domctl",
            "iomem_permission",
            "{'domain':%d,'first_mfn':'0x%x','nr_mfns':1024,'allow_access':1}"
                .formatted(guest, FIRST_MFN));
  }

  /** Maps frames of a device one by one. */
  private static void map(AssignmentHost h, int guest, long gfn, int first, int count) {
    for (int page = first; page < first + count; page++) {
      assertThat(
              h.xen()
                  .ret(
                      "domctl",
                      "memory_mapping",
                      ("{'domain':%d,'first_gfn':'0x%x','first_mfn':'0x%x','nr_mfns':1,"
                              + "'add_mapping':1}")
                          .formatted(guest, gfn + page, FIRST_MFN + page)))
          .isZero();
    }
  }

  /** 2,048 extents of 2 MiB from 4 GiB on. */
  private static long extents(AssignmentHost h, int guest, String op) {
    String gfns =
        IntStream.range(0, 2048)
            .mapToObj(extent -> "'0x%x'".formatted(0x10_0000 + extent * PAGES_OF_2M))
            .collect(Collectors.joining(","));
    return h.xen()
        .ret(
            "memory_op",
            op,
            "{'domid':%d,'extent_order':9,'extent_start':[%s]}".formatted(guest, gfns));
  }

  private static long decrease2M(AssignmentHost h, int guest) {
    return h.xen()
        .ret(
            "memory_op",
            "decrease_reservation",
            "{'domid':%d,'extent_order':9,'extent_start':['0x400']}".formatted(guest));
  }

  /** The leaves of 2 MiB from a frame on, as key o prints them. */
  private static List<String> leaves(AssignmentHost h, long first) {
    List<String> leaves = new ArrayList<>();
    for (JsonNode line : h.daemon().post("/v1/debug-keys/o", "").body().get("lines")) {
      String text = line.asText();
      int at = text.indexOf("dfn: ");
      if (at >= 0) {
        long dfn = Long.parseLong(text.substring(at + 5, at + 13), 16);
        if (dfn >= first && dfn < first + PAGES_OF_2M) {
          leaves.add(text);
        }
      }
    }
    return leaves;
  }

  private static long counter(AssignmentHost h, int guest, String pointer) {
    return h.daemon().get("/v1/domains/" + guest + "/counters").body().at(pointer).asLong();
  }

  /** Page-selective and domain-selective commands on the guest's behalf. */
  private static List<Long> flushes(AssignmentHost h, int guest) {
    return List.of(counter(h, guest, "/flushes/page"), counter(h, guest, "/flushes/domain"));
  }

  private static long freeFrames(AssignmentHost h) {
    return h.daemon().get("/v1/machine").body().at("/frames/free").asLong();
  }

  private static JsonNode queue(AssignmentHost h) {
    return h.daemon().get("/v1/iommus/0/invalidation-queue").body();
  }

  /** An IOTLB descriptor: by domain 2, by pages 3. */
  private record Flush(int granularity, long address, int addressMask) {}

  private static Flush lastFlush(AssignmentHost h) {
    JsonNode queue = queue(h);
    int size = queue.get("size").asInt();
    for (int back = 1; back <= size; back++) {
      int index = Math.floorMod(queue.get("tail").asInt() - back, size);
      for (JsonNode descriptor : queue.get("descriptors")) {
        long lo = Long.parseUnsignedLong(descriptor.get("lo").asText().substring(2), 16);
        if (descriptor.get("index").asInt() == index && (lo & 0xf) == 2) {
          long hi = Long.parseUnsignedLong(descriptor.get("hi").asText().substring(2), 16);
          return new Flush((int) (lo >> 4 & 3), hi & ~0xfffL, (int) (hi & 0x3f));
        }
      }
    }
    throw new AssertionError("no IOTLB descriptor in " + queue);
  }

  private static AssignmentHost withMaximumMask9() throws IOException {
    String text = EmbeddedPlatforms.find("four-nics").orElseThrow();
    assertThat(text).contains("0x00d2078c106f0602");
    Path file = Files.createTempFile("mask9", ".yaml");
    try {
      Files.writeString(file, text.replace("0x00d2078c106f0602", "0x00c90784106f0602"));
      return AssignmentHost.on(PlatformSource.named(file.toString()));
    } finally {
      Files.delete(file);
    }
  }
}
