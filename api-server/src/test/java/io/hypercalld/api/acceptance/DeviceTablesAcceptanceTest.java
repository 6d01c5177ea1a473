package io.hypercalld.api.acceptance;

import static io.hypercalld.api.acceptance.NumberedBehaviours.row;
import static io.hypercalld.api.acceptance.PassthroughHost.NIC;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.hypercalld.api.scenario.DaemonUnderTest.Answer;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/** The first document's scenarios 1 to 11: a table of their own for devices, or the P2M. */
final class DeviceTablesAcceptanceTest implements NumberedBehaviours<PassthroughHost> {
  private static final String SMALL = "'4KiB'";
  private static final String MEDIUM = "'4KiB','2MiB'";
  private static final String COARSE = ",'p2mPageSize':'16KiB'";
  private static final long ADDRESS = 0x1234_0000L;

  @Override
  public PassthroughHost start() {
    return new PassthroughHost(XenHost.start());
  }

  @Override
  public void begin(PassthroughHost host) {
    host.begin();
  }

  @Override
  public Stream<Row<PassthroughHost>> rows() {
    return Stream.of(tables(), changes(), refusals()).flatMap(rows -> rows);
  }

  private static Stream<Row<PassthroughHost>> tables() {
    return Stream.of(
        row("1 a domU's NIC goes through three levels", h -> threeLevels(h, "pvh")),
        row("2 an HVM domain's goes the same way", h -> threeLevels(h, "hvm")),
        row(
            "3 a P2M of 16 KiB pages cannot be shared, one of 4 KiB costs nothing",
            h -> {
              String before = h.xen().digest();
              Answer refused =
                  h.tryDomain("'memory':'64MiB','pageTables':'shared','p2mPageSize':'16KiB'");
              assertThat(refused.at("/errno")).isEqualTo("EOPNOTSUPP");
              assertThat(refused.at("/detail")).contains("pages of 16384 bytes");
              assertThat(h.xen().digest()).isEqualTo(before);
              int guest = h.domain("'memory':'64MiB','pageTables':'shared'");
              h.assign(guest);
              assertThat(h.counters(guest).has("iommu")).isFalse();
              assertThat(h.reaches(0x3000)).isTrue();
            }));
  }

  private static void threeLevels(PassthroughHost h, String type) {
    int guest =
        h.domain(
            ("'type':'%s','memory':'4GiB','pageTables':'separate',"
                    + "'policies':{'dmaLeafSizes':['4KiB']}")
                .formatted(type));
    h.assign(guest);
    String wanted = h.maddrOf(guest, ADDRESS >> 12);

    JsonNode answer = h.explain(ADDRESS);

    assertThat(answer.get("verdict").asText()).isEqualTo("maps to " + wanted);
    List<String> tables = new ArrayList<>();
    answer
        .get("steps")
        .forEach(step -> tables.add(step.get("table").asText() + step.get("level").asText("")));
    assertThat(String.join(" ", tables))
        .endsWith("root context iotlb second-level3 second-level2 second-level1");
    assertThat(answer.at("/steps").get(answer.get("steps").size() - 1).get("verdict").asText())
        .isEqualTo("leaf");
    h.resetCounters();
    JsonNode first = h.read(ADDRESS).get("segments").get(0);
    assertThat(first.get("cache").asText()).isEqualTo("miss");
    assertThat(first.get("maddr").asText()).isEqualTo(wanted);
    assertThat(h.lookups()).isEqualTo("0 hits, 1 misses");
    assertThat(h.read(ADDRESS).get("segments").get(0).get("cache").asText()).isEqualTo("hit");
    assertThat(h.lookups()).isEqualTo("1 hits, 1 misses");
  }

