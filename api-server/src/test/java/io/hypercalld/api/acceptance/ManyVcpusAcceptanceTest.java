package io.hypercalld.api.acceptance;

import static io.hypercalld.api.acceptance.GuestUnit.quoted;
import static io.hypercalld.api.acceptance.NumberedBehaviours.row;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.hypercalld.api.scenario.DaemonUnderTest.Answer;
import java.util.stream.Stream;

/** What 288 vCPUs take besides interrupts that reach them (S1-D14, S1-D16). */
final class ManyVcpusAcceptanceTest implements GuestBehaviours.OfUnit {
  private static final int EINVAL = -22;

  @Override
  public void begin(GuestUnit host) {
    GuestBehaviours.OfUnit.super.begin(host);
    host.policies("'maxVcpus':288");
  }

  @Override
  public Stream<Row<GuestUnit>> rows() {
    return Stream.of(limits(), servers(), extendedDestinations()).flatMap(rows -> rows);
  }

  private static Stream<Row<GuestUnit>> limits() {
    return Stream.of(
        row(
            "288 vCPUs are the limit until another one is chosen",
            u -> {
              assertThat(u.tryGuest("'memory':'2MiB','vcpus':288").status()).isEqualTo(201);
              String before = u.daemon().digest();
              assertThat(u.tryGuest("'memory':'2MiB','vcpus':289").at("/errno"))
                  .isEqualTo("EINVAL");
              assertThat(u.daemon().digest()).isEqualTo(before);
            }),
        row(
            "the limit is a parameter up to 4096, of the hypercall, too",
            u -> {
              u.policies("'maxVcpus':4096");
              assertThat(u.daemon().get("/v1/machine").at("/policies/maxVcpus")).isEqualTo("4096");
              u.guest(",'vcpus':4096,'policies':{'apicIds':'n'}");
              assertThat(apic(u, 4095)).contains("\"id\":\"0xfff\"", "\"mode\":\"x2apic\"");
              u.policies("'maxVcpus':300");
              assertThat(creation(u, 301)).isEqualTo(EINVAL);
              assertThat(creation(u, 300)).isZero();
              Answer beyond =
                  u.daemon().patch("/v1/machine", quoted("{'policies':{'maxVcpus':4097}}"));
              assertThat(beyond.at("/errno")).isEqualTo("EINVAL");
            }),
        row(
            "APIC ids are twice the number, or the number",
            u -> {
              u.guest(",'vcpus':288");
              assertThat(apic(u, 127)).contains("\"id\":\"0xfe\"", "\"mode\":\"xapic\"");
              assertThat(apic(u, 287)).contains("\"id\":\"0x23e\"", "\"mode\":\"x2apic\"");
              u.guest(",'vcpus':288,'policies':{'apicIds':'n'}");
              assertThat(apic(u, 254)).contains("\"id\":\"0xfe\"", "\"mode\":\"xapic\"");
              assertThat(apic(u, 287)).contains("\"id\":\"0x11f\"", "\"mode\":\"x2apic\"");
            }),
        row(
            "the pool of tables is seeded with 512 pages beyond 128 vCPUs, with 256 up to there",
            u -> {
              u.policies("'maxVcpus':288");
              assertThat(creation(u, 128)).isZero();
              assertThat(pool(u, 9)).isEqualTo(256 << 12);
              u.daemon().delete("/v1/domains/9");
              assertThat(creation(u, 129)).isZero();
              assertThat(pool(u, 9)).isEqualTo(512 << 12);
            }));
  }

  private static String apic(GuestUnit u, int vcpu) {
    return u.daemon()
        .get("/v1/domains/%d/vcpus/%d/interrupts".formatted(u.guest(), vcpu))
        .body()
        .get("apic")
        .toString();
  }

  private static long creation(GuestUnit u, int vcpus) {
    return u.xen().ret("domctl", "createdomain", XenHost.creation(9, 3, 0x3ff, vcpus));
  }

  private static long pool(GuestUnit u, int domain) {
    JsonNode out =
        u.xen().done("domctl", "get_paging_mempool_size", "{'domain':%d}".formatted(domain));
    return Long.decode(out.get("size").asText());
  }

