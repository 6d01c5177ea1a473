package io.hypercalld.api.acceptance;

import static io.hypercalld.api.acceptance.GrantAcceptanceTest.grant;
import static io.hypercalld.api.acceptance.GrantAcceptanceTest.grantFlags;
import static io.hypercalld.api.acceptance.GrantAcceptanceTest.mapGrant;
import static io.hypercalld.api.acceptance.GrantAcceptanceTest.mfn;
import static io.hypercalld.api.acceptance.NumberedBehaviours.row;
import static io.hypercalld.api.acceptance.XenHost.D;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.Stream;

/** What a backend driver does with grants besides mapping them, and what PV domains hand over. */
final class GrantCopyAcceptanceTest implements XenBehaviours {
  private static final int C = 2;
  private static final int PV = 3;

  @Override
  public Stream<Row<XenHost>> rows() {
    return Stream.of(
        row("copy: from a granted page and to one", GrantCopyAcceptanceTest::copies),
        row("copy: what the status says", GrantCopyAcceptanceTest::copyStatus),
        row("copy: a part of a page, and a grant handed on", GrantCopyAcceptanceTest::parts),
        row("copy: to a page whose writes are logged", GrantCopyAcceptanceTest::logged),
        row(
            "transfer: a PV domain's page goes to who awaits it",
            GrantCopyAcceptanceTest::transfer),
        row("transfer: what the status says", GrantCopyAcceptanceTest::transferStatus),
        row("get_status_frames: version 2 has some", GrantCopyAcceptanceTest::statusFrames),
        row("unmap_and_replace: as unmap, and nothing moves", GrantCopyAcceptanceTest::replace),
        row("swap_grant_ref: two entries change places", GrantCopyAcceptanceTest::swap),
        row("cache_flush: one's own page, or one mapped", GrantCopyAcceptanceTest::flush));
  }

  /** C has a page at 0 and 1; D grants it some. */
  private static void backend(XenHost host) {
    host.hvm(C, 1, 64);
    assertThat(host.populate(C, "0x0", 0)).isEqualTo(1);
  }

  private static void copies(XenHost host) {
    backend(host);
    grant(host, 9, 1 | 4, 8);
    grant(host, 10, 1, 6);
    write(host, D, 0x8010, "cafebabe");

    assertThat(copy(host, granted(9, 0x10), own(0, 0x20), 4, 1)).isZero();
    assertThat(read(host, C, 0x20, 4)).isEqualTo("cafebabe");
    assertThat(copy(host, own(0, 0x20), granted(10, 0xffc), 4, 2)).isZero();
    assertThat(read(host, D, 0x6ffc, 4)).isEqualTo("cafebabe");
    // Nothing stays in use, and no reference is held.
    assertThat(grantFlags(host, 9)).isEqualTo(1 | 4);
    assertThat(grantFlags(host, 10)).isEqualTo(1);
    assertThat(host.decrease(D, "0x8")).isEqualTo(1);
    assertThat(host.pages(D)).isEqualTo(511);
  }

  private static void copyStatus(XenHost host) {
    backend(host);
    grant(host, 9, 1 | 4, 8);
    grant(host, 10, 1, 6);
    String before = host.digest();

    assertThat(copy(host, granted(9, 0xffd), own(0, 0), 4, 1)).isEqualTo(-10);
    assertThat(copy(host, granted(9, 0), own(0, 0xffd), 4, 1)).isEqualTo(-10);
    assertThat(copy(host, own(0, 0), granted(9, 0), 4, 2)).isEqualTo(-1);
    assertThat(copy(host, granted(11, 0), own(0, 0), 4, 1)).isEqualTo(-1);
    assertThat(copy(host, granted(512, 0), own(0, 0), 4, 1)).isEqualTo(-3);
    assertThat(copy(host, granted(9, 0), own(0x40, 0), 4, 1)).isEqualTo(-9);
    assertThat(copy(host, "{'ref':9,'domid':77,'offset':0}", own(0, 0), 4, 1)).isEqualTo(-2);
    assertThat(copy(host, "{'gmfn':'0x8','domid':1,'offset':0}", own(0, 0), 4, 0)).isEqualTo(-8);
    assertThat(host.digest()).isEqualTo(before);
    // dom0 is not whom the entry names.
    assertThat(status(host, "copy", copyArguments(granted(9, 0), granted(10, 0), 4, 3), 0))
        .isEqualTo(-1);
    assertThat(host.digest()).isEqualTo(before);
  }

