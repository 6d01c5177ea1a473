package io.hypercalld.api.acceptance;

import static io.hypercalld.api.acceptance.ModelBehaviours.model;
import static io.hypercalld.api.acceptance.XenHost.D;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.hypercalld.api.scenario.DaemonUnderTest.Answer;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** The scenarios of the document on pages that device models claim, 1 to 16, under each policy. */
final class PageClaimScenariosTest implements ModelBehaviours {
  private static final int RAM_RW = 0;
  private static final int RAM_RO = 1;
  private static final int IOREQ_SERVER = 4;
  private static final int MEMORY = 1;

  /** One full page table of a graphics processor. */
  private static final int TABLE_PAGES = 2048 + 4;

  /** {@code -ERESTART}: the rest waits under {@code /_sim/continuations}. */
  private static final long PREEMPTED = -85;

  private static final long MINUTE = 60_000_000_000L;

  @Override
  public void begin(XenHost host) {
    host.daemon().post("/_sim/preempt", "{\"every\":0}");
    ModelBehaviours.super.begin(host);
  }

  @Override
  public Stream<Row<XenHost>> rows() {
    return Stream.of(tagging(), claiming(), releasing(), leaving()).flatMap(rows -> rows);
  }

  private static Stream<Row<XenHost>> tagging() {
    return Stream.of(
        model(
            "1 a page that no server has is refused, or RAM, or one whose writes are dropped",
            m -> {
              assertThat(m.retype(5, 1, IOREQ_SERVER)).isEqualTo(-22);
              policies(m, "'unclaimed':'ram'");
              assertThat(m.retype(5, 1, IOREQ_SERVER)).isZero();
              assertThat(m.write(0x5000, 8, 7).get("outcome").asText()).isEqualTo("done");
              assertThat(m.load(D, 0x5000)).isEqualTo(7);
              assertThat(m.retype(5, 1, RAM_RW)).isZero();
              policies(m, "'unclaimed':'discard'");
              assertThat(m.retype(5, 1, IOREQ_SERVER)).isZero();
              assertThat(m.write(0x5000, 8, 9).get("outcome").asText()).isEqualTo("discarded");
              assertThat(m.load(D, 0x5000)).isEqualTo(7);
            }),
        model(
            "as proposed such a page is RAM even where it is protected from the beginning",
            m -> {
              policies(m, "'unclaimed':'ram','claimUpdate':'protect-at-tag'");
              assertThat(m.retype(5, 1, IOREQ_SERVER)).isZero();
              assertThat(m.write(0x5000, 8, 7).get("outcome").asText()).isEqualTo("emulated");
              assertThat(m.load(D, 0x5000)).isEqualTo(7);
              assertThat(m.add(0x5000, 8, 1).get("data").asText()).isEqualTo("0x8");
              assertThat(m.load(D, 0x5000)).isEqualTo(8);
            }),
        model(
            "as its reviewer proposed writes to such a page are dropped, and counted",
            m -> {
              policies(m, "'unclaimed':'discard'");
              m.write(0x5000, 8, 7);
              assertThat(m.retype(5, 1, IOREQ_SERVER)).isZero();
              assertThat(m.write(0x5000, 8, 9).get("outcome").asText()).isEqualTo("discarded");
              assertThat(m.load(D, 0x5000)).isEqualTo(7);
              assertThat(m.read(0x5000, 8).get("data").asText()).isEqualTo("0x7");
              JsonNode counters = m.xen().daemon().get("/v1/domains/1/counters").body();
              assertThat(counters.get("lostWrites").asInt()).isEqualTo(1);
              assertThat(counters.get("lostBytes").asInt()).isEqualTo(8);
            }),
        model(
            "10 only plain RAM becomes of the type, and only that again",
            m -> {
              server(m);
              assertThat(m.retype(5, 1, RAM_RO)).isZero();
              assertThat(m.retype(5, 1, IOREQ_SERVER)).isEqualTo(-22);
              assertThat(m.retype(6, 1, IOREQ_SERVER)).isZero();
              assertThat(m.retype(6, 1, RAM_RO)).isEqualTo(-22);
              assertThat(m.xen().decrease(D, "0x7")).isEqualTo(1);
              assertThat(m.retype(7, 1, IOREQ_SERVER)).isEqualTo(-22);
            }),
        model(
            "15 all ways to follow a claim are compared in one table, with the same memory",
            m -> {
              String text =
                  m.xen()
                      .daemon()
                      .text(
                          "/v1/experiments/ioreq-pages",
                          "{\"memory\":\"128MiB\",\"contexts\":1,\"writes\":100}");
              assertThat(text).contains("leaf reads", "longest step", "lost", "list steps");
              for (String update : List.of("lazy", "eager", "indexed", "protect-at-tag")) {
                assertThat(text).containsPattern("refuse +" + update + " +1 +release");
              }
              assertThat(text).contains("a range for each page").endsWith("same memory: yes\n");
            }),
        model(
            "two emulators have a type each where the domain has two",
            m -> {
              assertThat(claim(m, m.create(0), 5)).isEqualTo(-22);
              policies(m, "'claimTypes':2");
              int graphics = server(m);
              int network = serving(m);
              assertThat(claim(m, network, 4)).isEqualTo(-16);
              assertThat(claim(m, network, 5)).isZero();
              assertThat(claim(m, network, 6)).isEqualTo(-22);
              assertThat(m.retype(5, 1, IOREQ_SERVER)).isZero();
              assertThat(m.retype(6, 1, IOREQ_SERVER + 1)).isZero();
              assertThat(m.retype(7, 1, IOREQ_SERVER + 2)).isEqualTo(-22);
              assertThat(m.retype(5, 1, IOREQ_SERVER + 1)).isEqualTo(-22);
              assertThat(m.xen().type(D, "0x6")).isEqualTo("ioreq_server1");
              assertThat(memType(m, 6)).isEqualTo(5);
              m.write(0x6000, 8, 1);
              assertThat(m.requests(graphics)).isEmpty();
              m.respond(network, 0);
              m.write(0x5000, 8, 1);
              m.respond(graphics, 0);
              assertThat(logDirty(m)).isEqualTo(-16);
              assertThat(
                      m.op(
                          "map_mem_type_to_ioreq_server",
                          "'id':%d,'type':5,'flags':0".formatted(network)))
                  .isZero();
              assertThat(m.xen().type(D, "0x6")).isEqualTo("ram_rw");
              assertThat(m.xen().type(D, "0x5")).isEqualTo("ioreq_server");
            }),
        model(
            "14 one page of a large one is split off, and the others stay RAM",
            m -> {
              server(m);
              long splits = counter(m, "/p2m/splits");
              assertThat(m.retype(5, 1, IOREQ_SERVER)).isZero();
              assertThat(counter(m, "/p2m/splits") - splits).isEqualTo(1);
              assertThat(m.claimedPages()).isEqualTo(1);
              assertThat(m.xen().type(D, "0x4")).isEqualTo("ram_rw");
              assertThat(m.xen().type(D, "0x1ff")).isEqualTo("ram_rw");
            }));
  }

