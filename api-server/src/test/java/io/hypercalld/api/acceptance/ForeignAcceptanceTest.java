package io.hypercalld.api.acceptance;

import static io.hypercalld.api.acceptance.NumberedBehaviours.row;
import static io.hypercalld.api.acceptance.XenHost.D;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.stream.Stream;

/**
 * Xen's numbered behaviours 20 to 29: other domains' pages, exchange, claims, reserved ranges; and
 * what chapter 2 says beside them without a number.
 */
final class ForeignAcceptanceTest implements XenBehaviours {
  private static final int C = 2;
  private static final int HVM = 0x3;
  private static final int NESTED = 0x43;
  private static final int EMULATE_ALL = 0x3ff;

  @Override
  public Stream<Row<XenHost>> rows() {
    return Stream.of(
        row("20 a foreign page holds a reference", ForeignAcceptanceTest::foreign),
        row("21 a page given back stays while it is mapped", ForeignAcceptanceTest::givenBack),
        row("22 a dead domain stays while its page is mapped", ForeignAcceptanceTest::zombie),
        row("23 foreign pages that are refused", ForeignAcceptanceTest::refused),
        row("24 a mapper with other views of its memory", ForeignAcceptanceTest::views),
        row("25 populating over a foreign page is fatal", ForeignAcceptanceTest::populateOver),
        row("26 a translated domain exchanges nothing", ForeignAcceptanceTest::exchange),
        row("27 unknown operations and continuations", ForeignAcceptanceTest::unknown),
        row("28 claims", ForeignAcceptanceTest::claims),
        row("29 reserved device memory", ForeignAcceptanceTest::reserved),
        row("2.2 a PV domain exchanges frames", ForeignAcceptanceTest::exchangePv),
        row("2.3 a foreign page of 16 KiB", ForeignAcceptanceTest::coarse),
        row("2.5 maps of addresses", ForeignAcceptanceTest::maps));
  }

  /** C is D's device model. */
  private static void deviceModel(XenHost host) {
    host.hvm(C, 1, 64);
    host.done("domctl", "set_target", "{'domain':2,'target':1}");
  }

  private static void foreign(XenHost host) {
    deviceModel(host);
    String mfn = mfn(host, D, "0x8");
    long references = references(host, mfn);

    assertThat(map(host, C, D, "0x8", "0x3000")).isZero();
    assertThat(host.type(C, "0x3000")).isEqualTo("map_foreign");
    assertThat(mfn(host, C, "0x3000")).isEqualTo(mfn);
    assertThat(references(host, mfn)).isEqualTo(references + 1);
    assertThat(frame(host, mfn).get("gfn").asText()).isEqualTo("0x8");

    assertThat(map(host, C, D, "0x8", "0x3000")).isEqualTo(-6);
    assertThat(remove(host, C, "0x3000")).isZero();
    assertThat(references(host, mfn)).isEqualTo(references);
    assertThat(map(host, C, D, "0x8", "0x3000")).isZero();
  }

  private static void givenBack(XenHost host) {
    deviceModel(host);
    assertThat(map(host, C, D, "0x8", "0x3000")).isZero();

    assertThat(host.decrease(D, "0x8")).isEqualTo(1);
    assertThat(host.type(D, "0x8")).isEqualTo("mmio_dm");
    assertThat(host.pages(D)).isEqualTo(512);
    assertThat(remove(host, C, "0x3000")).isZero();
    assertThat(host.pages(D)).isEqualTo(511);
  }

  private static void zombie(XenHost host) {
    assertThat(map(host, 0, D, "0x8", "0x10000000")).isZero();

    assertThat(host.ret("domctl", "destroydomain", "{'domain':1}")).isZero();
    JsonNode info = host.info(D);
    assertThat(number(info.get("flags")) & 1).isEqualTo(1);
    assertThat(info.get("tot_pages").asLong()).isEqualTo(1);
    assertThat(host.ret("domctl", "createdomain", XenHost.creation(D, HVM, EMULATE_ALL, 2)))
        .isEqualTo(-17);
    host.assertConsistent();

    assertThat(remove(host, 0, "0x10000000")).isZero();
    assertThat(host.ret("domctl", "getdomaininfo", "{'domain':1}")).isEqualTo(-3);
    assertThat(host.ret("domctl", "createdomain", XenHost.creation(D, HVM, EMULATE_ALL, 2)))
        .isZero();
  }

