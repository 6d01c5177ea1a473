package io.hypercalld.api.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.hypercalld.api.scenario.DaemonUnderTest.Answer;

/** Domain D with device models, asked over HTTP: the words of Xen's behaviours 58 to 86. */
final class ModelHost {
  private static final String DM_OP = "dm_op";
  private static final String SERVERS = "/v1/domains/1/ioreq-servers/";

  /** Where dom0 maps servers' pages. */
  private static final long DOM0_WINDOW = 0x400_0000;

  private final XenHost host;

  ModelHost(XenHost host) {
    this.host = host;
  }

  /** Unmaps the pages that dom0 mapped, so that their owner can go. */
  void letGo() {
    for (int page = 0; page < 16; page++) {
      host.ret(
          "memory_op",
          "remove_from_physmap",
          "{'domid':0,'gpfn':'0x%x'}".formatted(DOM0_WINDOW + page));
    }
  }

  /** D is as in the beginning. */
  void anew() {
    letGo();
    host.freshD();
  }

  XenHost xen() {
    return host;
  }

  /** Makes a dm_op on D as dom0; the members are JSON with apostrophes for quotes. */
  long op(String op, String members) {
    return op(op, members, 0);
  }

  long op(String op, String members, int caller) {
    return host.ret(DM_OP, op, "{'domid':1,%s}".formatted(members), caller);
  }

  JsonNode out(String op, String members) {
    return host.done(DM_OP, op, "{'domid':1,%s}".formatted(members));
  }

  /** A disabled server without pages. */
  int create(int mode) {
    return out("create_ioreq_server", "'handle_bufioreq':" + mode).get("id").asInt();
  }

  /** Makes and maps a server's page into dom0, and says at which guest-physical address. */
  long acquire(int server, int frame) {
    long gfn = DOM0_WINDOW + server * 2L + frame;
    assertThat(acquire(server, frame, gfn)).isZero();
    return gfn << 12;
  }

  long acquire(int server, int frame, long gfn) {
    return host.ret(
        "memory_op",
        "acquire_resource",
        "{'domid':1,'type':0,'id':%d,'frame':'0x%x','nr_frames':1,'frame_list':['0x%x']}"
            .formatted(server, frame, gfn));
  }

  long enable(int server, boolean enabled) {
    return op("set_ioreq_server_state", "'id':%d,'enabled':%d".formatted(server, enabled ? 1 : 0));
  }

  long map(int server, int type, long start, long end) {
    return op("map_io_range_to_ioreq_server", range(server, type, start, end));
  }

  long unmap(int server, int type, long start, long end) {
    return op("unmap_io_range_from_ioreq_server", range(server, type, start, end));
  }

  private static String range(int server, int type, long start, long end) {
    return "'id':%d,'type':%d,'start':'0x%x','end':'0x%x'".formatted(server, type, start, end);
  }

  /** A server with pages, enabled, that answers for a range. */
  int serving(int mode, int type, long start, long end) {
    int server = create(mode);
    acquire(server, 1);
    if (mode != 0) {
      acquire(server, 0);
    }
    assertThat(map(server, type, start, end)).isZero();
    assertThat(enable(server, true)).isZero();
    return server;
  }

  long destroy(int server) {
    return op("destroy_ioreq_server", "'id':" + server);
  }

  long claim(int server, int flags) {
    return op(
        "map_mem_type_to_ioreq_server", "'id':%d,'type':4,'flags':%d".formatted(server, flags));
  }

  long retype(long first, long count, int type) {
    return op(
        "set_mem_type", "'nr':%d,'mem_type':%d,'first_pfn':'0x%x'".formatted(count, type, first));
  }

  /** Pages of the type that servers claim. */
  long claimedPages() {
    JsonNode runs = host.daemon().get("/v1/domains/1/p2m?type=ioreq_server").body().get("items");
    long pages = 0;
    for (JsonNode run : runs) {
      pages += run.get("count").asLong();
    }
    return pages;
  }