  private static Stream<Row<XenHost>> claiming() {
    return Stream.of(
        model(
            "2 one of 2052 pages is written, and the server is asked once",
            m -> {
              large(m);
              int server = server(m);
              assertThat(m.retype(0, TABLE_PAGES, IOREQ_SERVER)).isZero();
              assertThat(m.claimedPages()).isEqualTo(TABLE_PAGES);
              assertThat(m.write(0x80_1008, 8, 0x77).get("outcome").asText()).isEqualTo("pending");
              assertThat(m.request(server).get("address").asText()).isEqualTo("0x801008");
              assertThat(m.request(server).get("data").asText()).isEqualTo("0x77");
              m.respond(server, 0);
              assertThat(m.load(D, 0x80_1008)).isZero();
            }),
        model(
            "3 a read is memory's, or under another policy the server's",
            m -> {
              m.write(0x5000, 8, 7);
              policies(m, "'claimAccess':'all'");
              int server = server(m);
              assertThat(m.retype(5, 1, IOREQ_SERVER)).isZero();
              assertThat(m.read(0x5000, 8).get("outcome").asText()).isEqualTo("pending");
              assertThat(m.request(server).get("dir").asText()).isEqualTo("read");
              m.respond(server, 0x99);
              assertThat(m.read(0x5000, 8).get("data").asText()).isEqualTo("0x99");
              m.add(0x5000, 8, 1);
              m.respond(server, 0x20);
              assertThat(m.request(server).get("data").asText()).isEqualTo("0x21");
              m.respond(server, 0);
              assertThat(m.add(0x5000, 8, 1).get("data").asText()).isEqualTo("0x21");
            }),
        model(
            "4 what is added to is read in the hypervisor, and written by the server",
            m -> {
              m.write(0x5000, 8, 40);
              int server = server(m);
              assertThat(m.retype(5, 1, IOREQ_SERVER)).isZero();
              m.add(0x5000, 8, 2);
              assertThat(m.requests(server)).hasSize(1);
              m.respond(server, 0);
              assertThat(m.add(0x5000, 8, 2).get("data").asText()).isEqualTo("0x2a");
            }),
        model(
            "5 who may claim and release, and in which order it is said",
            m -> {
              int owner = server(m);
              int other = m.create(0);
              assertThat(m.claim(other, 2)).isEqualTo(-16);
              assertThat(m.claim(other, 0)).isEqualTo(-22);
              assertThat(m.claim(7, 2)).isEqualTo(-2);
              assertThat(m.claim(owner, 1)).isEqualTo(-22);
              m.xen().create(2, 3, 0x3ff, 1);
              m.xen().done("domctl", "set_target", "{'domain':2,'target':1}");
              assertThat(m.op("map_mem_type_to_ioreq_server", "'id':0,'type':4,'flags':0", 2))
                  .isEqualTo(-1);
            }),
        model(
            "9 while there are such pages the domain does not migrate",
            m -> {
              server(m);
              assertThat(m.retype(5, 5, IOREQ_SERVER)).isZero();
              assertThat(logDirty(m)).isEqualTo(-16);
              assertThat(m.retype(5, 5, RAM_RW)).isZero();
              assertThat(logDirty(m)).isZero();
            }),
        model(
            "11 ranges do not scale: 256 of one page each are an eighth of a page table",
            m -> {
              int server = m.create(0);
              int mapped = 0;
              while (m.map(server, MEMORY, mapped * 0x2000L, mapped * 0x2000L + 0xfff) == 0) {
                mapped++;
              }
              assertThat(mapped).isEqualTo(256);
              assertThat(mapped * 1000L / 2048).isEqualTo(125);
              assertThat(m.map(server, MEMORY, 0x1000, 0x1fff)).isZero();
            }),
        model(
            "12 the hypervisor does not copy into such a page, as it did once",
            m -> {
              int server = server(m);
              assertThat(m.retype(5, 1, IOREQ_SERVER)).isZero();
              assertThat(copy(m)).isEqualTo("EFAULT");
              assertThat(m.load(D, 0x5000)).isZero();
              assertThat(counter(m, "/p2m/bypasses")).isZero();
              assertThat(m.claim(server, 0)).isZero();

              policies(m, "'claimProfile':'pre-2018'");
              assertThat(m.claim(server, 2)).isZero();
              assertThat(m.retype(5, 1, IOREQ_SERVER)).isZero();
              copy(m);
              assertThat(m.load(D, 0x5000)).isEqualTo(1);
              assertThat(m.requests(server)).isEmpty();
              assertThat(counter(m, "/p2m/bypasses")).isEqualTo(1);
            }),
        model(
            "16 an emulator that hangs: its vCPU is seen to wait, the others run, or all end",
            m -> {
              timeout(m, "pause");
              int server = server(m);
              assertThat(m.retype(5, 1, IOREQ_SERVER)).isZero();
              m.write(0x5000, 8, 1);
              m.xen().daemon().post("/_sim/clock", "{\"advanceNanos\":1000}");
              JsonNode vcpu =
                  m.xen().daemon().get("/v1/domains/1/vcpus").body().get("items").get(0);
              assertThat(vcpu.get("state").asText()).isEqualTo("waiting");
              assertThat(vcpu.get("server").asInt()).isEqualTo(server);
              assertThat(vcpu.get("ageNanos").asLong()).isEqualTo(1000);
              assertThat(m.access(1, "{'gpa':'0x6000','op':'read','size':8}").at("/outcome"))
                  .isEqualTo("done");
              m.xen().done("domctl", "unpausedomain", "{'domain':1}");
              m.xen().daemon().post("/_sim/clock", "{\"advanceNanos\":" + MINUTE + "}");
              assertThat(m.xen().daemon().get("/v1/domains/1").at("/state")).isEqualTo("paused");
              m.respond(server, 0);
              assertThat(m.write(0x5000, 8, 1).get("outcome").asText()).isEqualTo("emulated");
              m.anew();
              hungUntilTheEnd(m);
            }));
  }

