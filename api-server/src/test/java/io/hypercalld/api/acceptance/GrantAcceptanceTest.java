package io.hypercalld.api.acceptance;

import static io.hypercalld.api.acceptance.NumberedBehaviours.row;
import static io.hypercalld.api.acceptance.XenHost.D;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.stream.Stream;

/** What Xen's pages of grants do, mapped by their owner, as a resource, and by whom they name. */
final class GrantAcceptanceTest implements XenBehaviours {
  private static final int C = 2;

  @Override
  public Stream<Row<XenHost>> rows() {
    return Stream.of(
        row("2.3 a grant table grows where it is mapped", GrantAcceptanceTest::grantFrames),
        row("2.11 acquired grant frames are foreign pages", GrantAcceptanceTest::acquire),
        row("2.11 resources that are refused", GrantAcceptanceTest::acquireRefused),
        row("grants: mapped, shown, unmapped", GrantAcceptanceTest::grants),
        row("grants: what the status says", GrantAcceptanceTest::grantStatus));
  }

  /** C is D's device model. */
  static void deviceModel(XenHost host) {
    host.hvm(C, 1, 64);
    host.done("domctl", "set_target", "{'domain':2,'target':1}");
  }

  private static void grantFrames(XenHost host) {
    assertThat(size(host).get("nr_frames").asLong()).isEqualTo(1);
    assertThat(add(host, 1, "0x2", "0x3000")).isZero();
    assertThat(size(host).get("nr_frames").asLong()).isEqualTo(3);
    assertThat(frame(host, mfn(host, D, "0x3000")).get("use").asText()).isEqualTo("special");
    assertThat(host.pages(D)).isEqualTo(512);
    assertThat(add(host, 1, "0x40", "0x3001")).isEqualTo(-22);
    // Version 1 has no status frames: the bit is part of a number that is too large.
    assertThat(add(host, 1, "0x80000000", "0x3001")).isEqualTo(-22);

    assertThat(host.ret("grant_table_op", "set_version", "{'version':2}", D)).isZero();
    assertThat(add(host, 1, "0x80000000", "0x3001")).isZero();
    assertThat(host.ret("grant_table_op", "set_version", "{'version':1}", D)).isEqualTo(-16);
    assertThat(host.ret("grant_table_op", "set_version", "{'version':3}", D)).isEqualTo(-22);
  }

  private static void acquire(XenHost host) {
    deviceModel(host);
    assertThat(acquire(host, "'type':1,'id':0").out().get("nr_frames").asLong()).isEqualTo(64);

    XenHost.Result result =
        acquire(host, "'type':1,'id':0,'nr_frames':2,'frame_list':['0x100','0x101']");
    assertThat(result.ret()).isZero();
    assertThat(host.type(C, "0x101")).isEqualTo("map_foreign");
    assertThat(size(host).get("nr_frames").asLong()).isEqualTo(2);
    // The same once more is no error, another page in its place is fatal.
    assertThat(acquire(host, "'type':1,'id':0,'nr_frames':1,'frame_list':['0x100']").ret())
        .isZero();
    assertThat(acquire(host, "'type':1,'id':0,'nr_frames':2,'frame_list':['0x102','0x100']").ret())
        .isEqualTo(-5);
    assertThat((number(host.info(C).get("flags")) >> 16) & 0xff).isEqualTo(3);

    host.done("domctl", "destroydomain", "{'domain':1}");
    assertThat(number(host.info(D).get("flags")) & 1).isEqualTo(1);
    assertThat(host.ret("domctl", "destroydomain", "{'domain':2}")).isZero();
    assertThat(host.ret("domctl", "getdomaininfo", "{'domain':1}")).isEqualTo(-3);
  }

  private static void acquireRefused(XenHost host) {
    deviceModel(host);
    assertThat(acquire(host, "'type':1,'id':0,'nr_frames':1").ret()).isEqualTo(-22);
    assertThat(acquire(host, "'type':1,'id':0,'pad':1").ret()).isEqualTo(-22);
    assertThat(acquire(host, "'type':1,'id':0,'frame':'0x100000000'").ret()).isEqualTo(-22);
    assertThat(acquire(host, "'type':7,'id':0").ret()).isEqualTo(-22);
    assertThat(acquire(host, "'type':2,'id':0").ret()).isEqualTo(-22);
    assertThat(acquire(host, "'type':1,'id':1").ret()).isEqualTo(-22);
    assertThat(acquire(host, "'type':1,'id':0,'nr_frames':0,'frame_list':[]").ret()).isEqualTo(-22);
    assertThat(
            acquire(host, "'type':1,'id':0,'frame':'0x40','nr_frames':1,'frame_list':['0x9']")
                .ret())
        .isEqualTo(-22);
    assertThat(acquire(host, "'type':0,'id':0").out().get("nr_frames").asLong()).isEqualTo(2);
    assertThat(acquire(host, "'type':0,'id':5,'nr_frames':1,'frame_list':['0x9']").ret())
        .isEqualTo(-2);
    assertThat(acquire(host, "'type':0,'id':65536,'nr_frames':1,'frame_list':['0x9']").ret())
        .isEqualTo(-22);
    assertThat(host.ret("memory_op", "acquire_resource", "{'domid':0,'type':1,'id':0}"))
        .isEqualTo(-1);
    assertThat(host.ret("memory_op", "acquire_resource", "{'domid':77,'type':1,'id':0}"))
        .isEqualTo(-3);
  }