  JsonNode read(long gpa, int size) {
    return access(0, "{'gpa':'0x%x','op':'read','size':%d}".formatted(gpa, size)).body();
  }

  JsonNode write(long gpa, int size, long data) {
    return access(
            0, "{'gpa':'0x%x','op':'write','size':%d,'data':'0x%x'}".formatted(gpa, size, data))
        .body();
  }

  JsonNode add(long gpa, int size, long data) {
    return access(0, "{'gpa':'0x%x','op':'add','size':%d,'data':'0x%x'}".formatted(gpa, size, data))
        .body();
  }

  Answer access(int vcpu, String body) {
    return host.daemon()
        .post("/v1/domains/1/vcpus/%d/access".formatted(vcpu), body.replace('\'', '"'));
  }

  JsonNode in(int port, int size) {
    return io("{'port':'0x%x','op':'in','size':%d}".formatted(port, size));
  }

  JsonNode out(int port, int size, long data) {
    return io("{'port':'0x%x','op':'out','size':%d,'data':'0x%x'}".formatted(port, size, data));
  }

  private JsonNode io(String body) {
    return host.daemon().post("/v1/domains/1/vcpus/0/io", body.replace('\'', '"')).body();
  }

  /** What a server is asked and has not answered. */
  JsonNode requests(int server) {
    return host.daemon().get(SERVERS + server + "/requests").body().get("items");
  }

  JsonNode buffered(int server) {
    return host.daemon().get(SERVERS + server + "/requests").body().get("buffered");
  }

  /** The only thing that a server is asked. */
  JsonNode request(int server) {
    JsonNode requests = requests(server);
    assertThat(requests).hasSize(1);
    return requests.get(0);
  }

  /** Answers the only thing that a server is asked. */
  void respond(int server, long data) {
    Answer answer =
        host.daemon()
            .post(
                SERVERS + server + "/requests/" + request(server).get("id").asText() + "/response",
                "{\"data\":\"0x%x\"}".formatted(data));
    assertThat(answer.status()).as(answer.body().toString()).isEqualTo(204);
  }

  /** Takes the oldest request out of a server's ring. */
  void takeBuffered(int server) {
    Answer answer = host.daemon().post(SERVERS + server + "/requests/buffered/response", "{}");
    assertThat(answer.status()).isEqualTo(204);
  }

  /** A 64-bit word of dom0's memory. */
  long load(long gpa) {
    return load(0, gpa);
  }

  long load(int domain, long gpa) {
    String hex =
        host.daemon()
            .get("/v1/domains/%d/memory?gpa=0x%x&length=8".formatted(domain, gpa))
            .at("/data");
    return Long.reverseBytes(Long.parseUnsignedLong(hex, 16));
  }

  void store(long gpa, long word) {
    Answer answer =
        host.daemon()
            .put(
                "/v1/domains/0/memory?gpa=0x%x".formatted(gpa),
                "{\"data\":\"%016x\"}".formatted(Long.reverseBytes(word)));
    assertThat(answer.status()).as(answer.body().toString()).isBetween(200, 204);
  }

  /** Binds dom0 to a port of D's and says to which port of its own. */
  int bind(long port) {
    return host.done(
            "event_channel_op",
            "bind_interdomain",
            "{'remote_dom':1,'remote_port':%d}".formatted(port))
        .get("local_port")
        .asInt();
  }

  void send(int port) {
    assertThat(host.ret("event_channel_op", "send", "{'port':%d}".formatted(port))).isZero();
  }

  int status(int domain, int port) {
    return host.call("event_channel_op", "status", "{'dom':%d,'port':%d}".formatted(domain, port))
        .out()
        .path("status")
        .asInt(-1);
  }

  /** Whether D has ended, which only a crash brings about here. */
  boolean isCrashed() {
    return host.daemon().get("/v1/domains/1").at("/state").equals("shutdown");
  }
}
