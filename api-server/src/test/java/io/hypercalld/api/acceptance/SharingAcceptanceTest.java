package io.hypercalld.api.acceptance;

import static io.hypercalld.api.acceptance.NumberedBehaviours.row;
import static io.hypercalld.api.acceptance.XenHost.D;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.stream.Stream;

/** Xen's sharing of frames, as far as it is simulated: two guests like D. */
final class SharingAcceptanceTest implements XenBehaviours {
  /** The other guest. */
  private static final int E = 2;

  private static final int SHARING = 3;
  private static final int CRASHED = 3;

  @Override
  public void begin(XenHost host) {
    host.freshD();
    host.hvm(E, 2, 1024);
    assertThat(host.populate(E, "0x0", 9)).isEqualTo(1);
  }

  @Override
  public void end(XenHost host) {
    host.assertConsistent();
    host.clear();
    host.assertConsistent();
    assertThat(count(host, "get_sharing_shared_pages")).isZero();
  }

  @Override
  public Stream<Row<XenHost>> rows() {
    return Stream.of(
        row(
            "a nominated page is charged to nobody, and has one handle",
            h -> {
              long handle = nominate(h, D, "0x5");
              assertThat(nominate(h, D, "0x5")).isEqualTo(handle);
              assertThat(h.type(D, "0x5")).isEqualTo("ram_shared");
              assertThat(h.pages(D)).isEqualTo(511);
              assertThat(h.info(D).get("shr_pages").asInt()).isEqualTo(1);
              assertThat(count(h, "get_sharing_shared_pages")).isEqualTo(1);
              assertThat(count(h, "get_sharing_freed_pages")).isZero();
            }),
        row(
            "a granted page can be nominated by its grant, and sharers are counted",
            h -> {
              assertThat(debug(h, "'op':3,'gfn':'0x5'")).isEqualTo(-22);
              share(h);
              String mfn = h.lookup(D, "0x5").get("mfn").asText();
              assertThat(debug(h, "'op':3,'gfn':'0x5'")).isEqualTo(2);
              assertThat(debug(h, "'op':4,'mfn':'" + mfn + "'")).isEqualTo(2);
              assertThat(debug(h, "'op':5,'gref':512")).isEqualTo(-2);
              assertThat(debug(h, "'op':5,'gref':9")).isEqualTo(-6);
              assertThat(debug(h, "'op':1,'grant_ref':9")).isEqualTo(-6);
              h.done(
                  "memory_op",
                  "add_to_physmap",
                  "{'domid':1,'space':1,'idx':'0x0','gpfn':'0x3000'}");
              h.daemon()
                  .put("/v1/domains/1/memory?gpa=0x3000048", "{\"data\":\"0100020005000000\"}");
              assertThat(debug(h, "'op':5,'gref':9")).isEqualTo(2);
              String byGrant = "{'op':1,'domain':1,'grant_ref':9}";
              assertThat(h.done("memory_op", "sharing_op", byGrant).get("handle").asLong())
                  .isEqualTo(nominate(h, D, "0x5"));
              String named =
                  """
                  {'op':%d,'domain':1,'source_gfn':'0x400000000000000%d','source_handle':%d,
                   'client_domain':2,'client_gfn':'0x6','client_handle':%d}\
                  """;
              long source = nominate(h, D, "0x5");
              long client = nominate(h, E, "0x6");
              assertThat(h.ret("memory_op", "sharing_op", named.formatted(2, 8, source, client)))
                  .isEqualTo(-6);
              assertThat(h.ret("memory_op", "sharing_op", named.formatted(6, 9, source, client)))
                  .isEqualTo(-22);
              assertThat(h.ret("memory_op", "sharing_op", named.formatted(2, 9, source, client)))
                  .isZero();
              assertThat(h.lookup(E, "0x6").get("mfn").asText()).isEqualTo(mfn);
            }),
        row(
            "two pages share a frame until one is written",
            h -> {
              access(h, D, "write");
              share(h);
              assertThat(h.lookup(E, "0x5").get("mfn")).isEqualTo(h.lookup(D, "0x5").get("mfn"));
              assertThat(count(h, "get_sharing_freed_pages")).isEqualTo(1);
              assertThat(access(h, E, "read")).isEqualTo("done");
              assertThat(h.type(E, "0x5")).isEqualTo("ram_shared");
              assertThat(access(h, E, "write")).isEqualTo("done");
              assertThat(h.type(E, "0x5")).isEqualTo("ram_rw");
              assertThat(h.type(D, "0x5")).isEqualTo("ram_shared");
              assertThat(h.pages(E)).isEqualTo(512);
              assertThat(count(h, "get_sharing_freed_pages")).isZero();
            }),
        row(
            "handles that are wrong have numbers of their own",
            h -> {
              long source = nominate(h, D, "0x5");
              long client = nominate(h, E, "0x5");
              assertThat(share(h, 99, client)).isEqualTo(-10);
              assertThat(share(h, source, 99)).isEqualTo(-9);
              assertThat(share(h, source, client)).isZero();
              assertThat(share(h, source, client)).isZero();
              assertThat(
                      h.ret(
                          "memory_op",
                          "sharing_op",
                          """
                          {'op':6,'domain':1,'source_gfn':'0x5','source_handle':%d,
                           'client_domain':2,'client_gfn':'0x6'}\
                          """
                              .formatted(source)))
                  .isEqualTo(-9);
            }),
        row(
            "ranges are shared where they can be, between paused domains",
            h -> {
              nominate(h, E, "0x5");
              assertThat(range(h, "0x10", "0x1f")).isZero();
              assertThat(count(h, "get_sharing_freed_pages")).isEqualTo(16);
              assertThat(range(h, "0x10", "0x200")).isEqualTo(-22);
              h.done("domctl", "unpausedomain", "{'domain':2}");
              assertThat(range(h, "0x20", "0x2f")).isEqualTo(-22);
              assertThat(h.ret("memory_op", "sharing_op", "{'op':7,'domain':1}")).isZero();
            }),
        row(
            "a write that finds no memory waits for a listener, or crashes",
            h -> {
              share(h);
              h.limit(E, 511);
              h.done("hvm_op", "set_param", "{'domid':2,'index':29,'value':'0x1ff'}");
              h.done("domctl", "vm_event_op", "{'domain':2,'op':0,'mode':%d}".formatted(SHARING));
              assertThat(access(h, E, "write")).isEqualTo("pending");
              h.limit(E, 512);
              JsonNode events = h.daemon().get("/v1/domains/2/vm-events").body().get("items");
              h.daemon()
                  .post(
                      "/v1/domains/2/vm-events/responses",
                      "{\"id\":%d}".formatted(events.at("/0/id").asLong()));
              assertThat(events.get(events.size() - 1).get("ring").asText()).isEqualTo("sharing");
            }),
        row(
            "a write that finds neither memory nor a listener crashes the domain",
            h -> {
              share(h);
              h.limit(E, 511);
              access(h, E, "write");
              assertThat(Long.decode(h.info(E).get("flags").asText()) >>> 16 & 0xff)
                  .isEqualTo(CRASHED);
            }));
  }