  private static void grants(XenHost host) {
    host.hvm(C, 1, 64);
    grant(host, 9, 1, 8);
    String mfn = mfn(host, D, "0x8");

    JsonNode mapped = mapGrant(host, 9, 2, "0x5000000");
    assertThat(mapped.get("status").asInt()).isZero();
    assertThat(number(mapped.get("dev_bus_addr"))).isEqualTo(number(mfn) << 12);
    assertThat(host.type(C, "0x5000")).isEqualTo("grant_map_rw");
    assertThat(mfn(host, C, "0x5000")).isEqualTo(mfn);
    assertThat(references(host, mfn)).isEqualTo(2);
    assertThat(frame(host, mfn).get("gfn").asText()).isEqualTo("0x8");
    assertThat(grantFlags(host, 9)).isEqualTo(1 | 8 | 16);

    // What the granter writes now is of no consequence while the grant is in use.
    grant(host, 9, 1 | 8 | 16, 0x10);
    JsonNode again = mapGrant(host, 9, 2 | 4, "0x5001000");
    assertThat(again.get("status").asInt()).isZero();
    assertThat(host.type(C, "0x5001")).isEqualTo("grant_map_ro");
    assertThat(mfn(host, C, "0x5001")).isEqualTo(mfn);

    assertThat(unmapGrant(host, mapped.get("handle").asLong(), "0x5000000")).isZero();
    assertThat(host.type(C, "0x5000")).isEqualTo("mmio_dm");
    assertThat(grantFlags(host, 9)).isEqualTo(1 | 8);
    assertThat(unmapGrant(host, mapped.get("handle").asLong(), "0x5000000")).isEqualTo(-4);
    assertThat(unmapGrant(host, again.get("handle").asLong(), "0x5000000")).isEqualTo(-1);

    assertThat(host.ret("domctl", "destroydomain", "{'domain':1}")).isZero();
    assertThat(host.pages(D)).isEqualTo(1);
    assertThat(host.ret("domctl", "destroydomain", "{'domain':2}")).isZero();
    assertThat(host.ret("domctl", "getdomaininfo", "{'domain':1}")).isEqualTo(-3);
  }

  private static void grantStatus(XenHost host) {
    host.hvm(C, 1, 64);
    grant(host, 9, 1 | 4, 8);
    assertThat(mapGrant(host, 9, 4, "0x5000000").get("status").asInt()).isEqualTo(-3);
    assertThat(mapGrant(host, 9, 3, "0x5000000").get("status").asInt()).isEqualTo(-1);
    assertThat(mapGrant(host, 9, 2, "0x5000000").get("status").asInt()).isEqualTo(-1);
    assertThat(mapGrant(host, 512, 2, "0x5000000").get("status").asInt()).isEqualTo(-3);
    assertThat(mapGrant(host, 10, 2, "0x5000000").get("status").asInt()).isEqualTo(-1);
    assertThat(
            host.done(
                    "grant_table_op",
                    "map_grant_ref",
                    "{'host_addr':'0x5000000','flags':2,'ref':9,'dom':77}")
                .get("status")
                .asInt())
        .isEqualTo(-2);
    grant(host, 9, 1, 0x4000);
    assertThat(mapGrant(host, 9, 2, "0x5000000").get("status").asInt()).isEqualTo(-9);
  }

  /** Writes an entry as the granter does, in its first grant frame. */
  static void grant(XenHost host, int ref, int flags, int gfn) {
    if (!host.type(D, "0x3000").equals("ram_rw")) {
      assertThat(add(host, 1, "0x0", "0x3000")).isZero();
    }
    String bytes =
        "%02x%02x%02x%02x%02x%02x%02x%02x"
            .formatted(flags & 0xff, flags >> 8, C, 0, gfn & 0xff, (gfn >> 8) & 0xff, gfn >> 16, 0);
    assertThat(
            host.daemon()
                .put("/v1/domains/1/memory?gpa=" + entry(ref), "{\"data\":\"" + bytes + "\"}")
                .status())
        .isLessThan(300);
  }

  static int grantFlags(XenHost host, int ref) {
    String bytes = host.daemon().get("/v1/domains/1/memory?length=2&gpa=" + entry(ref)).at("/data");
    return Integer.parseInt(bytes.substring(0, 2), 16);
  }

  private static String entry(int ref) {
    return "0x" + Integer.toHexString(0x3000000 + ref * 8);
  }

  static JsonNode mapGrant(XenHost host, int ref, int flags, String at) {
    return host.call(
            "grant_table_op",
            "map_grant_ref",
            "{'host_addr':'%s','flags':%d,'ref':%d,'dom':1}".formatted(at, flags, ref),
            C)
        .out();
  }

  private static int unmapGrant(XenHost host, long handle, String at) {
    return host.call(
            "grant_table_op",
            "unmap_grant_ref",
            "{'host_addr':'%s','handle':%d}".formatted(at, handle),
            C)
        .out()
        .get("status")
        .asInt();
  }

  private static JsonNode size(XenHost host) {
    return host.done("grant_table_op", "query_size", "{'dom':1}");
  }

  static long add(XenHost host, int space, String idx, String gpfn) {
    return host.ret(
        "memory_op",
        "add_to_physmap",
        "{'domid':1,'space':%d,'idx':'%s','gpfn':'%s'}".formatted(space, idx, gpfn));
  }

  /** As C. */
  private static XenHost.Result acquire(XenHost host, String arguments) {
    return host.call("memory_op", "acquire_resource", "{'domid':1," + arguments + "}", C);
  }

  static String mfn(XenHost host, int id, String gfn) {
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
