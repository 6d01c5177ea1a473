package io.hypercalld.api.acceptance;

import static io.hypercalld.api.acceptance.ModelBehaviours.model;
import static io.hypercalld.api.acceptance.XenHost.D;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.stream.Stream;

/** Xen's behaviours 67 to 74: how accesses reach servers, and how they come back. */
final class IoDispatchAcceptanceTest implements ModelBehaviours {
  private static final int PORT = 0;
  private static final int MEMORY = 1;
  private static final int PCI = 2;
  private static final int LEGACY = 1;
  private static final int ATOMIC = 2;
  private static final long MMIO = 0xf000_0000L;
  private static final long VGA = 0xa_0000;

  /** Bytes from a slot to its last word: state, direction, type, port. */
  private static final int CONTROL = 24;

  private static final int STATE_SHIFT = 48;
  private static final long STATE = 0xfL << STATE_SHIFT;

  @Override
  public Stream<Row<XenHost>> rows() {
    return Stream.of(
        model(
            "67 an access that a range holds only in part is nobody's; over a page's end it is two",
            m -> {
              heldInPart(m);
              m.anew();
              repeatedDownwards(m);
              m.anew();
              crossingAPage(m);
            }),
        model(
            "68 ports 0xcf8 and 0xcfc lead to configuration space",
            m -> {
              int server = m.serving(0, PCI, 0x18, 0x18);
              m.out(0xcf8, 4, 0x8000_1810L);
              assertThat(m.in(0xcfe, 2).get("outcome").asText()).isEqualTo("pending");
              JsonNode request = m.request(server);
              assertThat(request.get("type").asText()).isEqualTo("pci_config");
              assertThat(request.get("address").asText()).isEqualTo("0x1800000012");
              assertThat(request.get("size").asInt()).isEqualTo(2);
              assertThat(request.get("dir").asText()).isEqualTo("read");
              m.respond(server, 0x8086);
              assertThat(m.in(0xcfe, 2).get("data").asText()).isEqualTo("0x8086");
              m.out(0xcf8, 2, 0);
              assertThat(m.in(0xcfc, 1).get("outcome").asText()).isEqualTo("pending");
              m.respond(server, 0);
              m.out(0xcf8, 4, 0x1810);
              assertThat(m.in(0xcfc, 4).get("data").asText()).isEqualTo("0xffffffff");
              assertThat(m.map(server, PORT, 0xcfc, 0xcff)).isZero();
              assertThat(m.in(0xcfc, 4).get("outcome").asText()).isEqualTo("pending");
              assertThat(m.request(server).get("type").asText()).isEqualTo("pio");
            }),
        model(
            "69 a server enabled before its page is there cannot be reached: #GP, or the end",
            m -> {
              memoryUnreachable(m);
              m.anew();
              portUnreachable(m);
            }),
        model(
            "70 an emulator answers in its page, and nonsense there ends the domain",
            m -> {
              answeredInPage(m);
              m.anew();
              goingBackwards(m);
              m.anew();
              inventing(m);
            }),
        model(
            "71 a write waits for its answer like a read",
            m -> {
              int server = m.create(0);
              long page = m.acquire(server, 1);
              assertThat(m.map(server, PORT, 0x3f8, 0x3ff)).isZero();
              assertThat(m.enable(server, true)).isZero();
              assertThat(m.out(0x3f8, 1, 0x41).get("outcome").asText()).isEqualTo("pending");
              assertThat(m.load(page + 8)).isEqualTo(0x41);
              assertThat(m.load(page + CONTROL)).isEqualTo(0x0001_0000_0000_0001L);
              JsonNode other = m.read(0x1000, 8);
              assertThat(other.get("outcome").asText()).isEqualTo("pending");
              assertThat(other.get("reason").asText()).contains("not for this");
              assertThat(m.access(1, "{'gpa':'0x1000','op':'read','size':8}").at("/outcome"))
                  .isEqualTo("done");
              m.respond(server, 0);
              assertThat(m.out(0x3f8, 1, 0x41).get("outcome").asText()).isEqualTo("emulated");
              assertThat(m.read(0x1000, 8).get("outcome").asText()).isEqualTo("done");
            }),
        model(
            "72 what is written to a display goes into the ring, until it is full",
            m -> {
              assertThat(m.xen().decrease(D, "0xa0", "0xa1")).isEqualTo(2);
              int server = m.create(ATOMIC);
              m.acquire(server, 1);
              long ring = m.acquire(server, 0);
              assertThat(m.map(server, MEMORY, VGA, VGA + 0x1ffff)).isZero();
              assertThat(m.enable(server, true)).isZero();
              assertThat(m.write(VGA + 0x1234, 2, 0xbeef).get("outcome").asText())
                  .isEqualTo("emulated");
              assertThat(m.load(ring)).isEqualTo(1L << 32);
              assertThat(m.load(ring + 8)).isEqualTo(0x0000_beef_a123_4401L);
              assertThat(m.buffered(server).get(0).get("address").asText()).isEqualTo("0xa1234");
              m.takeBuffered(server);
              assertThat(m.buffered(server)).isEmpty();

              m.store(ring, 0);
              for (int i = 0; i < 510; i++) {
                m.write(VGA, 4, i);
              }
              assertThat(m.write(VGA, 8, 1).get("outcome").asText()).isEqualTo("pending");
              m.respond(server, 0);
              m.write(VGA, 8, 1);
              assertThat(m.write(VGA, 4, 1).get("outcome").asText()).isEqualTo("emulated");
              assertThat(m.write(VGA, 4, 2).get("outcome").asText()).isEqualTo("pending");
              assertThat(m.request(server).get("data").asText()).isEqualTo("0x2");
            }),
        model(
            "73 the pointers of a ring are brought back in atomic mode alone",
            m -> {
              assertThat(m.xen().decrease(D, "0xa0")).isEqualTo(1);
              int atomic = m.create(ATOMIC);
              m.acquire(atomic, 1);
              long ring = m.acquire(atomic, 0);
              assertThat(m.map(atomic, MEMORY, VGA, VGA + 0xff)).isZero();
              assertThat(m.enable(atomic, true)).isZero();
              int legacy = m.create(LEGACY);
              m.acquire(legacy, 1);
              long other = m.acquire(legacy, 0);
              assertThat(m.map(legacy, MEMORY, VGA + 0x100, VGA + 0x1ff)).isZero();
              assertThat(m.enable(legacy, true)).isZero();
              m.store(ring, 601L << 32 | 600);
              m.store(other, 601L << 32 | 600);
              m.write(VGA, 4, 1);
              m.write(VGA + 0x100, 4, 1);
              assertThat(m.load(ring)).isEqualTo(91L << 32 | 89);
              assertThat(m.load(other)).isEqualTo(602L << 32 | 600);
            }),
        model(
            "who is asked for an access, and why, is explained and measured",
            m -> {
              int low = m.serving(0, MEMORY, MMIO, MMIO + 0xff);
              int high = m.serving(0, MEMORY, MMIO + 0x80, MMIO + 0x8f);
              String explained =
                  m.xen().daemon().text("/v1/explain/access?domid=1&gpa=0xf0000010&access=read");
              assertThat(explained)
                  .contains("server 1: no range touches it")
                  .contains("server 0: all of it lies within one range, 0xf0000000 to 0xf00000ff");
              assertThat(
                      m.xen()
                          .daemon()
                          .text("/v1/explain/access?domid=1&gpa=0xf00000fc&access=write&size=8"))
                  .contains(
                      "server 0: only some of it lies within a range, 0xf0000000 to 0xf00000ff")
                  .contains("nobody: reads are all ones, writes are dropped");
              m.read(MMIO + 0x88, 4);
              assertThat(m.read(0xe000_0000L, 4).get("outcome").asText()).isEqualTo("pending");
              m.respond(high, 0);
              m.read(0xe000_0000L, 4);
              assertThat(m.requests(low)).isEmpty();
              assertThat(m.xen().daemon().text("/metrics"))
                  .contains("hv_ioreq_servers{domid=\"1\"} 2")
                  .contains(
                      "hv_ioreq_requests_total"
                          + "{domid=\"1\",server=\"1\",type=\"copy\",dir=\"read\"} 1")
                  .contains("hv_ioreq_unclaimed_total{domid=\"1\",type=\"copy\"} 1");
              m.write(0xe000_0000L, 4, 7);
              JsonNode counters = m.xen().daemon().get("/v1/domains/1/counters").body();
              assertThat(counters.get("lostWrites").asInt()).isEqualTo(1);
              assertThat(counters.get("lostBytes").asInt()).isEqualTo(4);
              assertThat(m.xen().daemon().text("/metrics"))
                  .contains("hv_ioreq_lost_writes_total{domid=\"1\"} 1");
            }),
        model(
            "who is asked for a port, and what 0xcf8 makes of it, is explained",
            m -> {
              m.serving(0, PORT, 0x3f8, 0x3ff);
              m.serving(0, PCI, 0x18, 0x18);
              String port = "/v1/explain/access?domid=1&access=write&size=4&port=";
              assertThat(m.xen().daemon().text(port + "0x3f8"))
                  .contains("server 1: no range touches it")
                  .contains("server 0: all of it lies within one range, 0x3f8 to 0x3ff");
              assertThat(m.xen().daemon().text(port + "0x3fd"))
                  .contains("server 0: only some of it lies within a range, 0x3f8 to 0x3ff")
                  .contains("nobody: reads are all ones, writes are dropped");
              m.out(0xcf8, 4, 0x8000_1810L);
              assertThat(m.xen().daemon().text(port + "0xcfc"))
                  .contains("0xcf8 makes it configuration space: register 0x10 of 0000:00:03.0")
                  .contains("server 1: all of it lies within one range, 0x18 to 0x18");
              String clock = "/v1/explain/access?domid=1&access=read&port=0x71";
              assertThat(m.xen().daemon().text(clock))
                  .contains("the hypervisor's own clock answers");
              assertThat(m.xen().daemon().get(port + "0xfffe").at("/errno")).isEqualTo("EINVAL");
              assertThat(m.xen().daemon().get(port + "0x1&gpa=0x0").status()).isEqualTo(400);
            }),
        model(
            "74 with a server its ranges, ports and pages go, and who waited reads all ones",
            m -> {
              int server = m.serving(ATOMIC, MEMORY, MMIO, MMIO + 0xfff);
              assertThat(m.read(MMIO, 4).get("outcome").asText()).isEqualTo("pending");
              assertThat(m.destroy(server)).isZero();
              JsonNode read = m.read(MMIO, 4);
              assertThat(read.get("outcome").asText()).isEqualTo("emulated");
              assertThat(read.get("data").asText()).isEqualTo("0xffffffff");
              assertThat(m.status(D, 1)).isZero();
              assertThat(m.create(0)).isEqualTo(server);
              assertThat(m.bind(1)).isPositive();
              m.letGo();
            }));
  }