  private static void refused(XenHost host) {
    deviceModel(host);
    host.hvm(3, 1, 64);
    assertThat(map(host, D, D, "0x8", "0x3000")).isEqualTo(-22);
    assertThat(map(host, C, 77, "0x8", "0x3000")).isEqualTo(-3);
    assertThat(map(host, C, 0, "0x8", "0x3000")).isEqualTo(-1);
    assertThat(map(host, 3, D, "0x8", "0x3000")).isEqualTo(-1);
    assertThat(map(host, C, D, "0x5000", "0x3000")).isEqualTo(-22);

    host.done("memory_op", "sharing_op", "{'op':0,'domain':1,'gfn':'0x20'}");
    assertThat(host.type(D, "0x20")).isEqualTo("ram_shared");
    assertThat(map(host, C, D, "0x20", "0x3000")).isEqualTo(-22);

    assertThat(
            host.ret(
                "memory_op",
                "populate_physmap",
                "{'domid':1,'extent_start':['0x600'],'extent_order':0,'mem_flags':'0x10000'}"))
        .isEqualTo(1);
    assertThat(host.type(D, "0x600")).isEqualTo("populate_on_demand");
    host.done("memory_op", "set_pod_target", "{'domid':1,'target_pages':513}");
    assertThat(map(host, C, D, "0x600", "0x3000")).isZero();
    assertThat(host.type(D, "0x600")).isEqualTo("ram_rw");
  }

  private static void views(XenHost host) {
    host.create(C, NESTED, EMULATE_ALL, 1);
    host.done(
        "domctl",
        "createdomain",
        XenHost.creation(3, HVM, EMULATE_ALL, 1)
            .replace("'flags'", "'altp2m':{'opts':1,'nr':10},'flags'"));
    for (int views : new int[] {C, 3}) {
      host.limit(views, 64);
      assertThat(map(host, views, D, "0x8", "0x3000")).isEqualTo(-1);
      assertThat(host.ret("memory_op", "acquire_resource", "{'domid':1,'type':1,'id':0}", views))
          .isEqualTo(-13);
    }
  }

  private static void populateOver(XenHost host) {
    deviceModel(host);
    assertThat(map(host, C, D, "0x8", "0x3000")).isZero();

    assertThat(host.populate(C, "0x3000", 0)).isZero();
    long flags = number(host.info(C).get("flags"));
    assertThat(flags & 4).isEqualTo(4);
    assertThat((flags >> 16) & 0xff).isEqualTo(3);
    assertThat(host.type(C, "0x3000")).isEqualTo("map_foreign");
  }

  private static void exchange(XenHost host) {
    XenHost.Result result = exchange(host, D, "['0x5']", 0, "['0x5']", 0);
    assertThat(result.ret()).isEqualTo(-95);
    assertThat(result.out().get("nr_exchanged").asLong()).isZero();
    assertThat(exchange(host, D, "['0x5']", 0, "['0x5']", 1).ret()).isEqualTo(-22);
    assertThat(exchange(host, D, "['0x5']", 19, "['0x5']", 19).ret()).isEqualTo(-1);
  }

  private static void unknown(XenHost host) {
    assertThat(host.ret("memory_op", "63", "{}")).isEqualTo(-38);
    assertThat(host.ret("memory_op", "maximum_gpfn", "{'domid':1,'start_extent':1}"))
        .isEqualTo(-22);
    assertThat(host.ret("memory_op", "machphys_compat_mfn_list", "{'max_extents':1}"))
        .isEqualTo(-95);
    assertThat(host.ret("memory_op", "get_vnumainfo", "{'domid':1}")).isEqualTo(-95);
    assertThat(host.ret("memory_op", "get_vnumainfo", "{'domid':1,'pad':1}")).isEqualTo(-22);
    assertThat(host.ret("memory_op", "get_vnumainfo", "{'domid':77}")).isEqualTo(-3);
    assertThat(host.ret("memory_op", "get_vnumainfo", "{'domid':0}", D)).isEqualTo(-1);
  }

