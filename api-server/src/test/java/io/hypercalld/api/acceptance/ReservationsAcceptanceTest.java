package io.hypercalld.api.acceptance;

import static io.hypercalld.api.acceptance.NumberedBehaviours.row;
import static io.hypercalld.api.acceptance.XenHost.D;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** Xen's numbered behaviours 1 to 19: reservations, and pages that are added, moved and removed. */
final class ReservationsAcceptanceTest implements XenBehaviours {
  private static final int SELF = 0x7ff0;

  @Override
  public Stream<Row<XenHost>> rows() {
    return Stream.of(
        row("1 a fresh domain has nothing and may have nothing", ReservationsAcceptanceTest::fresh),
        row("2 the highest guest frame never falls", ReservationsAcceptanceTest::highest),
        row("3 a leaf of 2 MiB needs an aligned guest frame", ReservationsAcceptanceTest::leaves),
        row("4 a split leaf is never put together", ReservationsAcceptanceTest::split),
        row("5 the limit stops a list half-way", ReservationsAcceptanceTest::limit),
        row("6 wrong arguments populate nothing", ReservationsAcceptanceTest::wrong),
        row("7 populating over RAM makes an orphan", ReservationsAcceptanceTest::orphan),
        row("8 orders that callers may ask for", ReservationsAcceptanceTest::orders),
        row("9 what cannot be mapped stays charged", ReservationsAcceptanceTest::leak),
        row("10 a hole ends decrease_reservation", ReservationsAcceptanceTest::decrease),
        row("11 remove_from_physmap frees nothing", ReservationsAcceptanceTest::remove),
        row("12 gmfn moves a page", ReservationsAcceptanceTest::move),
        row("13 gmfn frees what was there", ReservationsAcceptanceTest::moveOver),
        row("14 gmfn to the same place changes nothing", ReservationsAcceptanceTest::moveNowhere),
        row("15 sources and targets that are refused", ReservationsAcceptanceTest::refused),
        row("16 spaces of one call and of the other", ReservationsAcceptanceTest::spaces),
        row("17 a batch goes on after an error", ReservationsAcceptanceTest::batch),
        row("18 a batch ends at no guest frame", ReservationsAcceptanceTest::batchEnds),
        row("19 overlapping ranges", ReservationsAcceptanceTest::range));
  }

  private static void fresh(XenHost host) {
    host.create(2, 0x3, 0x3ff, 2);

    assertThat(host.maximumGpfn(2)).isEqualTo("0x0");
    assertThat(memType(host, 2, "0x0")).isEqualTo(2);
    assertThat(memType(host, 2, "0x1234")).isEqualTo(2);
    assertThat(host.ret("memory_op", "current_reservation", "{'domid':2}")).isZero();
    assertThat(host.ret("memory_op", "maximum_reservation", "{'domid':2}")).isZero();
    assertThat(host.populate(2, "0x0", 0)).isZero();
  }

  private static void highest(XenHost host) {
    assertThat(host.populate(D, "0x1000", 0)).isEqualTo(1);
    assertThat(host.maximumGpfn(D)).isEqualTo("0x1000");
    assertThat(host.decrease(D, "0x1000")).isEqualTo(1);
    assertThat(memType(host, D, "0x1000")).isEqualTo(2);
    assertThat(host.maximumGpfn(D)).isEqualTo("0x1000");
    assertThat(host.pages(D)).isEqualTo(512);
  }

  private static void leaves(XenHost host) {
    host.limit(D, 1536);
    assertThat(host.populate(D, "0x600", 9)).isEqualTo(1);
    assertThat(order(host, "0x600")).isEqualTo(9);
    assertThat(order(host, "0x7ff")).isEqualTo(9);

    assertThat(host.populate(D, "0xa01", 9)).isEqualTo(1);
    long first = number(host.lookup(D, "0xa01").get("mfn"));
    assertThat(first % 512).isZero();
    assertThat(order(host, "0xa01")).isZero();
    assertThat(order(host, "0xc00")).isZero();
    assertThat(number(host.lookup(D, "0xc00").get("mfn"))).isEqualTo(first + 511);
  }

