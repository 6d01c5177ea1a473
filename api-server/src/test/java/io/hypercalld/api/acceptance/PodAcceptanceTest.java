package io.hypercalld.api.acceptance;

import static io.hypercalld.api.acceptance.NumberedBehaviours.row;
import static io.hypercalld.api.acceptance.XenHost.D;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.stream.Stream;

/** Xen's behaviours 30 to 41: memory populated on demand, restricted, and paged. */
final class PodAcceptanceTest implements XenBehaviours {
  /** A domain whose memory is populated on demand. */
  private static final int P = 2;

  private static final int CRASHED = 3;
  private static final int PAGING = 1;
  private static final int MONITOR = 2;
  private static final int POPULATE_ON_DEMAND = 1 << 16;

  /** Where dom0 maps pages of other domains. */
  private static final String MAPPED_AT = "0x900000";

  @Override
  public void begin(XenHost host) {
    host.freshD();
    host.hvm(P, 2, 1024);
  }

  @Override
  public void end(XenHost host) {
    host.assertConsistent();
    // What dom0 maps of a domain keeps that domain from going.
    host.ret("memory_op", "remove_from_physmap", "{'domid':0,'gpfn':'%s'}".formatted(MAPPED_AT));
    host.clear();
    host.assertConsistent();
  }

  @Override
  public Stream<Row<XenHost>> rows() {
    return Stream.concat(populating(), restricting());
  }

  private static Stream<Row<XenHost>> populating() {
    return Stream.of(
        row(
            "30 what is to be populated on demand costs nothing and looks like RAM",
            h -> {
              assertThat(mark(h, P, "0x400", 9)).isEqualTo(1);
              assertThat(h.pages(P)).isZero();
              assertPod(h, 512, 0);
              assertThat(memType(h, P, "0x405")).isZero();
            }),
        row(
            "31 the first access to a leaf shatters it where the cache has none that large",
            h -> {
              mark(h, P, "0x400", 9);
              assertThat(target(h, P, 256)).isZero();
              assertThat(h.pages(P)).isEqualTo(256);
              assertPod(h, 512, 256);
              assertThat(access(h, P, "0x405010", "read")).isEqualTo("done");
              assertThat(h.type(P, "0x405")).isEqualTo("ram_rw");
              assertThat(h.lookup(P, "0x405").get("order").asInt()).isZero();
              assertThat(h.type(P, "0x406")).isEqualTo("populate_on_demand");
              assertPod(h, 511, 255);
              assertThat(h.pages(P)).isEqualTo(256);
            }),
        row(
            "32 what set_pod_target refuses and ignores",
            h -> {
              mark(h, P, "0x400", 9);
              assertThat(target(h, P, 1025)).isEqualTo(-22);
              h.create(3, 0, 0, 1);
              assertThat(target(h, 3, 0)).isEqualTo(-22);
              assertThat(h.ret("memory_op", "get_pod_target", "{'domid':3}")).isEqualTo(-22);
              assertThat(h.ret("memory_op", "get_pod_target", "{'domid':77}")).isEqualTo(-3);
              assertThat(h.ret("memory_op", "get_pod_target", "{'domid':32752}", P)).isEqualTo(-1);
              target(h, P, 100);
              assertThat(target(h, P, 99)).isZero();
              assertPod(h, 512, 100);
            }),
        row(
            "33 an access for which no frame is left crashes the domain",
            h -> {
              mark(h, P, "0x400", 9);
              target(h, P, 1);
              assertThat(access(h, P, "0x405000", "write")).isEqualTo("done");
              access(h, P, "0x406000", "read");
              assertThat(crashed(h, P)).isTrue();
              assertThat(h.type(P, "0x406")).isEqualTo("populate_on_demand");
              assertThat(h.type(P, "0x405")).isEqualTo("ram_rw");
            }),
        row(
            "33 a page of zeros pays for the next one",
            h -> {
              mark(h, P, "0x400", 9);
              target(h, P, 1);
              access(h, P, "0x405000", "read");
              assertThat(access(h, P, "0x406000", "read")).isEqualTo("done");
              assertThat(h.type(P, "0x405")).isEqualTo("populate_on_demand");
              assertThat(h.type(P, "0x406")).isEqualTo("ram_rw");
              assertPod(h, 511, 0);
            }),
        row(
            "34 devices cannot wait for memory",
            h -> {
              mark(h, P, "0x200", 9);
              h.done(
                  "domctl",
                  "iomem_permission",
                  "{'domain':2,'first_mfn':'0xfe000','nr_mfns':1,'allow_access':1}");
              assertThat(mark(h, P, "0x400", 9)).isZero();
              assertThat(target(h, P, 256)).isEqualTo(-39);
              assertPod(h, 512, 0);
            }),
        row(
            "35 memory that waits can be taken back, and its frames with it",
            h -> {
              mark(h, P, "0x400", 9);
              target(h, P, 512);
              assertPod(h, 512, 512);
              assertThat(decrease(h, P, "0x400", 9)).isEqualTo(1);
              assertPod(h, 0, 0);
              assertThat(h.pages(P)).isZero();
              String self =
                  "{'domid':32752,'extent_start':['0x300'],'extent_order':0,'mem_flags':65536}";
              assertThat(h.ret("memory_op", "populate_physmap", self, P)).isZero();
              assertThat(mark(h, D, "0x10", 0)).isZero();
              assertThat(h.type(D, "0x10")).isEqualTo("ram_rw");
            }),
        row(
            "36 who looks closely populates",
            h -> {
              mark(h, P, "0x400", 9);
              target(h, P, 256);
              foreignMap(h, P, "0x401");
              assertPod(h, 511, 255);
              h.done("domctl", "getpageframeinfo", "{'domain':2,'num':1,'array':['0x402']}");
              assertPod(h, 510, 254);
              h.done(
                  "dm_op", "set_mem_type", "{'domid':2,'nr':1,'mem_type':1,'first_pfn':'0x403'}");
              assertPod(h, 509, 253);
              h.done("memory_op", "remove_from_physmap", "{'domid':2,'gpfn':'0x404'}");
              assertPod(h, 508, 252);
              assertThat(h.pages(P)).isEqualTo(256);
            }));
  }