  private static void heldInPart(ModelHost m) {
    m.serving(0, MEMORY, MMIO, MMIO + 0xff7);
    JsonNode read = m.read(MMIO + 0xff4, 8);
    assertThat(read.get("outcome").asText()).isEqualTo("emulated");
    assertThat(read.get("data").asText()).isEqualTo("0xffffffffffffffff");
    assertThat(m.read(MMIO + 0xff0, 8).get("outcome").asText()).isEqualTo("pending");
  }

  private static void repeatedDownwards(ModelHost m) {
    int server = m.serving(0, MEMORY, MMIO + 0x100, MMIO + 0x1ff);
    String stos = "{'gpa':'0x%x','op':'write','size':4,'data':1,'count':4,'df':true}";
    assertThat(m.access(0, stos.formatted(MMIO + 0x108)).at("/outcome")).isEqualTo("emulated");
    assertThat(m.requests(server)).isEmpty();
    assertThat(m.access(0, stos.formatted(MMIO + 0x10c)).at("/outcome")).isEqualTo("pending");
    assertThat(m.request(server).get("count").asInt()).isEqualTo(4);
    m.respond(server, 0);
    assertThat(m.access(0, stos.formatted(MMIO + 0x10c)).at("/outcome")).isEqualTo("emulated");
  }