  private static void split(XenHost host) {
    long used = poolUsed(host);
    assertThat(setMemType(host, "0x5", 1)).isZero();
    assertThat(host.type(D, "0x5")).isEqualTo("ram_ro");
    assertThat(host.type(D, "0x4")).isEqualTo("ram_rw");
    assertThat(order(host, "0x4")).isZero();
    assertThat(order(host, "0x1ff")).isZero();

    assertThat(setMemType(host, "0x5", 0)).isZero();
    assertThat(host.type(D, "0x5")).isEqualTo("ram_rw");
    assertThat(order(host, "0x5")).isZero();
    assertThat(poolUsed(host)).isEqualTo(used + 1);
  }

  private static void limit(XenHost host) {
    host.limit(D, 514);
    assertThat(populate(host, D, "'extent_start':['0x1000','0x1001','0x1002']", 0)).isEqualTo(2);
    assertThat(host.pages(D)).isEqualTo(514);
    assertThat(host.type(D, "0x1001")).isEqualTo("ram_rw");
    assertThat(host.type(D, "0x1002")).isEqualTo("mmio_dm");
  }

  private static void wrong(XenHost host) {
    String digest = host.digest();
    assertThat(populate(host, 77, "'extent_start':['0x1000']", 0)).isZero();
    assertThat(
            populate(host, D, "'extent_start':{'first':'0x0','count':4},'nr_extents':67108864", 0))
        .isZero();
    assertThat(populate(host, D, "'extent_start':['0x1000'],'mem_flags':8", 0)).isZero();
    assertThat(host.digest()).isEqualTo(digest);
  }

  private static void orphan(XenHost host) {
    String before = mfn(host, "0x7");
    assertThat(host.populate(D, "0x7", 0)).isEqualTo(1);
    assertThat(host.pages(D)).isEqualTo(513);
    assertThat(owner(host, before)).isEqualTo("1");
    assertThat(m2p(host, before)).isEqualTo("null");
    assertThat(host.done("domctl", "audit_p2m", "{'domain':1}").get("orphans").asLong())
        .isEqualTo(1);
    String after = mfn(host, "0x7");
    assertThat(after).isNotEqualTo(before);

    assertThat(host.decrease(D, "0x7")).isEqualTo(1);
    assertThat(host.pages(D)).isEqualTo(512);
    assertThat(owner(host, before)).isEqualTo("1");
    assertThat(owner(host, after)).isEqualTo("null");
  }

  private static void orders(XenHost host) {
    host.limit(D, 1 << 20);
    assertThat(populate(host, SELF, "'extent_start':['0x400']", 10, D)).isZero();
    assertThat(populate(host, SELF, "'extent_start':['0x400']", 9, D)).isEqualTo(1);
    assertThat(populate(host, D, "'extent_start':['0x40000']", 18)).isEqualTo(1);
    assertThat(order(host, "0x40000")).isEqualTo(18);
    assertThat(populate(host, D, "'extent_start':['0x80000']", 19)).isZero();
  }

  private static void leak(XenHost host) {
    assertThat(host.populate(D, "0x1000000000", 0)).isZero();
    assertThat(host.pages(D)).isEqualTo(513);
    assertThat(host.maximumGpfn(D)).isEqualTo("0x1ff");
  }

  private static void decrease(XenHost host) {
    assertThat(host.decrease(D, "0x5", "0x5000", "0x6")).isEqualTo(1);
    assertThat(host.type(D, "0x5")).isEqualTo("mmio_dm");
    assertThat(host.type(D, "0x6")).isEqualTo("ram_rw");
  }

  private static void remove(XenHost host) {
    assertThat(remove(host, D, "0x9")).isZero();
    assertThat(host.pages(D)).isEqualTo(512);
    assertThat(remove(host, D, "0x9")).isEqualTo(-2);
    assertThat(host.decrease(D, "0x9")).isZero();
  }