  private static Stream<Row<XenHost>> restricting() {
    return Stream.of(
        row(
            "37 access_op, its refusals and the default",
            h -> {
              assertThat(setAccess(h, "0x5", 1, 1)).isEqualTo(-19);
              listen(h, MONITOR);
              assertThat(setAccess(h, "0x1ff", 2, 1)).isEqualTo(-22);
              assertThat(setAccess(h, "0x5", 1, 12)).isEqualTo(-22);
              assertThat(setAccess(h, "0x5", 0, 1)).isEqualTo(-22);
              h.decrease(D, "0x20");
              assertThat(setAccess(h, "0x20", 1, 1)).isZero();
              assertThat(getAccess(h, "0x20").ret()).isEqualTo(-3);
              assertThat(getAccess(h, "0x200").ret()).isEqualTo(-22);
              assertThat(setAccess(h, "0xffffffffffffffff", 0, 1)).isZero();
              assertThat(getAccess(h, "0xffffffffffffffff").out().get("access").asInt())
                  .isEqualTo(1);
              assertThat(h.populate(D, "0x600", 0)).isEqualTo(1);
              assertThat(h.lookup(D, "0x600").get("access").asText()).isEqualTo("r");
              assertThat(h.lookup(D, "0x5").get("access").asText()).isEqualTo("rwx");
            }),
        row(
            "37 several pages at once, as far as the lists are right",
            h -> {
              listen(h, MONITOR);
              assertThat(
                      h.ret(
                          "memory_op",
                          "access_op",
                          """
                          {'op':4,'domid':1,'nr':3,'pfn_list':['0x5','0x7','0x9'],
                           'access_list':[1,5,12]}\
                          """))
                  .isEqualTo(-22);
              assertThat(getAccess(h, "0x5").out().get("access").asInt()).isEqualTo(1);
              assertThat(getAccess(h, "0x7").out().get("access").asInt()).isEqualTo(5);
              assertThat(getAccess(h, "0x9").out().get("access").asInt()).isEqualTo(7);
              assertThat(h.ret("memory_op", "access_op", "{'op':2,'domid':1}")).isEqualTo(-38);
              assertThat(h.ret("memory_op", "access_op", "{'op':0,'domid':0}")).isEqualTo(-1);
              assertThat(h.ret("memory_op", "access_op", "{'op':0,'domid':77}")).isEqualTo(-3);
            }),
        row(
            "38 rx2rw becomes rw in silence, n2rwx becomes rwx with one event",
            h -> {
              listen(h, MONITOR);
              setAccess(h, "0x5", 1, 8);
              setAccess(h, "0x6", 1, 9);
              assertThat(access(h, D, "0x5000", "write")).isIn("done", "retry");
              assertThat(h.lookup(D, "0x5").get("access").asText()).isEqualTo("rw");
              assertThat(events(h)).isEmpty();
              assertThat(access(h, D, "0x6010", "read")).isIn("done", "retry");
              assertThat(h.lookup(D, "0x6").get("access").asText()).isEqualTo("rwx");
              assertThat(events(h)).hasSize(1);
              assertThat(events(h).at("/0/vcpuPaused").asBoolean()).isFalse();
              assertThat(events(h).at("/0/offset").asInt()).isEqualTo(0x10);
              assertThat(access(h, D, "0x6000", "write")).isEqualTo("done");
            }),
        row(
            "38 a monitor is told of what is forbidden, and the vCPU waits",
            h -> {
              listen(h, MONITOR);
              setAccess(h, "0x5", 1, 1);
              assertThat(access(h, D, "0x5000", "read")).isEqualTo("done");
              assertThat(access(h, D, "0x5008", "write")).isEqualTo("pending");
              assertThat(events(h).at("/0/ring").asText()).isEqualTo("monitor");
              assertThat(events(h).at("/0/flags").toString()).isEqualTo("[\"r\",\"w\"]");
              setAccess(h, "0x5", 1, 7);
              answer(h, events(h).at("/0/id").asLong());
              assertThat(events(h)).isEmpty();
              assertThat(access(h, D, "0x5008", "write")).isEqualTo("done");
            }),
        row(
            "38 without a monitor the page is freed of its restriction, or the domain crashes",
            h -> {
              listen(h, MONITOR);
              setAccess(h, "0x5", 2, 1);
              assertThat(event(h, 1, MONITOR)).isZero();
              assertThat(access(h, D, "0x5000", "write")).isIn("done", "retry");
              assertThat(h.lookup(D, "0x5").get("access").asText()).isEqualTo("rwx");
              h.done("domctl", "set_access_required", "{'domain':1,'access_required':1}");
              access(h, D, "0x6000", "write");
              assertThat(crashed(h, D)).isTrue();
            }),
        row(
            "39 a page that is touched while it is nominated comes back with its frame",
            h -> {
              assertThat(paging(h, 0, "0x5")).isEqualTo(-19);
              listen(h, PAGING);
              JsonNode frame = h.lookup(D, "0x5").get("mfn");
              assertThat(paging(h, 0, "0x5")).isZero();
              assertThat(h.type(D, "0x5")).isEqualTo("ram_paging_out");
              assertThat(paging(h, 0, "0x5")).isEqualTo(-16);
              assertThat(access(h, D, "0x5000", "read")).isEqualTo("pending");
              assertThat(h.type(D, "0x5")).isEqualTo("ram_paging_in");
              assertThat(h.lookup(D, "0x5").get("mfn")).isEqualTo(frame);
              assertThat(events(h).at("/0/flags").toString()).isEqualTo("[\"evict_fail\"]");
              assertThat(events(h).at("/0/vcpuPaused").asBoolean()).isTrue();
              assertThat(paging(h, 1, "0x5")).isEqualTo(-16);
              assertThat(paging(h, 2, "0x5")).isZero();
              assertThat(h.type(D, "0x5")).isEqualTo("ram_rw");
              assertThat(h.info(D).get("paged_pages").asInt()).isZero();
              answer(h, events(h).at("/0/id").asLong());
              assertThat(access(h, D, "0x5000", "read")).isEqualTo("done");
            }),
        row(
            "40 an evicted page has no frame until the pager brings its contents",
            h -> {
              listen(h, PAGING);
              long before = h.pages(D);
              assertThat(paging(h, 0, "0x5")).isZero();
              assertThat(paging(h, 1, "0x5")).isZero();
              assertThat(h.type(D, "0x5")).isEqualTo("ram_paged");
              assertThat(h.info(D).get("paged_pages").asInt()).isEqualTo(1);
              assertThat(h.pages(D)).isEqualTo(before - 1);
              assertThat(paging(h, 2, "0x5")).isEqualTo(-22);
              assertThat(prepare(h, "0x5", "ab".repeat(4096))).isZero();
              assertThat(h.type(D, "0x5")).isEqualTo("ram_rw");
              assertThat(h.lookup(D, "0x5").get("m2p").asText()).isEqualTo("0x5");
              assertThat(h.info(D).get("paged_pages").asInt()).isZero();
              assertThat(h.pages(D)).isEqualTo(before);
              assertThat(
                      h.daemon().get("/v1/domains/1/memory?gpa=0x5ffe&length=2").body().toString())
                  .contains("abab");
              assertThat(prepare(h, "0x5", "ab".repeat(4096))).isEqualTo(-2);
              assertThat(paging(h, 3, "0x5")).isEqualTo(-38);
            }),
        row(
            "40 a vCPU that touches an evicted page waits for the pager",
            h -> {
              listen(h, PAGING);
              paging(h, 0, "0x5");
              paging(h, 1, "0x5");
              assertThat(access(h, D, "0x5004", "read")).isEqualTo("pending");
              assertThat(h.type(D, "0x5")).isEqualTo("ram_paging_in");
              assertThat(access(h, D, "0x6000", "read")).isEqualTo("pending");
              assertThat(prepare(h, "0x5", "cd".repeat(4096))).isZero();
              answer(h, events(h).at("/0/id").asLong());
              assertThat(access(h, D, "0x5004", "read")).isEqualTo("done");
            }),
        row(
            "41 what cannot be nominated",
            h -> {
              listen(h, PAGING);
              foreignMap(h, D, "0x8");
              assertThat(paging(h, 0, "0x8")).isEqualTo(-16);
              assertThat(paging(h, 0, "0x4000")).isEqualTo(-16);
              h.done("dm_op", "set_mem_type", "{'domid':1,'nr':1,'mem_type':1,'first_pfn':'0x9'}");
              assertThat(paging(h, 0, "0x9")).isEqualTo(-16);
              assertThat(paging(h, 0, "0x1ff")).isEqualTo(-16);
              GrantAcceptanceTest.grant(h, 9, 1, 0xa);
              assertThat(GrantAcceptanceTest.mapGrant(h, 9, 2, "0x5000000").get("status").asInt())
                  .isZero();
              assertThat(paging(h, 0, "0xa")).isEqualTo(-16);
            }));
  }