  private static Stream<Row<PassthroughHost>> changes() {
    return Stream.of(
        row(
            "4 a page of 16 KiB is four leaves written, four cleared and one flush",
            h -> {
              int guest = h.separate("64MiB", SMALL, COARSE);
              h.xen().limit(guest, 32_768);
              h.assign(guest);
              h.populate(guest, "['0x4000']", 2);
              h.resetCounters();

              h.populate(guest, "['0x4004']", 2);

              assertThat(h.counter(guest, "/iommu/entryWrites")).isEqualTo(4);
              assertThat(reached(h, 0x4004, 4)).isEqualTo(4);
              h.resetCounters();
              h.decrease(guest, "0x4004", 2);
              assertThat(h.counter(guest, "/iommu/entryWrites")).isEqualTo(4);
              assertThat(h.flushes()).isEqualTo(1);
              // They were remembered, and the frames are free already.
              assertThat(reached(h, 0x4004, 4)).isZero();
              h.xen().assertConsistent();
            }),
        row(
            "5 a leaf of 2 MiB is split once, and 508 of its 512 parts stay",
            h -> {
              int guest = h.separate("2MiB", MEDIUM, COARSE);
              h.assign(guest);
              assertThat(h.counter(guest, "/iommu/tables")).isEqualTo(2);
              assertThat(h.read(0).get("segments").get(0).get("page").asLong()).isEqualTo(2L << 20);
              h.resetCounters();

              h.decrease(guest, "0x40", 2);

              assertThat(h.counter(guest, "/iommu/splits")).isEqualTo(1);
              assertThat(h.counter(guest, "/iommu/entryWrites")).isEqualTo(512 + 4);
              assertThat(reached(h, 0, 512)).isEqualTo(508);
              assertThat(reached(h, 0x40, 4)).isZero();
            }),
        row(
            "6 a foreign page is the processor's alone, as shipped, and the device's, too, fixed",
            h -> {
              assertThat(foreignPageIsReached(h, "as-shipped")).isFalse();
              assertThat(h.violations())
                  .contains(NIC)
                  .contains("cannot reach guest frame 0x9000")
                  .contains("hook foreign-map is off");
              h.begin();
              assertThat(foreignPageIsReached(h, "fixed")).isTrue();
              h.xen().assertConsistent();
            }),
        row(
            "7 a frame exchanged under a device, as shipped, is still the device's",
            h -> {
              String old = exchanged(h, "as-shipped");
              assertThat(h.reaches(Long.decode(old) << 12)).isTrue();
              assertThat(h.violations())
                  .contains(NIC + " of d1 reach frame " + old + " (free)")
                  .contains("hook exchange is off");
              h.begin();
              old = exchanged(h, "fixed");
              assertThat(h.reaches(Long.decode(old) << 12)).isFalse();
              h.xen().assertConsistent();
            }));
  }

  /** How many pages from a first one on the NIC reaches. */
  private static long reached(PassthroughHost h, long first, long count) {
    return LongStream.range(first, first + count).filter(page -> h.reaches(page << 12)).count();
  }

  private static boolean foreignPageIsReached(PassthroughHost h, String profile) {
    h.adopt(profile);
    int owner = h.domain("'memory':'8MiB'");
    int mapper = h.separate("8MiB", SMALL, "");
    h.assign(mapper);
    h.mapForeign(mapper, "0x9000", owner, "0x5");
    assertThat(h.guestReads(mapper, 0x9000)).isTrue();
    String end = h.read(0x9000_000).at("/segments/0/end").asText();
    assertThat(end).isIn("moved", "fault");
    return end.equals("moved");
  }

  /** The frame that a PV domain with the NIC gave away. */
  private static String exchanged(PassthroughHost h, String profile) {
    h.adopt(profile);
    int guest = pv(h, 64);
    List<String> frames = frames(h, guest, 8);
    h.assign(guest);
    h.exchange(guest, frames.get(3));
    return frames.get(3);
  }

  private static Stream<Row<PassthroughHost>> refusals() {
    return Stream.of(
        row(
            "9 without IOMMU, for PV without its leave, and twice over, it is refused as in 2008",
            h -> {
              h.adopt("as-shipped");
              h.xen().hvm(1, 1, 16);
              h.xen().create(2, 0, 0, 1);
              int guest = h.separate("8MiB", SMALL, "");
              String before = h.xen().digest();
              assertThat(h.tryAssign(1)).isEqualTo(-38);
              assertThat(h.tryAssign(2)).isEqualTo(-38);
              assertThat(h.tryAssign(77)).isEqualTo(-22);
              assertThat(h.xen().digest()).isEqualTo(before);
              h.assign(guest);
              before = h.xen().digest();
              assertThat(h.tryAssign(guest)).isEqualTo(-22);
              assertThat(h.xen().digest()).isEqualTo(before);
            }),
        row("10 of a PV domain the writable pages are mapped", h -> pvTable(h)),
        row(
            "10 where the table of the 600th page is not to be had, nothing is mapped",
            h -> lastTableMissing(h)),
        row(
            "11 who logs dirty pages or populates on demand gets no device",
            h -> {
              h.xen().create(1, 0x23, 0x3ff, 1);
              h.xen().limit(1, 1024);
              assertThat(h.xen().populate(1, "0x0", 0)).isEqualTo(1);
              h.xen().done("domctl", "shadow_op", "{'domain':1,'op':32,'mode':4}");
              String before = h.xen().digest();
              assertThat(h.tryAssign(1)).isEqualTo(-18);
              assertThat(h.xen().digest()).isEqualTo(before);
              h.xen().done("domctl", "shadow_op", "{'domain':1,'op':0}");
              h.assign(1);
              h.xen().create(2, 0x23, 0x3ff, 1);
              h.xen().limit(2, 1024);
              assertThat(
                      h.xen()
                          .ret(
                              "memory_op",
                              "populate_physmap",
                              "{'domid':2,'extent_start':['0x200'],'extent_order':9,"
                                  + "'mem_flags':'0x10000'}"))
                  .isEqualTo(1);
              h.release();
              before = h.xen().digest();
              assertThat(h.tryAssign(2)).isEqualTo(-18);
              assertThat(h.xen().digest()).isEqualTo(before);
            }));
  }