  private static void move(XenHost host) {
    String frame = mfn(host, "0x3");
    assertThat(add(host, 2, "0x3", "0x2000")).isZero();
    assertThat(host.type(D, "0x3")).isEqualTo("mmio_dm");
    assertThat(mfn(host, "0x2000")).isEqualTo(frame);
    assertThat(host.type(D, "0x2000")).isEqualTo("ram_rw");
    assertThat(m2p(host, frame)).isEqualTo("0x2000");
    assertThat(host.maximumGpfn(D)).isEqualTo("0x2000");
    assertThat(host.pages(D)).isEqualTo(512);
  }

  private static void moveOver(XenHost host) {
    String moved = mfn(host, "0x3");
    String freed = mfn(host, "0x4");
    assertThat(add(host, 2, "0x3", "0x4")).isZero();
    assertThat(mfn(host, "0x4")).isEqualTo(moved);
    assertThat(host.type(D, "0x3")).isEqualTo("mmio_dm");
    assertThat(owner(host, freed)).isEqualTo("null");
    assertThat(host.pages(D)).isEqualTo(511);
  }

  private static void moveNowhere(XenHost host) {
    String digest = host.digest();
    assertThat(add(host, 2, "0x3", "0x3")).isZero();
    assertThat(host.digest()).isEqualTo(digest);

    host.done("domctl", "shadow_op", "{'domain':1,'op':2}");
    assertThat(host.type(D, "0x3")).isEqualTo("ram_logdirty");
    assertThat(add(host, 2, "0x3", "0x3")).isZero();
    assertThat(host.type(D, "0x3")).isEqualTo("ram_rw");
    assertThat(host.type(D, "0x4")).isEqualTo("ram_logdirty");
    JsonNode dirty = host.done("domctl", "shadow_op", "{'domain':1,'op':12,'pages':64}");
    assertThat(dirty.at("/dirty_bitmap/0").asInt()).isEqualTo(1 << 3);
    assertThat(dirty.at("/stats/dirty_count").asInt()).isEqualTo(1);
  }

  private static void refused(XenHost host) {
    setMemType(host, "0x6", 1);
    host.claimPage("0x7");
    assertThat(host.type(D, "0x7")).isEqualTo("ioreq_server");
    String digest = host.digest();
    assertThat(add(host, 2, "0x4000", "0x2000")).isEqualTo(-13);
    assertThat(add(host, 2, "0x6", "0x2000")).isEqualTo(-13);
    assertThat(add(host, 2, "0x7", "0x2000")).isEqualTo(-13);
    assertThat(add(host, 2, "0x3", "0xffffffffffffffff")).isEqualTo(-22);
    assertThat(add(host, 9, "0x3", "0x2000")).isEqualTo(-22);
    assertThat(add(host, 0, "0x1", "0x2000")).isEqualTo(-22);
    assertThat(add(host, 5, "0x1", "0x2000")).isEqualTo(-13);
    assertThat(host.digest()).isEqualTo(digest);
  }

  private static void spaces(XenHost host) {
    assertThat(add(host, 4, "0x3", "0x2000")).isEqualTo(-38);
    assertThat(batch(host, 3, "['0x1']", "['0x2000']").ret()).isEqualTo(-95);
    assertThat(batch(host, 2, "[]", "[]").ret()).isZero();
  }

  private static void batch(XenHost host) {
    XenHost.Result result =
        batch(host, 2, "['0x1','0x4000','0x2']", "['0x2001','0x2002','0x2003']");
    assertThat(result.ret()).isZero();
    assertThat(errors(result)).containsExactly(0, -13, 0);
    assertThat(host.type(D, "0x2001")).isEqualTo("ram_rw");
    assertThat(host.type(D, "0x2002")).isEqualTo("mmio_dm");
    assertThat(host.type(D, "0x2003")).isEqualTo("ram_rw");
    assertThat(host.type(D, "0x1")).isEqualTo("mmio_dm");
    assertThat(host.pages(D)).isEqualTo(512);
  }