  private static void hungUntilTheEnd(ModelHost m) {
    timeout(m, "crash");
    int server = server(m);
    assertThat(m.retype(5, 1, IOREQ_SERVER)).isZero();
    m.write(0x5000, 8, 1);
    m.xen().daemon().post("/_sim/clock", "{\"advanceNanos\":" + MINUTE + "}");
    assertThat(m.isCrashed()).isTrue();
    assertThat(m.requests(server)).isEmpty();
  }

  private static Stream<Row<XenHost>> releasing() {
    List<Row<XenHost>> rows = new ArrayList<>();
    for (String update : List.of("lazy", "eager", "indexed", "protect-at-tag")) {
      rows.add(
          model(
              number(6, update) + "a release goes page by page, and nobody claims in between",
              m -> release(m, update)));
      rows.add(
          model(
              number(8, update) + "a write while the claim ends lands in memory",
              m -> writeWhileReleased(m, update)));
      rows.add(
          model(
              "pages that wait for a server are its own once it comes: " + update,
              m -> claimLate(m, update)));
    }
    return rows.stream();
  }

  /** Only what Xen does has the number. */
  private static String number(int number, String update) {
    return update.equals("lazy") ? number + " " : update + ": ";
  }

  private static void release(ModelHost m, String update) {
    large(m);
    policies(m, "'claimUpdate':'" + update + "'");
    int server = server(m);
    int other = m.create(0);
    assertThat(m.retype(0, TABLE_PAGES, IOREQ_SERVER)).isZero();
    m.xen().daemon().post("/_sim/preempt", "{\"every\":1}");
    assertThat(m.claim(server, 0)).isEqualTo(PREEMPTED);
    long last = 0;
    JsonNode pending = stopped(m);
    while (pending != null) {
      long opaque = Long.decode(pending.at("/rest/opaque").asText());
      assertThat(opaque).isGreaterThan(last);
      last = opaque;
      assertThat(m.claim(other, 2)).isEqualTo(-16);
      m.xen().daemon().post("/_sim/continuations/" + pending.get("number").asText(), "");
      pending = stopped(m);
    }
    m.xen().daemon().post("/_sim/preempt", "{\"every\":0}");
    assertThat(last).isPositive();
    assertThat(m.claimedPages()).isZero();
    assertThat(m.claim(other, 2)).isZero();
  }