  private static void assertPod(XenHost h, long entries, long cached) {
    JsonNode out = h.done("memory_op", "get_pod_target", "{'domid':2}");
    assertThat(out.get("pod_entries").asLong()).isEqualTo(entries);
    assertThat(out.get("pod_cache_pages").asLong()).isEqualTo(cached);
  }

  private static long mark(XenHost h, int id, String gfn, int order) {
    return h.ret(
        "memory_op",
        "populate_physmap",
        "{'domid':%d,'extent_start':['%s'],'extent_order':%d,'mem_flags':%d}"
            .formatted(id, gfn, order, POPULATE_ON_DEMAND));
  }

  private static long decrease(XenHost h, int id, String gfn, int order) {
    return h.ret(
        "memory_op",
        "decrease_reservation",
        "{'domid':%d,'extent_start':['%s'],'extent_order':%d}".formatted(id, gfn, order));
  }

  private static long target(XenHost h, int id, long pages) {
    return h.ret(
        "memory_op", "set_pod_target", "{'domid':%d,'target_pages':%d}".formatted(id, pages));
  }

  private static int memType(XenHost h, int id, String gfn) {
    return h.done("hvm_op", "get_mem_type", "{'domid':%d,'pfn':'%s'}".formatted(id, gfn))
        .get("mem_type")
        .asInt();
  }

