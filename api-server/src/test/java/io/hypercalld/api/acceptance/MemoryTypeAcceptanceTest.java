package io.hypercalld.api.acceptance;

import static io.hypercalld.api.acceptance.ModelBehaviours.model;
import static io.hypercalld.api.acceptance.XenHost.D;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.stream.Stream;

/** Xen's behaviours 75 to 86 and 89: pages whose writes are a server's. */
final class MemoryTypeAcceptanceTest implements ModelBehaviours {
  private static final int RAM_RW = 0;
  private static final int RAM_RO = 1;
  private static final int MMIO_DM = 2;
  private static final int IOREQ_SERVER = 4;
  private static final int MEMORY = 1;
  private static final int HELPER = 2;
  private static final String NIC = "0000:03:10.0";

  @Override
  public Stream<Row<XenHost>> rows() {
    return Stream.of(
        model(
            "75 one server has the type, of writes only",
            m -> {
              int server = m.create(0);
              int other = m.create(0);
              assertThat(claim(m, "'id':0,'type':0,'flags':2")).isEqualTo(-22);
              assertThat(m.claim(server, 1)).isEqualTo(-22);
              assertThat(m.claim(server, 3)).isEqualTo(-22);
              assertThat(m.claim(7, 2)).isEqualTo(-2);
              m.xen().create(HELPER, 3, 0x3ff, 1);
              m.xen().done("domctl", "set_target", "{'domain':2,'target':1}");
              assertThat(m.op("map_mem_type_to_ioreq_server", "'id':0,'type':4,'flags':2", HELPER))
                  .isEqualTo(-1);
              assertThat(m.claim(server, 2)).isZero();
              assertThat(m.claim(server, 2)).isEqualTo(-16);
              assertThat(m.claim(other, 2)).isEqualTo(-16);
              assertThat(m.claim(other, 0)).isEqualTo(-22);
              assertThat(m.claim(server, 0)).isZero();
              assertThat(m.claim(server, 0)).isEqualTo(-22);
              assertThat(claim(m, "'id':0,'type':4,'flags':2,'opaque':'0x5'")).isZero();
              assertThat(m.claim(other, 2)).isZero();
            }),
        model(
            "76 pages are of the type once a server has it, and are counted",
            m -> {
              assertThat(m.retype(10, 4, IOREQ_SERVER)).isEqualTo(-22);
              int server = m.create(0);
              assertThat(m.claim(server, 2)).isZero();
              assertThat(m.retype(10, 4, IOREQ_SERVER)).isZero();
              assertThat(m.claimedPages()).isEqualTo(4);
              JsonNode entry = m.xen().lookup(D, "0xa");
              assertThat(entry.get("type").asText()).isEqualTo("ioreq_server");
              assertThat(permissions(m, 10)).isEqualTo(1);
              assertThat(m.retype(10, 1, IOREQ_SERVER)).isEqualTo(-22);
              assertThat(m.retype(10, 1, RAM_RO)).isEqualTo(-22);
              assertThat(m.retype(10, 1, RAM_RW)).isZero();
              assertThat(m.claimedPages()).isEqualTo(3);
              assertThat(m.retype(10, 1, 3)).isEqualTo(-22);
              assertThat(m.retype(10, 1, 5)).isEqualTo(-22);
              assertThat(m.retype(0x1ff, 2, RAM_RO)).isEqualTo(-22);
              assertThat(m.retype(10, 0, RAM_RO)).isEqualTo(-22);
            }),
        model(
            "77 writes go to the server whatever its ranges, and memory keeps what it holds",
            m -> {
              int server = claiming(m);
              int other = m.serving(0, MEMORY, 0xb000, 0xbfff);
              assertThat(m.retype(11, 1, IOREQ_SERVER)).isZero();
              m.write(0xa010, 8, 7);
              assertThat(m.read(0xb010, 8).get("outcome").asText()).isEqualTo("done");
              assertThat(m.requests(server)).isEmpty();
              assertThat(m.write(0xb010, 8, 0x1234).get("outcome").asText()).isEqualTo("pending");
              JsonNode request = m.request(server);
              assertThat(request.get("type").asText()).isEqualTo("copy");
              assertThat(request.get("address").asText()).isEqualTo("0xb010");
              assertThat(request.get("data").asText()).isEqualTo("0x1234");
              assertThat(m.requests(other)).isEmpty();
              assertThat(m.load(D, 0xb010)).isZero();
              m.respond(server, 0);
              assertThat(m.write(0xb010, 8, 0x1234).get("outcome").asText()).isEqualTo("emulated");
              assertThat(m.load(D, 0xb010)).isZero();
            }),
        model(
            "what is added to is read from memory, once, and the sum is the server's",
            m -> {
              int server = claiming(m);
              m.write(0xb010, 8, 40);
              assertThat(m.retype(11, 1, IOREQ_SERVER)).isZero();
              assertThat(m.add(0xb010, 8, 2).get("outcome").asText()).isEqualTo("pending");
              assertThat(m.request(server).get("data").asText()).isEqualTo("0x2a");
              assertThat(m.request(server).get("dir").asText()).isEqualTo("write");
              m.respond(server, 0);
              assertThat(m.add(0xb010, 8, 2).get("data").asText()).isEqualTo("0x2a");
              assertThat(m.load(D, 0xb010)).isEqualTo(40);
            }),
        model(
            "78 with the claim the pages go, 256 guest frames at a time",
            m -> {
              claiming(m);
              int other = m.create(0);
              assertThat(m.retype(0x10, 3, IOREQ_SERVER)).isZero();
              assertThat(m.xen().populate(D, "0x1000", 0)).isEqualTo(1);
              assertThat(m.retype(0x1000, 1, IOREQ_SERVER)).isZero();
              m.xen().daemon().post("/_sim/preempt", "{\"every\":1}");
              m.xen()
                  .daemon()
                  .hypercall(
                      "dm_op",
                      "map_mem_type_to_ioreq_server",
                      "{'domid':1,'id':0,'type':4,'flags':0}");
              for (long done = 0x100; done <= 0x1000; done += 0x100) {
                JsonNode pending =
                    m.xen().daemon().get("/_sim/continuations").body().get("items").get(0);
                assertThat(pending.at("/rest/opaque").asText()).isEqualTo("0x%x".formatted(done));
                assertThat(m.claim(other, 2)).isEqualTo(-16);
                m.xen().daemon().post("/_sim/continuations/" + pending.get("number").asText(), "");
              }
              assertThat(m.xen().daemon().get("/_sim/continuations").body().get("items")).isEmpty();
              m.xen().daemon().post("/_sim/preempt", "{\"every\":0}");
              assertThat(m.claimedPages()).isZero();
              assertThat(m.xen().type(D, "0x1000")).isEqualTo("ram_rw");
              assertThat(m.write(0x1_0000, 8, 1).get("outcome").asText()).isEqualTo("done");
              assertThat(m.claim(other, 2)).isZero();
            }),
        model(
            "79 a server that is destroyed leaves its pages, and who writes tries for ever",
            m -> {
              int server = claiming(m);
              assertThat(m.retype(11, 3, IOREQ_SERVER)).isZero();
              m.letGo();
              assertThat(m.destroy(server)).isZero();
              int other = m.create(0);
              assertThat(m.claim(other, 2)).isEqualTo(-16);
              assertThat(logDirty(m)).isEqualTo(-16);
              assertThat(m.write(0xb000, 8, 1).get("outcome").asText()).isEqualTo("retry");
              assertThat(m.write(0xb000, 8, 1).get("outcome").asText()).isEqualTo("retry");
              assertThat(m.retype(11, 3, RAM_RW)).isZero();
              assertThat(m.write(0xb000, 8, 1).get("outcome").asText()).isEqualTo("done");
              assertThat(m.load(D, 0xb000)).isEqualTo(1);
              assertThat(m.claim(other, 2)).isZero();
            }),
        model(
            "80 pages before the one that cannot become of the type stay of it",
            m -> {
              claiming(m);
              assertThat(m.retype(21, 1, RAM_RO)).isZero();
              assertThat(m.retype(20, 3, IOREQ_SERVER)).isEqualTo(-22);
              assertThat(m.xen().type(D, "0x14")).isEqualTo("ioreq_server");
              assertThat(m.xen().type(D, "0x16")).isEqualTo("ram_rw");
              assertThat(m.claimedPages()).isEqualTo(1);
            }),
        model(
            "81 without hardware-assisted paging there are no such pages",
            m -> {
              m.xen().clear();
              m.xen().create(D, 1, 0x3ff, 1);
              m.xen().limit(D, 1024);
              assertThat(m.xen().populate(D, "0x0", 9)).isEqualTo(1);
              int server = m.create(0);
              assertThat(m.claim(server, 2)).isEqualTo(-95);
              assertThat(m.retype(5, 1, IOREQ_SERVER)).isEqualTo(-95);
              assertThat(m.retype(5, 1, RAM_RO)).isZero();
            }),
        model(
            "82 RAM that became a hole for emulators does not come back",
            m -> {
              assertThat(m.retype(5, 1, MMIO_DM)).isZero();
              assertThat(m.retype(5, 1, RAM_RW)).isEqualTo(-22);
              assertThat(m.xen().decrease(D, "0x5")).isZero();
              assertThat(m.xen().pages(D)).isEqualTo(512);
            }),
        model(
            "83 a hole becomes nothing else",
            m -> {
              assertThat(m.xen().decrease(D, "0x5")).isEqualTo(1);
              assertThat(m.retype(5, 1, MMIO_DM)).isZero();
              assertThat(m.retype(5, 1, RAM_RW)).isEqualTo(-22);
              assertThat(m.xen().type(D, "0x5")).isEqualTo("mmio_dm");
            }),
        model(
            "84 a page of the type is given back and mapped over like any other",
            m -> {
              claiming(m);
              assertThat(m.retype(10, 3, IOREQ_SERVER)).isZero();
              assertThat(m.xen().decrease(D, "0xa")).isEqualTo(1);
              assertThat(m.claimedPages()).isEqualTo(2);
              assertThat(m.xen().populate(D, "0xb", 0)).isEqualTo(1);
              assertThat(m.claimedPages()).isEqualTo(1);
              assertThat(m.xen().type(D, "0xb")).isEqualTo("ram_rw");
            }),
        model(
            "85 a table of the device's own loses a page of the type, and is told to forget it",
            m -> {
              withDevice(m, "separate");
              m.write(0x5000, 8, 0x41);
              assertThat(dma(m, "read", 0x5000)).isEqualTo("done");
              long flushes = flushes(m, "page");
              assertThat(m.retype(5, 1, IOREQ_SERVER)).isZero();
              assertThat(flushes(m, "page") - flushes).isEqualTo(1);
              assertThat(dma(m, "read", 0x5000)).isEqualTo("blocked");
              assertThat(dma(m, "write", 0x5000)).isEqualTo("blocked");
              assertThat(dma(m, "write", 0x6000)).isEqualTo("done");
              assertThat(m.retype(5, 1, RAM_RW)).isZero();
              assertThat(dma(m, "read", 0x5000)).isEqualTo("done");
              assertThat(dma(m, "write", 0x5000)).isEqualTo("done");
              assertThat(m.load(D, 0x5000)).isEqualTo(0x5a);
            }),
        model(
            "85 where the P2M is the device's table it is only told to forget the page",
            m -> {
              withDevice(m, "shared");
              assertThat(dma(m, "write", 0x5000)).isEqualTo("done");
              long flushes = flushes(m, "page");
              JsonNode written = counters(m).at("/iommu/entryWrites");
              assertThat(m.retype(5, 1, IOREQ_SERVER)).isZero();
              assertThat(flushes(m, "page") - flushes).isEqualTo(1);
              assertThat(dma(m, "read", 0x5000)).isEqualTo("done");
              assertThat(dma(m, "write", 0x5000)).isEqualTo("blocked");
              assertThat(m.retype(5, 1, RAM_RW)).isZero();
              assertThat(dma(m, "write", 0x5000)).isEqualTo("done");
              assertThat(counters(m).at("/iommu/entryWrites")).isEqualTo(written);
            }),
        model(
            "86 the hypervisor's copies reach a page of the type one way only",
            m -> {
              claiming(m);
              assertThat(m.retype(11, 1, IOREQ_SERVER)).isZero();
              assertThat(
                      m.xen()
                          .daemon()
                          .put("/v1/domains/1/memory?gpa=0xb000", "{\"data\":\"01\"}")
                          .at("/errno"))
                  .isEqualTo("EFAULT");
              assertThat(m.load(D, 0xb000)).isZero();
              assertThat(
                      m.xen()
                          .done(
                              "memory_op",
                              "add_to_physmap_batch",
                              "{'domid':0,'space':4,'foreign_domid':1,"
                                  + "'idxs':['0xb'],'gpfns':['0x4000000']}")
                          .toString())
                  .doesNotContain("-");
              m.store(0x400_0000L << 12, 9);
              assertThat(m.load(D, 0xb000)).isEqualTo(9);
            }),
        model(
            "pages of the type keep all of memory from being watched",
            m -> {
              int server = claiming(m);
              assertThat(m.retype(11, 1, IOREQ_SERVER)).isZero();
              assertThat(logDirty(m)).isEqualTo(-16);
              assertThat(m.claim(server, 0)).isZero();
              assertThat(logDirty(m)).isZero();
            }),
        model(
            "89 a watched page becomes of the type once it was written, and stays so",
            m -> {
              claiming(m);
              assertThat(logDirty(m)).isZero();
              assertThat(m.retype(5, 1, IOREQ_SERVER)).isEqualTo(-22);
              assertThat(m.claimedPages()).isZero();
              m.write(0x5000, 8, 1);
              assertThat(m.retype(5, 1, IOREQ_SERVER)).isZero();
              m.xen().done("domctl", "shadow_op", "{'domain':1,'op':11,'pages':512}");
              assertThat(m.xen().type(D, "0x5")).isEqualTo("ioreq_server");
              assertThat(m.write(0x5000, 8, 2).get("outcome").asText()).isEqualTo("pending");
            }),
        model(
            "a page of the type is not moved",
            m -> {
              claiming(m);
              assertThat(m.retype(5, 1, IOREQ_SERVER)).isZero();
              assertThat(
                      m.xen()
                          .ret(
                              "memory_op",
                              "add_to_physmap",
                              "{'domid':1,'space':2,'idx':5,'gpfn':'0x2000'}"))
                  .isEqualTo(-13);
            }));
  }