  private static Stream<Row<GuestUnit>> servers() {
    return Stream.of(
        row(
            "a server has a page of slots for each 128 vCPUs, and a port for each vCPU",
            u -> {
              u.guest(",'vcpus':288");
              for (int server = 0; server < 8; server++) {
                JsonNode made = server(u, "'bufioreq':'atomic'").body();
                assertThat(made.get("ports")).hasSize(288);
              }
              JsonNode last = u.daemon().get(servers(u) + "/7").body();
              assertThat(last.get("ports").get(287).asInt()).isEqualTo(8 * 289);
              assertThat(
                      u.xen()
                          .done(
                              "memory_op",
                              "acquire_resource",
                              "{'domid':%d,'type':0,'id':7}".formatted(u.guest()))
                          .get("nr_frames")
                          .asInt())
                  .isEqualTo(4);
            }),
        row(
            "a request of vCPU 287 is in the third page",
            u -> {
              u.guest(",'vcpus':288");
              server(u, "'ranges':[{'type':'port','start':'0x3f8','end':'0x3ff'}]");
              Answer access =
                  u.daemon()
                      .post(
                          "/v1/domains/%d/vcpus/287/io".formatted(u.guest()),
                          quoted("{'port':'0x3f8','op':'out','size':1,'data':'0x41'}"));
              assertThat(access.at("/outcome")).isEqualTo("pending");
              JsonNode request =
                  u.daemon().get(servers(u) + "/0/requests").body().get("items").get(0);
              assertThat(request.get("vcpu").asInt()).isEqualTo(287);
              u.xen()
                  .done(
                      "memory_op",
                      "acquire_resource",
                      "{'domid':%d,'type':0,'id':0,'frame':'0x3','nr_frames':1,'frame_list':['0x70000']}"
                          .formatted(u.guest()));
              String slot = "/v1/domains/0/memory?length=8&gpa=0x%x";
              assertThat(u.daemon().get(slot.formatted(0x7000_0000 + (287 - 256) * 32)).at("/data"))
                  .isEqualTo("f803000000000000");
              u.xen().done("memory_op", "remove_from_physmap", "{'domid':32752,'gpfn':'0x70000'}");
              String id = request.get("id").asText();
              Answer answered =
                  u.daemon()
                      .post(
                          servers(u) + "/0/requests/" + id + "/response", quoted("{'data':'0x0'}"));
              assertThat(answered.status()).as("%s", answered.body()).isEqualTo(204);
            }),
        row(
            "guest frames for the slots follow each other",
            u -> {
              u.guest(",'vcpus':288");
              param(u, 32, 0x300);
              param(u, 33, 5);
              param(u, 5, 0x200);
              u.xen().done("dm_op", "create_ioreq_server", "{'domid':%d}".formatted(u.guest()));
              String info = "{'domid':%d,'id':%d}";
              JsonNode pages =
                  u.xen().done("dm_op", "get_ioreq_server_info", info.formatted(u.guest(), 0));
              assertThat(pages.get("ioreq_gfn").asText()).isEqualTo("0x300");
              u.xen().done("dm_op", "create_ioreq_server", "{'domid':%d}".formatted(u.guest()));
              // 0x303, 0x304 and 0x200 are left: no three in a row.
              assertThat(
                      u.xen().ret("dm_op", "get_ioreq_server_info", info.formatted(u.guest(), 1)))
                  .isEqualTo(-12);
            }));
  }

  private static void param(GuestUnit u, int index, int value) {
    u.xen()
        .done(
            "hvm_op",
            "set_param",
            "{'domid':%d,'index':%d,'value':'0x%x'}".formatted(u.guest(), index, value));
  }

  private static String servers(GuestUnit u) {
    return "/v1/domains/%d/ioreq-servers".formatted(u.guest());
  }

  private static Answer server(GuestUnit u, String members) {
    return u.daemon().post(servers(u), quoted("{%s}".formatted(members)));
  }

