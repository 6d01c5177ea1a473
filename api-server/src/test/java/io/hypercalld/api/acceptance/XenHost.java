package io.hypercalld.api.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.hypercalld.api.platform.PlatformSource;
import io.hypercalld.api.scenario.DaemonUnderTest;
import io.hypercalld.api.scenario.DaemonUnderTest.Answer;
import io.hypercalld.iommu.platform.Platform;

/**
 * The host of Xen's numbered behaviours, asked over HTTP: dom0, and domain D as those behaviours
 * presume it.
 *
 * <p>One daemon serves a whole test class; {@link #freshD} makes its domains anew.
 */
final class XenHost implements NumberedBehaviours.Host {
  /** The id of domain D. */
  static final int D = 1;

  private static final int FLAG_HVM = 0x1;
  private static final int FLAG_HAP = 0x2;
  private static final int EMULATE_HVM = 0x3ff;

  private final DaemonUnderTest daemon;

  private XenHost(DaemonUnderTest daemon) {
    this.daemon = daemon;
  }

  /**
   * What a hypercall came to.
   *
   * @param ret zero, a count, or the negative of an errno
   * @param out what the C struct returns
   * @param detail why it was refused; empty where it was not
   */
  record Result(long ret, JsonNode out, String detail) {}

  static XenHost start() {
    return new XenHost(DaemonUnderTest.on(PlatformSource.named("two-socket")));
  }

  /** The same on another machine. */
  static XenHost on(Platform platform) {
    return new XenHost(DaemonUnderTest.on(platform));
  }

  DaemonUnderTest daemon() {
    return daemon;
  }

  /** Makes a hypercall as dom0; the arguments are JSON with apostrophes for quotes. */
  Result call(String call, String op, String arguments) {
    return call(call, op, arguments, 0);
  }

  /** Makes a hypercall as any domain. */
  Result call(String call, String op, String arguments, int caller) {
    Answer answer =
        daemon.post(
            "/v1/hypercalls/" + call + "/" + op + "?caller=" + caller,
            arguments.replace('\'', '"'));
    assertThat(answer.body().has("ret")).as("%s.%s answered %s", call, op, answer.body()).isTrue();
    return new Result(
        answer.body().get("ret").asLong(),
        answer.body().path("out"),
        answer.body().path("detail").asText(""));
  }

  /** The number that a hypercall of dom0's returns. */
  long ret(String call, String op, String arguments) {
    return call(call, op, arguments).ret();
  }

  /** The number that a hypercall of any domain's returns. */
  long ret(String call, String op, String arguments, int caller) {
    return call(call, op, arguments, caller).ret();
  }

  /** Has a hypercall made that must succeed. */
  JsonNode done(String call, String op, String arguments) {
    Result result = call(call, op, arguments);
    assertThat(result.ret()).as("%s.%s: %s", call, op, result.detail()).isNotNegative();
    return result.out();
  }

  /** Destroys every guest. */
  void clear() {
    for (JsonNode domain : daemon.get("/v1/domains").body().get("items")) {
      int id = domain.get("domid").asInt();
      if (id != 0) {
        daemon.delete("/v1/domains/" + id);
      }
    }
  }

  /** Only dom0 and D: HVM with HAP, two vCPUs, 1024 pages allowed, 512 populated as one leaf. */
  void freshD() {
    clear();
    hvm(D, 2, 1024);
    assertThat(populate(D, "0x0", 9)).isEqualTo(1);
  }

  /** A paused HVM domain with HAP, its vCPUs made, nothing populated. */
  void hvm(int id, int vcpus, int pages) {
    create(id, FLAG_HVM | FLAG_HAP, EMULATE_HVM, vcpus);
    limit(id, pages);
  }

  /** A paused domain of any kind, its vCPUs made, no memory allowed yet. */
  void create(int id, int flags, int emulation, int vcpus) {
    done("domctl", "createdomain", creation(id, flags, emulation, vcpus));
    done("domctl", "max_vcpus", "{'domain':%d,'max':%d}".formatted(id, vcpus));
  }

  /** The arguments that make a domain, to be changed at will. */
  static String creation(int id, int flags, int emulation, int vcpus) {
    return """
    {'domain':%d,'flags':%d,'max_vcpus':%d,'max_evtchn_port':1023,'grant_opts':2,
     'arch':{'emulation_flags':%d,'misc_flags':0}}\
    """
        .formatted(id, flags, vcpus, emulation);
  }

  void limit(int id, long pages) {
    done("domctl", "max_mem", "{'domain':%d,'max_memkb':%d}".formatted(id, pages * 4));
  }

  /** How many of one extent were populated. */
  long populate(int id, String gfn, int order) {
    return ret(
        "memory_op",
        "populate_physmap",
        "{'domid':%d,'extent_start':['%s'],'extent_order':%d}".formatted(id, gfn, order));
  }

  /** How many of some single pages were given back. */
  long decrease(int id, String... gfns) {
    return ret(
        "memory_op",
        "decrease_reservation",
        "{'domid':%d,'extent_start':['%s'],'extent_order':0}"
            .formatted(id, String.join("','", gfns)));
  }

  /** Has a server of dom0's claim a page of D's. */
  void claimPage(String gfn) {
    done("dm_op", "create_ioreq_server", "{'domid':1}");
    done("dm_op", "map_mem_type_to_ioreq_server", "{'domid':1,'id':0,'type':4,'flags':2}");
    done(
        "dm_op", "set_mem_type", "{'domid':1,'mem_type':4,'nr':1,'first_pfn':'%s'}".formatted(gfn));
  }

  /** What the P2M says about a guest frame: gfn, mfn, order, type, access. */
  JsonNode lookup(int id, String gfn) {
    return daemon.get("/v1/domains/" + id + "/p2m/" + gfn).body();
  }

  String type(int id, String gfn) {
    return lookup(id, gfn).get("type").asText();
  }

  /** What {@code getdomaininfo} returns. */
  JsonNode info(int id) {
    return done("domctl", "getdomaininfo", "{'domain':%d}".formatted(id));
  }

  long pages(int id) {
    return info(id).get("tot_pages").asLong();
  }

  String maximumGpfn(int id) {
    return "0x" + Long.toHexString(ret("memory_op", "maximum_gpfn", "{'domid':%d}".formatted(id)));
  }

  /** Whether every consistency check passes. */
  void assertConsistent() {
    assertThat(daemon.get("/_sim/invariants").body().get("violations")).isEmpty();
  }

  String digest() {
    return daemon.digest();
  }

  @Override
  public void close() {
    daemon.close();
  }
}