  private static void parts(XenHost host) {
    backend(host);
    grant(host, 1, 0, 0);
    assertThat(host.ret("grant_table_op", "set_version", "{'version':2}", D)).isZero();
    write(host, D, 0x8100, "0102030405060708");
    // Entry 5 grants 16 bytes at 0x100 of guest frame 8; entry 6 hands entry 5 on to C.
    write(host, D, 0x3000000 + 5 * 16, "0101" + "0200" + "0001" + "1000" + "0800000000000000");
    assertThat(copy(host, granted(5, 0x100), own(0, 0), 8, 1)).isZero();
    assertThat(read(host, C, 0, 8)).isEqualTo("0102030405060708");
    assertThat(copy(host, granted(5, 0xf8), own(0, 0), 16, 1)).isEqualTo(-1);
    assertThat(copy(host, granted(5, 0x108), own(0, 0), 16, 1)).isEqualTo(-1);
    // A part of a page cannot be mapped.
    assertThat(mapGrant(host, 5, 2, "0x5000000").get("status").asInt()).isEqualTo(-1);

    // E's entry 9 is for D, and D's entry 6 hands it on to C.
    host.hvm(PV, 1, 64);
    assertThat(host.populate(PV, "0x0", 0)).isEqualTo(1);
    assertThat(
            host.ret(
                "memory_op", "add_to_physmap", "{'domid':3,'space':1,'idx':'0x0','gpfn':'0x3000'}"))
        .isZero();
    write(host, PV, 0x3000000 + 9 * 8, "0100" + "0100" + "00000000");
    write(host, PV, 0x40, "aabbccdd");
    write(host, D, 0x3000000 + 6 * 16, "0300" + "0200" + "0300" + "0000" + "0900000000000000");
    assertThat(copy(host, granted(6, 0x40), own(0, 0x200), 4, 1)).isZero();
    assertThat(read(host, C, 0x200, 4)).isEqualTo("aabbccdd");
    // To itself a domain hands nothing on, and what is handed on cannot be mapped.
    write(host, D, 0x3000000 + 6 * 16, "0300" + "0200" + "0100" + "0000" + "0900000000000000");
    assertThat(copy(host, granted(6, 0x40), own(0, 0x200), 4, 1)).isEqualTo(-1);
    assertThat(mapGrant(host, 6, 2, "0x5000000").get("status").asInt()).isEqualTo(-1);
  }

  private static void logged(XenHost host) {
    backend(host);
    grant(host, 10, 1, 6);
    host.done("domctl", "shadow_op", "{'domain':1,'op':2}");

    assertThat(copy(host, own(0, 0), granted(10, 0), 4, 2)).isZero();

    var peeked = host.done("domctl", "shadow_op", "{'domain':1,'op':12}");
    assertThat(peeked.at("/dirty_bitmap/0").asInt()).isEqualTo(1 << 6);
    assertThat(peeked.at("/stats/dirty_count").asInt()).isEqualTo(1);
  }

  /** A PV domain of one frame, which it is told. */
  private static String pvFrame(XenHost host) {
    host.create(PV, 0, 0, 1);
    host.limit(PV, 8);
    return host.done(
            "memory_op", "populate_physmap", "{'domid':3,'extent_start':['0x0'],'extent_order':0}")
        .get("extent_start")
        .get(0)
        .asText();
  }