  private static Stream<Row<GuestUnit>> extendedDestinations() {
    return Stream.of(
        row(
            "18 one server that does not know extended destinations keeps the guest from them",
            u -> {
              paused(u);
              assertThat(advertised(u)).isTrue();
              assertThat(server(u, "'extDestId':true").status()).isEqualTo(201);
              assertThat(server(u, "").status()).isEqualTo(201);
              assertThat(advertised(u)).isFalse();
              start(u);
              // Settled: it is not told later either.
              u.daemon().delete(servers(u) + "/1");
              assertThat(advertised(u)).isFalse();
              assertThat(server(u, "").status()).isEqualTo(201);
            }),
        row(
            "18 with both it is told, and a third without is refused once it runs",
            u -> {
              paused(u);
              server(u, "'extDestId':true");
              server(u, "'extDestId':true");
              start(u);
              assertThat(advertised(u)).isTrue();
              String before = u.daemon().digest();
              assertThat(server(u, "").at("/errno")).isEqualTo("EINVAL");
              assertThat(
                      u.xen()
                          .ret("dm_op", "create_ioreq_server", "{'domid':%d}".formatted(u.guest())))
                  .isEqualTo(EINVAL);
              assertThat(u.daemon().digest()).isEqualTo(before);
              assertThat(
                      u.xen()
                          .ret(
                              "dm_op",
                              "create_ioreq_server",
                              "{'domid':%d,'flags':1}".formatted(u.guest())))
                  .isZero();
              assertThat(
                      u.xen()
                          .ret(
                              "dm_op",
                              "create_ioreq_server",
                              "{'domid':%d,'flags':2}".formatted(u.guest())))
                  .isEqualTo(EINVAL);
            }),
        row(
            "18 without the policy nobody is told",
            u -> {
              u.guest(",'vcpus':2");
              server(u, "'extDestId':true");
              assertThat(advertised(u)).isFalse();
            }),
        row(
            "an extended destination reaches vCPU 287, and without the feature another one",
            u -> {
              paused(u);
              server(u, "'extDestId':true");
              start(u);
              // 574: 0x3e in bits 19:12, 2 in bits 11:5.
              inject(u, 0xfee0_0000L | 0x3e << 12 | 2 << 5);
              assertThat(apic(u, 287)).contains("\"irr\":[81]");
              assertThat(apic(u, 31)).contains("\"irr\":[]");
              u.guest(",'vcpus':288");
              inject(u, 0xfee0_0000L | 0x3e << 12 | 2 << 5);
              assertThat(apic(u, 287)).contains("\"irr\":[]");
              assertThat(apic(u, 31)).contains("\"irr\":[81]");
            }),
        row(
            "a redirection entry has 15 bits of destination, too",
            u -> {
              paused(u);
              start(u);
              pin(u, 0x3eL << 56 | 2L << 49 | 0x61);
              u.xen()
                  .done(
                      "dm_op",
                      "set_isa_irq_level",
                      "{'domid':%d,'isa_irq':4,'level':1}".formatted(u.guest()));
              assertThat(apic(u, 287)).contains("\"irr\":[97]");
            }));
  }

  private static void paused(GuestUnit u) {
    u.pausedGuest(",'vcpus':288,'policies':{'extDestId':'on'}");
  }

  private static void start(GuestUnit u) {
    u.daemon().post("/v1/domains/%d/actions/unpause".formatted(u.guest()), "{}");
  }

  private static boolean advertised(GuestUnit u) {
    return u.daemon().get("/v1/domains/" + u.guest()).body().at("/cpuid/extDestId").asBoolean();
  }

  private static void inject(GuestUnit u, long address) {
    u.xen()
        .done(
            "dm_op",
            "inject_msi",
            "{'domid':%d,'data':'0x51','addr':'0x%x'}".formatted(u.guest(), address));
  }

  /** Writes the redirection entry of pin 4. */
  private static void pin(GuestUnit u, long entry) {
    for (int half = 1; half >= 0; half--) {
      ioApic(u, 0x00, 0x18 + half);
      ioApic(u, 0x10, (entry >>> (32 * half)) & 0xffff_ffffL);
    }
  }

  private static void ioApic(GuestUnit u, int offset, long value) {
    Answer answer =
        u.daemon()
            .post(
                "/v1/domains/%d/vcpus/0/access".formatted(u.guest()),
                quoted(
                    "{'gpa':'0x%x','op':'write','size':4,'data':'0x%x'}"
                        .formatted(0xfec0_0000L + offset, value)));
    assertThat(answer.at("/outcome")).isEqualTo("emulated");
  }
}