  /** A server with its page, enabled, that has the type and no range. */
  private static int claiming(ModelHost m) {
    int server = m.create(0);
    m.acquire(server, 1);
    assertThat(m.enable(server, true)).isZero();
    assertThat(m.claim(server, 2)).isZero();
    return server;
  }

  private static long claim(ModelHost m, String members) {
    return m.op("map_mem_type_to_ioreq_server", members);
  }

  private static long logDirty(ModelHost m) {
    return m.xen().ret("domctl", "shadow_op", "{'domain':1,'op':32,'mode':4}");
  }

  /** Read 1, write 2, execute 4, as the entry permits it. */
  private static long permissions(ModelHost m, long gfn) {
    JsonNode steps =
        m.xen()
            .daemon()
            .get("/v1/explain/access?domid=1&gpa=0x%x&access=read".formatted(gfn << 12))
            .body()
            .get("steps");
    JsonNode leaf = steps.get(steps.size() - 2);
    return Long.parseUnsignedLong(leaf.get("raw").asText().substring(2), 16) & 7;
  }

  /** D with a device, and a server of its own that claims the type. */
  private static void withDevice(ModelHost m, String pageTables) {
    m.xen().clear();
    String domain = "{\"memory\":\"2MiB\",\"pageTables\":\"%s\"}".formatted(pageTables);
    assertThat(m.xen().daemon().post("/v1/domains", domain).status()).isEqualTo(201);
    m.xen().done("domctl", "assign_device", "{'domain':1,'machine_sbdf':'" + NIC + "'}");
    assertThat(m.claim(m.create(0), 2)).isZero();
  }

  private static JsonNode counters(ModelHost m) {
    return m.xen().daemon().get("/v1/domains/1/counters").body();
  }

  private static long flushes(ModelHost m, String scope) {
    return counters(m).at("/flushes/" + scope).asLong();
  }

  private static String dma(ModelHost m, String op, long address) {
    String data = op.equals("write") ? ",\"data\":\"5a\"" : "";
    return m.xen()
        .daemon()
        .post(
            "/v1/devices/" + NIC + "/dma",
            "{\"op\":\"%s\",\"address\":\"0x%x\",\"length\":1%s}".formatted(op, address, data))
        .at("/outcome");
  }
}