  private static void crossingAPage(ModelHost m) {
    int server = m.serving(0, MEMORY, MMIO, MMIO + 0x1fff);
    assertThat(m.read(MMIO + 0xffe, 4).get("outcome").asText()).isEqualTo("pending");
    assertThat(m.request(server).get("size").asInt()).isEqualTo(2);
    m.respond(server, 0x2211);
    assertThat(m.request(server).get("address").asText()).isEqualTo("0xf0001000");
    m.respond(server, 0x4433);
    assertThat(m.read(MMIO + 0xffe, 4).get("data").asText()).isEqualTo("0x44332211");
  }

  private static void memoryUnreachable(ModelHost m) {
    int server = m.create(0);
    assertThat(m.map(server, MEMORY, MMIO, MMIO + 0xfff)).isZero();
    assertThat(m.map(server, PORT, 0x3f8, 0x3ff)).isZero();
    assertThat(m.enable(server, true)).isZero();
    m.acquire(server, 1);
    JsonNode fault = m.write(MMIO, 4, 1);
    assertThat(fault.get("outcome").asText()).isEqualTo("fault");
    assertThat(fault.get("reason").asText()).contains("#GP");
    assertThat(m.enable(server, false)).isZero();
    assertThat(m.enable(server, true)).isZero();
    assertThat(m.write(MMIO, 4, 1).get("outcome").asText()).isEqualTo("pending");
    m.respond(server, 0);
  }