  private static JsonNode stopped(ModelHost m) {
    return m.xen().daemon().get("/_sim/continuations").body().get("items").get(0);
  }

  private static void writeWhileReleased(ModelHost m, String update) {
    large(m);
    policies(m, "'claimUpdate':'" + update + "'");
    int server = server(m);
    assertThat(m.retype(0, TABLE_PAGES, IOREQ_SERVER)).isZero();
    m.xen().daemon().post("/_sim/preempt", "{\"every\":1}");
    m.claim(server, 0);
    JsonNode pending = stopped(m);
    String outcome = m.write(0x80_0000, 8, 5).get("outcome").asText();
    assertThat(outcome).isIn("retry", "done");
    m.xen().daemon().post("/_sim/preempt", "{\"every\":0}");
    m.xen().daemon().post("/_sim/continuations/" + pending.get("number").asText(), "");
    if (outcome.equals("retry")) {
      assertThat(m.write(0x80_0000, 8, 5).get("outcome").asText()).isEqualTo("done");
    }
    assertThat(m.load(D, 0x80_0000)).isEqualTo(5);
    assertThat(counter(m, "/lostWrites")).isZero();
  }

  private static void claimLate(ModelHost m, String update) {
    policies(m, "'unclaimed':'ram','claimUpdate':'" + update + "'");
    assertThat(m.retype(5, 3, IOREQ_SERVER)).isZero();
    m.write(0x6000, 8, 1);
    int server = server(m);
    assertThat(m.write(0x6000, 8, 2).get("outcome").asText()).isEqualTo("pending");
    m.respond(server, 0);
    assertThat(m.load(D, 0x6000)).isEqualTo(1);
    m.write(0x6000, 8, 2);
    assertThat(m.claim(server, 0)).isZero();
    m.write(0x6000, 8, 3);
    assertThat(m.load(D, 0x6000)).isEqualTo(3);
    assertThat(m.claimedPages()).isEqualTo(3);
  }