  private static void claims(XenHost host) {
    assertThat(claim(host, D, 600)).isZero();
    assertThat(host.info(D).get("outstanding_pages").asLong()).isEqualTo(88);
    assertThat(claim(host, D, 700)).isEqualTo(-22);
    assertThat(claim(host, D, 0)).isZero();
    assertThat(host.info(D).get("outstanding_pages").asLong()).isZero();
    assertThat(claim(host, 77, 600)).isEqualTo(-22);
    host.limit(D, 550);
    assertThat(claim(host, D, 600)).isEqualTo(-22);

    host.limit(D, 1024);
    assertThat(claim(host, D, 600)).isZero();
    assertThat(host.populate(D, "0x1000", 0)).isEqualTo(1);
    assertThat(host.info(D).get("outstanding_pages").asLong()).isEqualTo(87);
  }

  private static void reserved(XenHost host) {
    XenHost.Result all = reserved(host, "{'flags':1,'nr_entries':64}");
    assertThat(all.ret()).isZero();
    long count = all.out().get("nr_entries").asLong();
    assertThat(all.out().get("buffer")).hasSize((int) count);
    assertThat(count).isPositive();
    XenHost.Result none = reserved(host, "{'flags':1,'nr_entries':0}");
    assertThat(none.ret()).isEqualTo(-105);
    assertThat(none.out().get("nr_entries").asLong()).isEqualTo(count);
    // 0000:00:14.0 has a range of its own, 0000:03:00.0 none.
    String one = "{'nr_entries':8,'dev':{'pci':{'bus':%d,'devfn':%d}}}";
    assertThat(reserved(host, one.formatted(0, 0xa0)).out().at("/buffer/0/start_pfn").asText())
        .isEqualTo("0x7b461");
    assertThat(reserved(host, one.formatted(3, 0)).out().get("nr_entries").asLong()).isZero();
    assertThat(reserved(host, "{'flags':2,'nr_entries':0}").ret()).isEqualTo(-22);
  }

  private static void exchangePv(XenHost host) {
    host.create(C, 0, 0, 1);
    host.limit(C, 64);
    XenHost.Result populated =
        host.call("memory_op", "populate_physmap", "{'domid':2,'extent_start':['0x1','0x2']}");
    String first = populated.out().get("extent_start").get(0).asText();
    String second = populated.out().get("extent_start").get(1).asText();

    XenHost.Result result =
        exchange(host, C, "['%s','%s']".formatted(first, second), 0, "['0x10']", 1);
    assertThat(result.ret()).isZero();
    assertThat(result.out().get("nr_exchanged").asLong()).isEqualTo(2);
    String got = result.out().at("/out/extent_start/0").asText();
    assertThat(number(result.out().at("/out/extent_start/0")) % 2).isZero();
    assertThat(frame(host, got).get("gfn").asText()).isEqualTo("0x10");
    assertThat(frame(host, got).get("owner").asInt()).isEqualTo(C);
    assertThat(host.pages(C)).isEqualTo(2);
    assertThat(exchange(host, C, "['0x1']", 0, "['0x1']", 0).ret()).isEqualTo(-22);
  }

  private static void coarse(XenHost host) {
    int owner = coarseDomain(host, "owner");
    int mapper = coarseDomain(host, "mapper");
    host.done("domctl", "set_target", "{'domain':%d,'target':%d}".formatted(mapper, owner));

    assertThat(map(host, mapper, owner, "0x8", "0x10000")).isZero();
    assertThat(mfn(host, mapper, "0x10003")).isEqualTo(mfn(host, owner, "0xb"));
    assertThat(references(host, mfn(host, owner, "0xb"))).isEqualTo(2);
    host.assertConsistent();
    assertThat(map(host, mapper, owner, "0x8", "0x20001")).isEqualTo(-22);
    assertThat(remove(host, mapper, "0x10000")).isZero();
    assertThat(references(host, mfn(host, owner, "0x8"))).isEqualTo(1);
    assertThat(map(host, mapper, owner, "0x8", "0x10000")).isZero();
    assertThat(host.ret("domctl", "destroydomain", "{'domain':%d}".formatted(owner))).isZero();
    assertThat(host.pages(owner)).isEqualTo(4);
    assertThat(host.ret("domctl", "destroydomain", "{'domain':%d}".formatted(mapper))).isZero();
  }