  private static long nominate(XenHost h, int id, String gfn) {
    return h.done("memory_op", "sharing_op", "{'op':0,'domain':%d,'gfn':'%s'}".formatted(id, gfn))
        .get("handle")
        .asLong();
  }

  /** What an operation on D answers. */
  private static long debug(XenHost h, String members) {
    return h.ret("memory_op", "sharing_op", "{'domain':1," + members + "}");
  }

  /** E's page 5 is that of D's. */
  private static void share(XenHost h) {
    assertThat(share(h, nominate(h, D, "0x5"), nominate(h, E, "0x5"))).isZero();
  }

  private static long share(XenHost h, long source, long client) {
    return h.ret(
        "memory_op",
        "sharing_op",
        """
        {'op':2,'domain':1,'source_gfn':'0x5','source_handle':%d,
         'client_domain':2,'client_gfn':'0x5','client_handle':%d}\
        """
            .formatted(source, client));
  }

  private static long range(XenHost h, String first, String last) {
    return h.ret(
        "memory_op",
        "sharing_op",
        "{'op':8,'domain':1,'client_domain':2,'first_gfn':'%s','last_gfn':'%s'}"
            .formatted(first, last));
  }

  private static long count(XenHost h, String op) {
    return h.ret("memory_op", op, "{}");
  }

  private static String access(XenHost h, int id, String op) {
    String data = op.equals("read") ? "" : ",\"data\":\"0x2a\"";
    return h.daemon()
        .post(
            "/v1/domains/" + id + "/vcpus/0/access",
            "{\"gpa\":\"0x5000\",\"op\":\"%s\",\"size\":4%s}".formatted(op, data))
        .at("/outcome");
  }
}