  private static void transfer(XenHost host) {
    String mfn = pvFrame(host);
    grant(host, 9, 2, 0x400);
    write(host, D, 0x3000000 + 9 * 8 + 2, "0300");

    assertThat(transfer(host, mfn, D, 9)).isZero();
    assertThat(mfn(host, D, "0x400")).isEqualTo(mfn);
    assertThat(host.type(D, "0x400")).isEqualTo("ram_rw");
    assertThat(host.pages(D)).isEqualTo(513);
    assertThat(host.pages(PV)).isZero();
    assertThat(grantFlags(host, 9)).isEqualTo(2 | 4 | 8);
    // The entry has got its page.
    assertThat(transfer(host, mfn, D, 9)).isEqualTo(-9);
  }

  private static void transferStatus(XenHost host) {
    String mfn = pvFrame(host);
    assertThat(transfer(host, "0xfffffff", D, 9)).isEqualTo(-9);
    assertThat(status(host, "transfer", "{'mfn':'0x5','domid':3,'ref':1}", D)).isEqualTo(-1);
    assertThat(status(host, "transfer", "{'mfn':'0x5000','domid':3,'ref':1}", D)).isEqualTo(-9);
    assertThat(host.pages(D)).isEqualTo(512);
    // Nobody awaits it: the giver has lost it all the same.
    grant(host, 9, 1, 0x400);
    assertThat(transfer(host, mfn, D, 9)).isEqualTo(-1);
    assertThat(host.pages(PV)).isZero();
    assertThat(host.pages(D)).isEqualTo(512);
    assertThat(host.type(D, "0x400")).isEqualTo("mmio_dm");
  }

  private static void statusFrames(XenHost host) {
    assertThat(status(host, "get_status_frames", "{'nr_frames':1,'dom':1}", 0)).isEqualTo(-1);
    assertThat(host.ret("grant_table_op", "set_version", "{'version':2}", D)).isZero();
    var frames = host.done("grant_table_op", "get_status_frames", "{'nr_frames':1,'dom':1}");
    assertThat(frames.get("status").asInt()).isZero();
    assertThat(frames.get("frame_list").get(0).asText()).isEqualTo("0xffffffffffffffff");
    assertThat(
            host.ret(
                "memory_op",
                "add_to_physmap",
                "{'domid':1,'space':1,'idx':'0x80000000','gpfn':'0x3001'}"))
        .isZero();
    assertThat(
            host.done("grant_table_op", "get_status_frames", "{'nr_frames':1,'dom':1}")
                .get("frame_list")
                .get(0)
                .asText())
        .isEqualTo("0x3001");
    assertThat(status(host, "get_status_frames", "{'nr_frames':1,'dom':77}", 0)).isEqualTo(-2);
    backend(host);
    assertThat(status(host, "get_status_frames", "{'nr_frames':1,'dom':1}", C)).isEqualTo(-8);
  }

  private static void replace(XenHost host) {
    backend(host);
    grant(host, 9, 1, 8);
    long handle = mapGrant(host, 9, 2, "0x5000000").get("handle").asLong();
    String arguments = "{'host_addr':'%s','new_addr':'%s','handle':%d}";

    assertThat(
            status(
                host,
                "unmap_and_replace",
                arguments.formatted("0x5000000", "0x6000000", handle),
                C))
        .isEqualTo(-1);
    assertThat(host.type(C, "0x5000")).isEqualTo("grant_map_rw");
    assertThat(status(host, "unmap_and_replace", arguments.formatted("0x5000000", "0x0", 77), C))
        .isEqualTo(-4);
    assertThat(
            status(host, "unmap_and_replace", arguments.formatted("0x5000000", "0x0", handle), C))
        .isZero();
    assertThat(host.type(C, "0x5000")).isEqualTo("mmio_dm");
    assertThat(grantFlags(host, 9)).isEqualTo(1);
  }