  private static void batchEnds(XenHost host) {
    XenHost.Result result =
        batch(host, 2, "['0x1','0x2','0x3']", "['0x2001','0xffffffffffffffff','0x2003']");
    assertThat(result.ret()).isEqualTo(-22);
    assertThat(host.type(D, "0x2001")).isEqualTo("ram_rw");
    assertThat(host.type(D, "0x2003")).isEqualTo("mmio_dm");
    assertThat(host.type(D, "0x3")).isEqualTo("ram_rw");
  }

  private static void range(XenHost host) {
    List<String> before = new ArrayList<>();
    for (int gfn = 0x10; gfn < 0x16; gfn++) {
      before.add(mfn(host, "0x" + Integer.toHexString(gfn)));
    }
    String range = "{'domid':1,'space':3,'size':4,'idx':'%s','gpfn':'%s'}";
    assertThat(host.ret("memory_op", "add_to_physmap", range.formatted("0x10", "0x12"))).isZero();
    for (int i = 0; i < 4; i++) {
      assertThat(mfn(host, "0x" + Integer.toHexString(0x12 + i))).isEqualTo(before.get(i));
    }
    assertThat(host.type(D, "0x10")).isEqualTo("mmio_dm");
    assertThat(host.type(D, "0x11")).isEqualTo("mmio_dm");
    assertThat(owner(host, before.get(4))).isEqualTo("null");
    assertThat(owner(host, before.get(5))).isEqualTo("null");
    assertThat(host.pages(D)).isEqualTo(510);
    assertThat(
            host.ret("memory_op", "add_to_physmap", range.formatted("0x20", "0xfffffffffffffffe")))
        .isEqualTo(-75);
  }

  private static int order(XenHost host, String gfn) {
    return host.lookup(D, gfn).get("order").asInt();
  }

  private static String mfn(XenHost host, String gfn) {
    return host.lookup(D, gfn).get("mfn").asText();
  }

  private static long number(JsonNode hex) {
    return Long.parseUnsignedLong(hex.asText().substring(2), 16);
  }

  private static String owner(XenHost host, String mfn) {
    return host.daemon().get("/v1/machine/frames/" + mfn).at("/owner");
  }

  private static String m2p(XenHost host, String mfn) {
    return host.daemon().get("/v1/machine/frames/" + mfn).at("/gfn");
  }

  private static long poolUsed(XenHost host) {
    return host.daemon().get("/v1/domains/1/counters").body().at("/p2m/tables").asLong();
  }

  private static long memType(XenHost host, int id, String gfn) {
    return host.done("hvm_op", "get_mem_type", "{'domid':%d,'pfn':'%s'}".formatted(id, gfn))
        .get("mem_type")
        .asLong();
  }

  private static long setMemType(XenHost host, String gfn, int type) {
    return host.ret(
        "dm_op",
        "set_mem_type",
        "{'domid':1,'mem_type':%d,'nr':1,'first_pfn':'%s'}".formatted(type, gfn));
  }

  private static long populate(XenHost host, int id, String list, int order) {
    return populate(host, id, list, order, 0);
  }

  private static long populate(XenHost host, int id, String list, int order, int caller) {
    return host.ret(
        "memory_op",
        "populate_physmap",
        "{'domid':%d,%s,'extent_order':%d}".formatted(id, list, order),
        caller);
  }

  private static long remove(XenHost host, int id, String gfn) {
    return host.ret(
        "memory_op", "remove_from_physmap", "{'domid':%d,'gpfn':'%s'}".formatted(id, gfn));
  }

  private static long add(XenHost host, int space, String idx, String gpfn) {
    return host.ret(
        "memory_op",
        "add_to_physmap",
        "{'domid':1,'space':%d,'idx':'%s','gpfn':'%s'}".formatted(space, idx, gpfn));
  }

  private static XenHost.Result batch(XenHost host, int space, String idxs, String gpfns) {
    return host.call(
        "memory_op",
        "add_to_physmap_batch",
        "{'domid':1,'space':%d,'idxs':%s,'gpfns':%s}".formatted(space, idxs, gpfns));
  }

  private static List<Integer> errors(XenHost.Result result) {
    List<Integer> errors = new ArrayList<>();
    result.out().get("errs").forEach(error -> errors.add(error.asInt()));
    return errors;
  }
}
