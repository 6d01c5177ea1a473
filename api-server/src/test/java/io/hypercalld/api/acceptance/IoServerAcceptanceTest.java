package io.hypercalld.api.acceptance;

import static io.hypercalld.api.acceptance.ModelBehaviours.model;
import static io.hypercalld.api.acceptance.XenHost.D;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.stream.Stream;

/** Xen's behaviours 59 to 66: ioreq servers, their ports, pages and ranges. */
final class IoServerAcceptanceTest implements ModelBehaviours {
  private static final int PORT = 0;
  private static final int MEMORY = 1;
  private static final int PCI = 2;
  private static final int ATOMIC = 2;
  private static final int HELPER = 2;

  @Override
  public Stream<Row<XenHost>> rows() {
    return Stream.of(
        model(
            "59 ids are given from the lowest, eight of them",
            m -> {
              for (int id = 0; id < 8; id++) {
                assertThat(m.create(0)).isEqualTo(id);
              }
              assertThat(m.op("create_ioreq_server", "'handle_bufioreq':0")).isEqualTo(-28);
              assertThat(m.destroy(3)).isZero();
              assertThat(m.create(0)).isEqualTo(3);
              assertThat(m.destroy(3)).isZero();
              assertThat(m.op("create_ioreq_server", "'handle_bufioreq':3")).isEqualTo(-22);
              assertThat(m.op("create_ioreq_server", "'pad':[0,1]")).isEqualTo(-22);
              assertThat(m.create(0)).isEqualTo(3);
              assertThat(m.op("destroy_ioreq_server", "'id':1,'pad':1")).isEqualTo(-22);
              assertThat(m.destroy(9)).isEqualTo(-2);
            }),
        model(
            "60 ports go to vCPU 0, to the ring, to the other vCPUs, or to nobody",
            m -> {
              assertThat(m.create(ATOMIC)).isZero();
              assertThat(m.create(0)).isEqualTo(1);
              JsonNode first = server(m, 0);
              assertThat(first.get("ports").toString()).isEqualTo("[1,3]");
              assertThat(first.get("bufioreqPort").asInt()).isEqualTo(2);
              assertThat(server(m, 1).get("ports").toString()).isEqualTo("[4,5]");
              assertThat(m.status(D, 1)).isEqualTo(-1);
              assertThat(m.xen().ret("event_channel_op", "close", "{'port':1}", D)).isEqualTo(-22);
              assertThat(m.xen().ret("event_channel_op", "send", "{'port':1}", D)).isEqualTo(-22);
              m.bind(1);

              m.xen()
                  .done(
                      "domctl",
                      "createdomain",
                      XenHost.creation(HELPER, 3, 0x3ff, 2)
                          .replace("'max_evtchn_port':1023", "'max_evtchn_port':2"));
              m.xen().done("domctl", "max_vcpus", "{'domain':2,'max':2}");
              assertThat(
                      m.xen()
                          .ret("dm_op", "create_ioreq_server", "{'domid':2,'handle_bufioreq':2}"))
                  .isEqualTo(-28);
              assertThat(m.xen().daemon().get("/v1/domains/2/ioreq-servers").body().get("items"))
                  .isEmpty();
              assertThat(m.xen().ret("dm_op", "create_ioreq_server", "{'domid':2}")).isZero();
              // Both ports that there are, so the one that failed kept none.
              assertThat(
                      m.xen()
                          .daemon()
                          .get("/v1/domains/2/ioreq-servers/0")
                          .body()
                          .get("ports")
                          .toString())
                  .isEqualTo("[1,2]");
            }),
        model(
            "61 a server says its port, and its guest frames where there are some",
            m -> {
              int off = m.create(0);
              assertThat(m.op("get_ioreq_server_info", "'id':0,'flags':2")).isEqualTo(-22);
              assertThat(m.op("get_ioreq_server_info", "'id':5")).isEqualTo(-2);
              helper(m);
              assertThat(m.op("get_ioreq_server_info", "'id':0", HELPER)).isEqualTo(-1);
              assertThat(m.op("get_ioreq_server_info", "'id':0")).isEqualTo(-12);
              param(m, 32, 0x10);
              param(m, 33, 4);
              JsonNode info = m.out("get_ioreq_server_info", "'id':0");
              assertThat(info.get("ioreq_gfn").asText()).isEqualTo("0x10");
              assertThat(
                      info.path("bufioreq_gfn").isValueNode()
                          && !info.path("bufioreq_gfn").isNull())
                  .isFalse();
              assertThat(
                      info.path("bufioreq_port").isValueNode()
                          && !info.path("bufioreq_port").isNull())
                  .isFalse();
              assertThat(m.acquire(off, 1, 0x400_0010)).isEqualTo(-1);

              int ring = m.create(ATOMIC);
              JsonNode both = m.out("get_ioreq_server_info", "'id':" + ring);
              assertThat(both.get("ioreq_gfn").asText()).isEqualTo("0x11");
              assertThat(both.get("bufioreq_gfn").asText()).isEqualTo("0x12");
              assertThat(m.enable(ring, true)).isZero();
              assertThat(m.xen().type(D, "0x11")).isEqualTo("mmio_dm");
              assertThat(m.enable(ring, false)).isZero();
              assertThat(m.xen().type(D, "0x11")).isEqualTo("ram_rw");
              assertThat(m.destroy(ring)).isZero();
              assertThat(m.destroy(off)).isZero();
              assertThat(m.xen().pages(D)).isEqualTo(512);
            }),
        model(
            "62 pages are acquired as a resource by their emulator alone",
            m -> {
              int off = m.create(0);
              int ring = m.create(ATOMIC);
              JsonNode size =
                  m.xen().done("memory_op", "acquire_resource", resource(ring, 0, "'nr_frames':0"));
              assertThat(size.get("nr_frames").asInt()).isEqualTo(2);
              assertThat(acquire(m, resource(ring, 0, "'nr_frames':1"))).isEqualTo(-22);
              assertThat(acquire(m, resource(ring, 0, "'nr_frames':0,'pad':1"))).isEqualTo(-22);
              m.acquire(ring, 1);
              m.acquire(ring, 0);
              assertThat(m.acquire(off, 0, 0x400_0010)).isEqualTo(-2);
              assertThat(m.acquire(ring, 2, 0x400_0010)).isEqualTo(-22);
              assertThat(m.acquire(0x10000, 1, 0x400_0010)).isEqualTo(-22);
              assertThat(m.acquire(5, 1, 0x400_0010)).isEqualTo(-2);
              assertThat(acquire(m, resource(ring, 7, "'nr_frames':0"))).isEqualTo(-22);
              param(m, 32, 0x10);
              param(m, 33, 4);
              assertThat(m.op("get_ioreq_server_info", "'id':" + ring)).isEqualTo(-1);
              assertThat(m.op("get_ioreq_server_info", "'id':1,'flags':1")).isZero();
              assertThat(m.xen().pages(D)).isEqualTo(512);
            }),
        model(
            "63 a range is checked in Xen's order",
            m -> {
              int server = m.create(0);
              int other = m.create(0);
              helper(m);
              assertThat(m.map(77, MEMORY, 2, 1)).isEqualTo(-22);
              assertThat(m.map(77, MEMORY, 1, 2)).isEqualTo(-2);
              assertThat(
                      m.op(
                          "map_io_range_to_ioreq_server",
                          "'id':0,'type':9,'start':1,'end':2",
                          HELPER))
                  .isEqualTo(-1);
              assertThat(m.map(server, 3, 1, 2)).isEqualTo(-22);
              assertThat(m.map(server, PORT, 0x100, 0x10f)).isZero();
              assertThat(m.map(server, PORT, 0x100, 0x10f)).isEqualTo(-17);
              assertThat(m.map(server, PORT, 0x10f, 0x110)).isEqualTo(-17);
              assertThat(m.map(other, PORT, 0x10f, 0x110)).isZero();
              assertThat(
                      m.op(
                          "map_io_range_to_ioreq_server",
                          "'id':77,'pad':1,'type':1,'start':2,'end':1"))
                  .isEqualTo(-22);
            }),
        model(
            "64 a server has 256 ranges of a kind, of which adjacent ones count once",
            m -> {
              int server = m.create(0);
              for (int range = 0; range < 256; range++) {
                assertThat(m.map(server, MEMORY, range * 0x10L, range * 0x10L + 7)).isZero();
              }
              assertThat(m.map(server, MEMORY, 0x10000, 0x10007)).isEqualTo(-12);
              assertThat(m.map(server, MEMORY, 0x8, 0xb)).isZero();
              assertThat(m.unmap(server, MEMORY, 0x12, 0x13)).isEqualTo(-12);
              assertThat(m.map(server, PCI, 0x18, 0x18)).isZero();
              assertThat(m.unmap(server, MEMORY, 0x10, 0x17)).isZero();
              assertThat(m.map(server, MEMORY, 0x10000, 0x10007)).isZero();
            }),
        model(
            "65 adjacent ranges are one, and a hole in it none",
            m -> {
              int server = m.serving(0, PORT, 0x100, 0x103);
              assertThat(m.map(server, PORT, 0x104, 0x107)).isZero();
              assertThat(m.in(0x102, 4).get("outcome").asText()).isEqualTo("pending");
              assertThat(m.request(server).get("address").asText()).isEqualTo("0x102");
              m.respond(server, 0x12345678);
              assertThat(m.in(0x102, 4).get("data").asText()).isEqualTo("0x12345678");
              assertThat(m.unmap(server, PORT, 0x102, 0x105)).isZero();
              assertThat(m.unmap(server, PORT, 0x100, 0x107)).isEqualTo(-2);
              JsonNode unclaimed = m.in(0x100, 4);
              assertThat(unclaimed.get("outcome").asText()).isEqualTo("emulated");
              assertThat(unclaimed.get("data").asText()).isEqualTo("0xffffffff");
            }),
        model(
            "66 the enabled server with the highest id is asked",
            m -> {
              int low = m.serving(0, MEMORY, 0xf000_0000L, 0xf000_0fffL);
              int high = m.serving(0, MEMORY, 0xf000_0000L, 0xf000_0fffL);
              assertThat(m.read(0xf000_0010L, 4).get("server").asInt()).isEqualTo(high);
              m.respond(high, 1);
              assertThat(m.read(0xf000_0010L, 4).get("data").asText()).isEqualTo("0x1");
              assertThat(m.enable(high, false)).isZero();
              assertThat(m.read(0xf000_0010L, 4).get("server").asInt()).isEqualTo(low);
              m.respond(low, 2);
              assertThat(m.enable(high, true)).isZero();
              m.letGo();
              assertThat(m.destroy(low)).isZero();
              assertThat(m.serving(0, MEMORY, 0xf000_0000L, 0xf000_0fffL)).isEqualTo(low);
              assertThat(m.read(0xf000_0020L, 4).get("server").asInt()).isEqualTo(high);
            }),
        model(
            "vCPUs made later get a port at every server, or are not made",
            m -> {
              m.xen().clear();
              m.xen().done("domctl", "createdomain", XenHost.creation(D, 3, 0x3ff, 2));
              assertThat(m.create(ATOMIC)).isZero();
              assertThat(server(m, 0).get("ports")).isEmpty();
              m.xen().done("domctl", "max_vcpus", "{'domain':1,'max':2}");
              assertThat(server(m, 0).get("ports").toString()).isEqualTo("[1,3]");
              assertThat(server(m, 0).get("bufioreqPort").asInt()).isEqualTo(2);
            }));
  }

  private static JsonNode server(ModelHost m, int id) {
    return m.xen().daemon().get("/v1/domains/1/ioreq-servers/" + id).body();
  }

  /** Another device model of D's. */
  private static void helper(ModelHost m) {
    m.xen().create(HELPER, 3, 0x3ff, 1);
    m.xen().done("domctl", "set_target", "{'domain':2,'target':1}");
  }

  private static void param(ModelHost m, int index, int value) {
    m.xen()
        .done("hvm_op", "set_param", "{'domid':1,'index':%d,'value':%d}".formatted(index, value));
  }

  private static String resource(int server, int type, String more) {
    return "{'domid':1,'type':%d,'id':%d,'frame':'0x0',%s}".formatted(type, server, more);
  }

  private static long acquire(ModelHost m, String arguments) {
    return m.xen().ret("memory_op", "acquire_resource", arguments);
  }
}
