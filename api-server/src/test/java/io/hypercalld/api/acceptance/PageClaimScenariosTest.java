package io.hypercalld.api.acceptance;

import static io.hypercalld.api.acceptance.ModelBehaviours.model;
import static io.hypercalld.api.acceptance.PageClaimWords.IOREQ_SERVER;
import static io.hypercalld.api.acceptance.PageClaimWords.MINUTE;
import static io.hypercalld.api.acceptance.PageClaimWords.RAM_RO;
import static io.hypercalld.api.acceptance.PageClaimWords.RAM_RW;
import static io.hypercalld.api.acceptance.PageClaimWords.TABLE_PAGES;
import static io.hypercalld.api.acceptance.PageClaimWords.claim;
import static io.hypercalld.api.acceptance.PageClaimWords.copy;
import static io.hypercalld.api.acceptance.PageClaimWords.counter;
import static io.hypercalld.api.acceptance.PageClaimWords.large;
import static io.hypercalld.api.acceptance.PageClaimWords.logDirty;
import static io.hypercalld.api.acceptance.PageClaimWords.memType;
import static io.hypercalld.api.acceptance.PageClaimWords.nominate;
import static io.hypercalld.api.acceptance.PageClaimWords.policies;
import static io.hypercalld.api.acceptance.PageClaimWords.server;
import static io.hypercalld.api.acceptance.PageClaimWords.serving;
import static io.hypercalld.api.acceptance.PageClaimWords.timeout;
import static io.hypercalld.api.acceptance.XenHost.D;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.stream.Stream;

/** The scenarios of the document on pages that device models claim, under each policy. */
final class PageClaimScenariosTest implements ModelBehaviours {
  private static final int MEMORY = 1;

  @Override
  public Stream<Row<XenHost>> rows() {
    return Stream.concat(tagging(), claiming());
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
              m.xen()
                  .done(
                      "domctl",
                      "iomem_permission",
                      "{'domain':1,'first_mfn':'0xf0000','nr_mfns':1,'allow_access':1}");
              m.xen()
                  .done(
                      "domctl",
                      "memory_mapping",
                      "{'domain':1,'first_gfn':'0x3000','first_mfn':'0xf0000','nr_mfns':1,"
                          + "'add_mapping':1}");
              assertThat(m.xen().type(D, "0x3000")).isEqualTo("mmio_direct");
              assertThat(m.retype(0x3000, 1, IOREQ_SERVER)).isEqualTo(-22);
            }),
        model(
            "10 a shared page becomes one only when it can be unshared",
            m -> {
              server(m);
              String sharing =
                  """
                  {'op':2,'domain':1,'source_gfn':'0x6','source_handle':%d,
                   'client_domain':1,'client_gfn':'0x5','client_handle':%d}\
                  """;
              long source = nominate(m, 6);
              m.xen().done("memory_op", "sharing_op", sharing.formatted(source, nominate(m, 5)));
              assertThat(m.xen().pages(D)).isEqualTo(510);
              m.xen().limit(D, 510);
              assertThat(m.retype(5, 1, IOREQ_SERVER)).isEqualTo(-11);
              assertThat(m.xen().type(D, "0x5")).isEqualTo("ram_shared");
              m.xen().limit(D, 512);
              assertThat(m.retype(5, 1, IOREQ_SERVER)).isZero();
              assertThat(m.claimedPages()).isEqualTo(1);
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
              int server = server(m);
              assertThat(m.retype(5, 1, IOREQ_SERVER)).isZero();
              assertThat(m.read(0x5000, 8).get("data").asText()).isEqualTo("0x7");
              assertThat(m.requests(server)).isEmpty();
              assertThat(m.claim(server, 0)).isZero();
              policies(m, "'claimAccess':'all'");
              assertThat(m.claim(server, 2)).isZero();
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
              m.anew();
              m.xen().clear();
              m.xen().create(D, 1, 0x3ff, 1);
              assertThat(m.claim(7, 1)).isEqualTo(-95);
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
              long refusal = 0;
              while (refusal == 0) {
                refusal = m.map(server, MEMORY, mapped * 0x2000L, mapped * 0x2000L + 0xfff);
                mapped += refusal == 0 ? 1 : 0;
              }
              assertThat(refusal).isEqualTo(-12);
              assertThat(mapped).isEqualTo(256);
              assertThat(mapped * 1000L / 2048).isEqualTo(125);
              assertThat(m.map(server, MEMORY, 0x1000, 0x1fff)).isZero();
              for (int id = 1; id < 8; id++) {
                assertThat(m.create(0)).isEqualTo(id);
              }
              assertThat(m.op("create_ioreq_server", "'handle_bufioreq':0")).isEqualTo(-28);
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
}