  private static int coarseDomain(XenHost host, String name) {
    String body =
        "{'name':'%s','type':'pvh','memory':'16MiB','vcpus':1,'p2mPageSize':'16KiB'}"
            .formatted(name)
            .replace('\'', '"');
    return host.daemon().post("/v1/domains", body).body().get("domid").asInt();
  }

  private static void maps(XenHost host) {
    assertThat(host.ret("memory_op", "memory_map", "{'nr_entries':8}", D)).isEqualTo(-38);
    String map =
        "{'domid':1,'map':{'buffer':[{'addr':'0x0','size':'0xa0000','type':1},"
            + "{'addr':'0x100000','size':'0x1ff00000','type':1}]}}";
    assertThat(host.ret("memory_op", "set_memory_map", map)).isZero();
    assertThat(host.ret("memory_op", "set_memory_map", map, 5)).isEqualTo(-3);
    JsonNode seen = host.call("memory_op", "memory_map", "{'nr_entries':8}", D).out();
    assertThat(seen.get("nr_entries").asLong()).isEqualTo(2);
    assertThat(seen.at("/buffer/1/size").asText()).isEqualTo("0x1ff00000");

    assertThat(host.ret("memory_op", "machine_memory_map", "{'nr_entries':1}")).isEqualTo(-22);
    assertThat(host.ret("memory_op", "machine_memory_map", "{'nr_entries':128}")).isZero();
    assertThat(host.ret("memory_op", "machine_memory_map", "{'nr_entries':128}", D)).isEqualTo(-1);
    long pages = host.ret("memory_op", "maximum_ram_page", "{}");
    JsonNode window = host.done("memory_op", "machphys_mapping", "{}");
    assertThat(number(window.get("max_mfn"))).isEqualTo(pages - 1);
  }

  private static int map(XenHost host, int mapper, int owner, String source, String at) {
    return host.done(
            "memory_op",
            "add_to_physmap_batch",
            "{'domid':%d,'space':4,'foreign_domid':%d,'idxs':['%s'],'gpfns':['%s']}"
                .formatted(mapper, owner, source, at))
        .get("errs")
        .get(0)
        .asInt();
  }

  private static long remove(XenHost host, int id, String gfn) {
    return host.ret(
        "memory_op", "remove_from_physmap", "{'domid':%d,'gpfn':'%s'}".formatted(id, gfn));
  }

  private static XenHost.Result exchange(
      XenHost host, int id, String given, int givenOrder, String wanted, int wantedOrder) {
    return host.call(
        "memory_op",
        "exchange",
        ("{'in':{'domid':%d,'extent_start':%s,'extent_order':%d},"
                + "'out':{'domid':%d,'extent_start':%s,'extent_order':%d}}")
            .formatted(id, given, givenOrder, id, wanted, wantedOrder));
  }

  private static long claim(XenHost host, int id, long pages) {
    return host.ret(
        "memory_op", "claim_pages", "{'domid':%d,'nr_extents':%d}".formatted(id, pages));
  }

  private static XenHost.Result reserved(XenHost host, String arguments) {
    return host.call("memory_op", "reserved_device_memory_map", arguments);
  }

  private static String mfn(XenHost host, int id, String gfn) {
    return host.lookup(id, gfn).get("mfn").asText();
  }

  private static JsonNode frame(XenHost host, String mfn) {
    return host.daemon().get("/v1/machine/frames/" + mfn).body();
  }

  private static long references(XenHost host, String mfn) {
    return frame(host, mfn).get("references").asLong();
  }

  private static long number(JsonNode hex) {
    return number(hex.asText());
  }

  private static long number(String hex) {
    return Long.parseUnsignedLong(hex.substring(2), 16);
  }
}