  private static void pvTable(PassthroughHost h) {
    int guest = pv(h, 1100);
    List<String> frames = frames(h, guest, 1024);
    frames.subList(0, 24).forEach(mfn -> pin(h, guest, mfn));

    h.assign(guest);

    long largerLeaves = h.counter(guest, "/iommu/coalesces");
    assertThat(h.counter(guest, "/iommu/entryWrites") - largerLeaves).isEqualTo(1000);
    assertThat(frames.subList(0, 24)).noneMatch(mfn -> h.reaches(Long.decode(mfn) << 12));
    assertThat(frames.subList(24, 1024)).allMatch(mfn -> h.reaches(Long.decode(mfn) << 12));
    h.xen().assertConsistent();
  }

  /** 1,000 pages, of which the first 599 and the others are in different tables. */
  private static void lastTableMissing(PassthroughHost h) {
    int guest = pv(h, 1536);
    List<Long> blocks =
        frames(h, guest, 3, 9).stream().map(Long::decode).sorted(Long::compare).toList();
    int kept = 599 - 512;
    giveBack(h, guest, blocks.get(1) + kept, 512 - kept);
    giveBack(h, guest, blocks.get(2) + 401, 512 - 401);
    h.assign(guest);
    long tables = h.counter(guest, "/iommu/tables");
    h.releaseToDom0();

    leaveFrames(h, guest + 1, tables - 1);
    String before = h.xen().digest();
    XenHost.Result refused =
        h.xen()
            .call(
                "domctl",
                "assign_device",
                "{'domain':%d,'machine_sbdf':'%s'}".formatted(guest, NIC));

    assertThat(refused.ret()).isEqualTo(-12);
    assertThat(refused.detail()).contains("0 frames are free, 1 DMA tables");
    assertThat(h.xen().digest()).isEqualTo(before);
    assertThat(h.counters(guest).has("iommu")).isFalse();
    assertThat(h.device().get("state").asText()).isEqualTo("dom0");
    giveBack(h, guest, blocks.get(2) + 400, 1);
    h.assign(guest);
    assertThat(h.reaches(blocks.get(2) << 12)).isTrue();
  }

  private static void giveBack(PassthroughHost h, int guest, long mfn, int count) {
    String list = "{'first':'0x%x','count':%d}".formatted(mfn, count);
    assertThat(
            h.xen()
                .ret(
                    "memory_op",
                    "decrease_reservation",
                    "{'domid':%d,'extent_start':%s}".formatted(guest, list)))
        .isEqualTo(count);
  }

  private static void pin(PassthroughHost h, int guest, String mfn) {
    h.xen().done("mmuext_op", "pin_l1_table", "{'domid':%d,'mfn':'%s'}".formatted(guest, mfn));
  }

  /** A PV domain that may have devices, without memory. */
  private static int pv(PassthroughHost h, int pages) {
    h.xen().create(1, 0x20, 0, 1);
    h.xen().limit(1, pages);
    return 1;
  }

  /** Populates a PV domain, and says with what. */
  private static List<String> frames(PassthroughHost h, int guest, int count) {
    return frames(h, guest, count, 0);
  }

  private static List<String> frames(PassthroughHost h, int guest, int count, int order) {
    JsonNode out = h.populate(guest, "{'first':'0x0','count':%d}".formatted(count), order);
    List<String> frames = new ArrayList<>();
    out.get("extent_start").forEach(mfn -> frames.add(mfn.asText()));
    assertThat(frames).hasSize(count);
    return frames;
  }

  /** Has a domain take all memory but so many frames. */
  private static void leaveFrames(PassthroughHost h, int id, long left) {
    h.xen().create(id, 0, 0, 1);
    h.xen().limit(id, 1L << 30);
    for (int order : new int[] {18, 9, 0}) {
      long extents = (h.machine().at("/frames/free").asLong() - left) >> order;
      h.populate(id, "{'first':'0x0','count':%d}".formatted(extents), order);
    }
    assertThat(h.machine().at("/frames/free").asLong()).isEqualTo(left);
  }
}