  private static boolean crashed(XenHost h, int id) {
    long flags = Long.decode(h.info(id).get("flags").asText());
    return (flags >>> 16 & 0xff) == CRASHED;
  }

  private static String access(XenHost h, int id, String gpa, String op) {
    String data = op.equals("read") ? "" : ",\"data\":\"0x2a\"";
    return h.daemon()
        .post(
            "/v1/domains/" + id + "/vcpus/0/access",
            "{\"gpa\":\"%s\",\"op\":\"%s\",\"size\":4%s}".formatted(gpa, op, data))
        .at("/outcome");
  }

  /** dom0 maps a page of another domain's. */
  private static void foreignMap(XenHost h, int id, String gfn) {
    String page = "{'domid':0,'space':4,'foreign_domid':%d,'idxs':['%s'],'gpfns':['%s']}";
    JsonNode out = h.done("memory_op", "add_to_physmap_batch", page.formatted(id, gfn, MAPPED_AT));
    assertThat(out.at("/errs/0").asInt()).isZero();
  }

  /** Somebody listens to a ring of D's, whose page is D's last. */
  private static void listen(XenHost h, int mode) {
    h.done(
        "hvm_op",
        "set_param",
        "{'domid':1,'index':%d,'value':'0x1ff'}".formatted(mode == PAGING ? 27 : 28));
    assertThat(event(h, 0, mode)).isZero();
  }