  private static void swap(XenHost host) {
    backend(host);
    grant(host, 9, 1, 8);
    grant(host, 10, 1 | 4, 6);
    assertThat(status(host, "swap_grant_ref", "{'ref_a':9,'ref_b':10}", D)).isZero();
    assertThat(grantFlags(host, 9)).isEqualTo(1 | 4);
    assertThat(grantFlags(host, 10)).isEqualTo(1);
    assertThat(status(host, "swap_grant_ref", "{'ref_a':9,'ref_b':9}", D)).isZero();
    assertThat(status(host, "swap_grant_ref", "{'ref_a':9,'ref_b':512}", D)).isEqualTo(-3);

    assertThat(mapGrant(host, 10, 2, "0x5000000").get("status").asInt()).isZero();
    assertThat(mfn(host, C, "0x5000")).isEqualTo(mfn(host, D, "0x8"));
    String before = host.digest();
    assertThat(status(host, "swap_grant_ref", "{'ref_a':9,'ref_b':10}", D)).isEqualTo(-12);
    assertThat(host.digest()).isEqualTo(before);
  }

  private static void flush(XenHost host) {
    backend(host);
    grant(host, 9, 1, 8);
    String other = mfn(host, D, "0x8");
    assertThat(flush(host, mfn(host, C, "0x0"), 0, 64, 1)).isZero();
    assertThat(flush(host, other, 0, 64, 1)).isEqualTo(-22);
    assertThat(mapGrant(host, 9, 2, "0x5000000").get("status").asInt()).isZero();
    assertThat(flush(host, other, 0, 64, 1)).isZero();
    assertThat(flush(host, other, 0, 64, 3)).isZero();
    assertThat(flush(host, other, 0, 64, 2)).isEqualTo(-95);
    assertThat(flush(host, other, 0, 64, 4)).isEqualTo(-22);
    assertThat(flush(host, other, 0, 64, 0x80000000L)).isEqualTo(-95);
    assertThat(flush(host, other, 4000, 97, 1)).isEqualTo(-22);
    assertThat(flush(host, other, 4096, 0, 1)).isEqualTo(-22);
    assertThat(flush(host, "0xfffffff", 0, 64, 1)).isEqualTo(-22);
    assertThat(flush(host, "0xfffffff", 0, 0, 1)).isZero();
  }

  private static long flush(XenHost host, String mfn, int offset, int length, long op) {
    return host.ret(
        "grant_table_op",
        "cache_flush",
        "{'dev_bus_addr':'%s000','offset':%d,'length':%d,'op':%d}"
            .formatted(mfn, offset, length, op),
        C);
  }

  private static String granted(int ref, int offset) {
    return "{'ref':%d,'domid':1,'offset':%d}".formatted(ref, offset);
  }

  private static String own(int gfn, int offset) {
    return "{'gmfn':%d,'domid':32752,'offset':%d}".formatted(gfn, offset);
  }

  private static String copyArguments(String source, String dest, int length, int flags) {
    return "{'source':%s,'dest':%s,'len':%d,'flags':%d}".formatted(source, dest, length, flags);
  }

  /** As C. */
  private static int copy(XenHost host, String source, String dest, int length, int flags) {
    return status(host, "copy", copyArguments(source, dest, length, flags), C);
  }

  /** As the PV domain. */
  private static int transfer(XenHost host, String mfn, int receiver, int ref) {
    return status(
        host, "transfer", "{'mfn':'%s','domid':%d,'ref':%d}".formatted(mfn, receiver, ref), PV);
  }

  private static int status(XenHost host, String op, String arguments, int caller) {
    XenHost.Result result = host.call("grant_table_op", op, arguments, caller);
    assertThat(result.ret()).as(result.detail()).isZero();
    return result.out().get("status").asInt();
  }

  private static void write(XenHost host, int id, int gpa, String bytes) {
    assertThat(
            host.daemon()
                .put(
                    "/v1/domains/%d/memory?gpa=0x%x".formatted(id, gpa),
                    "{\"data\":\"" + bytes + "\"}")
                .status())
        .isLessThan(300);
  }

  private static String read(XenHost host, int id, int gpa, int length) {
    return host.daemon()
        .get("/v1/domains/%d/memory?gpa=0x%x&length=%d".formatted(id, gpa, length))
        .at("/data");
  }
}