  private static void portUnreachable(ModelHost m) {
    int server = m.create(0);
    assertThat(m.map(server, PORT, 0x3f8, 0x3ff)).isZero();
    assertThat(m.enable(server, true)).isZero();
    m.acquire(server, 1);
    assertThat(m.in(0x3f8, 1).get("outcome").asText()).isEqualTo("fault");
    assertThat(m.isCrashed()).isTrue();
  }

  private static void answeredInPage(ModelHost m) {
    int server = m.create(0);
    long page = m.acquire(server, 1);
    assertThat(m.map(server, MEMORY, MMIO, MMIO + 0xfff)).isZero();
    assertThat(m.enable(server, true)).isZero();
    int port = m.bind(1);
    assertThat(m.read(MMIO + 5, 1).get("outcome").asText()).isEqualTo("pending");
    assertThat(m.load(page)).isEqualTo(MMIO + 5);
    assertThat(m.load(page + 16)).isEqualTo(0x0000_0001_0000_0001L);
    assertThat(m.load(page + CONTROL)).isEqualTo(0x0121_0000_0000_0001L);
    m.store(page + 8, 0x55);
    setState(m, page, 3);
    m.send(port);
    assertThat(m.requests(server)).isEmpty();
    assertThat(m.load(page + CONTROL) & STATE).isZero();
    assertThat(m.read(MMIO + 5, 1).get("data").asText()).isEqualTo("0x55");

    assertThat(m.read(MMIO + 5, 2).get("outcome").asText()).isEqualTo("pending");
    setState(m, page, 0);
    m.send(port);
    assertThat(m.read(MMIO + 5, 2).get("data").asText()).isEqualTo("0xffff");
  }

  private static void goingBackwards(ModelHost m) {
    int server = m.create(0);
    long page = m.acquire(server, 1);
    assertThat(m.map(server, MEMORY, MMIO, MMIO + 0xfff)).isZero();
    assertThat(m.enable(server, true)).isZero();
    int port = m.bind(1);
    m.read(MMIO, 4);
    setState(m, page, 2);
    m.send(port);
    assertThat(m.request(server).get("state").asInt()).isEqualTo(2);
    setState(m, page, 1);
    m.send(port);
    assertThat(m.isCrashed()).isTrue();
  }

  private static void inventing(ModelHost m) {
    int server = m.serving(0, MEMORY, MMIO, MMIO + 0xfff);
    int port = m.bind(1);
    m.read(MMIO, 4);
    setState(m, 0x400_0001L << 12, 5);
    m.send(port);
    assertThat(m.isCrashed()).isTrue();
    assertThat(m.requests(server)).isEmpty();
  }

  private static void setState(ModelHost m, long page, long state) {
    m.store(page + CONTROL, (m.load(page + CONTROL) & ~STATE) | (state << STATE_SHIFT));
  }
}