  private static Stream<Row<XenHost>> leaving() {
    return Stream.of(
        model(
            "13 pages outlive their server, and a vCPU is seen to be stuck",
            m -> {
              int server = server(m);
              assertThat(m.retype(5, 3, IOREQ_SERVER)).isZero();
              m.letGo();
              assertThat(m.destroy(server)).isZero();
              for (int tries = 0; tries < 4; tries++) {
                assertThat(m.write(0x5000, 8, 1).get("outcome").asText()).isEqualTo("retry");
              }
              JsonNode vcpu =
                  m.xen().daemon().get("/v1/domains/1/vcpus").body().get("items").get(0);
              assertThat(vcpu.get("state").asText()).isEqualTo("stuck");
              assertThat(vcpu.get("stuckAt").asText()).isEqualTo("0x5");
              assertThat(vcpu.get("retries").asInt()).isEqualTo(4);
              assertThat(counter(m, "/lostWrites")).isZero();
              assertThat(m.claim(m.create(0), 2)).isEqualTo(-16);
              assertThat(m.retype(5, 3, RAM_RW)).isZero();

              policies(m, "'serverDestroy':'release'");
              int other = server(m);
              assertThat(m.retype(5, 3, IOREQ_SERVER)).isZero();
              m.letGo();
              assertThat(m.destroy(other)).isZero();
              assertThat(m.claimedPages()).isZero();
              assertThat(m.write(0x5000, 8, 1).get("outcome").asText()).isEqualTo("done");
            }),
        model(
            "7 as first merged pages outlive the release of their claim, and nobody claims again",
            m -> {
              policies(m, "'claimProfile':'2017-04'");
              int server = server(m);
              assertThat(m.retype(5, 3, IOREQ_SERVER)).isZero();
              assertThat(m.claim(server, 0)).isZero();
              assertThat(m.claimedPages()).isEqualTo(3);
              assertThat(m.claim(server, 2)).isEqualTo(-16);
              assertThat(m.write(0x5000, 8, 1).get("outcome").asText()).isEqualTo("retry");
              assertThat(m.retype(5, 3, RAM_RW)).isZero();

              policies(m, "'claimProfile':'today'");
              assertThat(m.claim(server, 2)).isZero();
              assertThat(m.retype(5, 3, IOREQ_SERVER)).isZero();
              assertThat(m.claim(server, 0)).isZero();
              assertThat(m.claimedPages()).isZero();
              assertThat(m.claim(server, 2)).isZero();
            }),
        model(
            "mended the pages go with their server, and a write that waited is made",
            m -> {
              policies(m, "'serverDestroy':'release'");
              int server = server(m);
              assertThat(m.retype(5, 3, IOREQ_SERVER)).isZero();
              assertThat(m.write(0x5000, 8, 6).get("outcome").asText()).isEqualTo("pending");
              m.letGo();
              assertThat(m.destroy(server)).isZero();
              assertThat(m.claimedPages()).isZero();
              assertThat(m.load(D, 0x5000)).isEqualTo(6);
              assertThat(m.write(0x5000, 8, 6).get("outcome").asText()).isEqualTo("done");
              assertThat(m.claim(m.create(0), 2)).isZero();
            }));
  }

  /** A server with its page, enabled, that has the type. */
  private static int server(ModelHost m) {
    int server = serving(m);
    assertThat(m.claim(server, 2)).isZero();
    return server;
  }

  private static int serving(ModelHost m) {
    int server = m.create(0);
    m.acquire(server, 1);
    assertThat(m.enable(server, true)).isZero();
    return server;
  }

  private static long claim(ModelHost m, int server, int type) {
    return m.op(
        "map_mem_type_to_ioreq_server", "'id':%d,'type':%d,'flags':2".formatted(server, type));
  }

  private static int memType(ModelHost m, long gfn) {
    return m.xen()
        .done("hvm_op", "get_mem_type", "{'domid':1,'pfn':'0x%x'}".formatted(gfn))
        .get("mem_type")
        .asInt();
  }

  /** Gives D room for a page table, from guest frame 0 on. */
  private static void large(ModelHost m) {
    m.xen().limit(D, 4096);
    for (int leaf = 1; leaf < 5; leaf++) {
      assertThat(m.xen().populate(D, "0x%x".formatted(leaf << 9), 9)).isEqualTo(1);
    }
  }

  private static void policies(ModelHost m, String members) {
    Answer answer =
        m.xen()
            .daemon()
            .patch("/v1/domains/1", "{'policies':{%s}}".formatted(members).replace('\'', '"'));
    assertThat(answer.status()).as(answer.body().toString()).isEqualTo(200);
  }

  /** Has the hypervisor write a byte to the page; the errno, if there is one. */
  private static String copy(ModelHost m) {
    return m.xen()
        .daemon()
        .put("/v1/domains/1/memory?gpa=0x5000", "{\"data\":\"01\"}")
        .body()
        .path("errno")
        .asText("");
  }

  private static void timeout(ModelHost m, String action) {
    Answer answer =
        m.xen()
            .daemon()
            .put(
                "/v1/domains/1/ioreq-timeout",
                "{\"afterNanos\":%d,\"action\":\"%s\"}".formatted(MINUTE, action));
    assertThat(answer.status()).isEqualTo(200);
  }

  private static long logDirty(ModelHost m) {
    return m.xen().ret("domctl", "shadow_op", "{'domain':1,'op':32,'mode':4}");
  }

  private static long counter(ModelHost m, String pointer) {
    return m.xen().daemon().get("/v1/domains/1/counters").body().at(pointer).asLong();
  }
}