  private static long event(XenHost h, int op, int mode) {
    return h.ret("domctl", "vm_event_op", "{'domain':1,'op':%d,'mode':%d}".formatted(op, mode));
  }

  private static JsonNode events(XenHost h) {
    return h.daemon().get("/v1/domains/1/vm-events").body().get("items");
  }

  private static void answer(XenHost h, long id) {
    h.daemon().post("/v1/domains/1/vm-events/responses", "{\"id\":%d}".formatted(id));
  }

  private static long setAccess(XenHost h, String gfn, long nr, int access) {
    return h.ret(
        "memory_op",
        "access_op",
        "{'op':0,'domid':1,'pfn':'%s','nr':%d,'access':%d}".formatted(gfn, nr, access));
  }

  private static XenHost.Result getAccess(XenHost h, String gfn) {
    return h.call("memory_op", "access_op", "{'op':1,'domid':1,'pfn':'%s'}".formatted(gfn));
  }

  private static long paging(XenHost h, int op, String gfn) {
    return h.ret("memory_op", "paging_op", "{'op':%d,'domain':1,'gfn':'%s'}".formatted(op, gfn));
  }

  private static long prepare(XenHost h, String gfn, String bytes) {
    return h.ret(
        "memory_op",
        "paging_op",
        "{'op':2,'domain':1,'gfn':'%s','buffer':'%s'}".formatted(gfn, bytes));
  }
}
