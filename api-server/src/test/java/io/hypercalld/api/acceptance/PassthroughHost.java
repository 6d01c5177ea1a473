package io.hypercalld.api.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.hypercalld.api.scenario.DaemonUnderTest;
import io.hypercalld.api.scenario.DaemonUnderTest.Answer;

/** A host of guests with devices, asked over HTTP: what the first document's scenarios need. */
final class PassthroughHost implements NumberedBehaviours.Host {
  /** A virtual function behind a unit with every leaf size. */
  static final String NIC = "0000:03:10.0";

  private static final String ASSIGNMENT = "/v1/devices/" + NIC + "/assignment";

  private final XenHost xen;
  private final DaemonUnderTest daemon;

  PassthroughHost(XenHost xen) {
    this.xen = xen;
    this.daemon = xen.daemon();
  }

  XenHost xen() {
    return xen;
  }

  /** No guests, the NIC with dom0 or in quarantine, and today's Xen. */
  void begin() {
    xen.clear();
    adopt("today");
  }

  /** Has the machine be another Xen. */
  void adopt(String profile) {
    patch("/v1/machine", "{'policies':{'profile':'" + profile + "'}}");
  }

  /** Which changes a domain's devices follow. */
  void follow(int domain, String hooks) {
    patch("/v1/domains/" + domain, "{'policies':{'syncHooks':[" + hooks + "]}}");
  }

  private void patch(String path, String body) {
    Answer answer = daemon.patch(path, body.replace('\'', '"'));
    assertThat(answer.status()).as(answer.body().toString()).isEqualTo(200);
  }

  /** Makes a domain; the members are JSON with apostrophes for quotes. */
  int domain(String members) {
    Answer answer = tryDomain(members);
    assertThat(answer.status()).as(answer.body().toString()).isEqualTo(201);
    return answer.body().get("domid").asInt();
  }

  Answer tryDomain(String members) {
    return daemon.post("/v1/domains", ("{" + members + "}").replace('\'', '"'));
  }

  /** A domain with a table of its own for its devices. */
  int separate(String memory, String leaves, String more) {
    return domain(
        "'type':'pvh','memory':'%s','pageTables':'separate','policies':{'dmaLeafSizes':[%s]%s}"
            .formatted(memory, leaves, more));
  }

  /** Gives the NIC to a domain, which must work. */
  void assign(int domain) {
    assertThat(tryAssign(domain)).isZero();
  }

  long tryAssign(int domain) {
    return xen.ret(
        "domctl", "assign_device", "{'domain':%d,'machine_sbdf':'%s'}".formatted(domain, NIC));
  }

  JsonNode device() {
    return daemon.get("/v1/devices/" + NIC).body();
  }

  void release() {
    daemon.delete(ASSIGNMENT);
  }

  /** Takes the NIC from its guest, and out of quarantine. */
  void releaseToDom0() {
    release();
    xen.done(
        "domctl",
        "deassign_device",
        "{'domain':%d,'machine_sbdf':'%s'}".formatted(AssignmentHost.IO, NIC));
  }

  /** Has the NIC read one byte. */
  JsonNode read(long address) {
    String body = "{\"op\":\"read\",\"address\":\"0x%x\",\"length\":1}".formatted(address);
    return daemon.post("/v1/devices/" + NIC + "/dma", body).body();
  }

  boolean reaches(long address) {
    return read(address).get("outcome").asText().equals("done");
  }

  String maddrOf(int domain, long gfn) {
    String mfn = xen.lookup(domain, "0x" + Long.toHexString(gfn)).get("mfn").asText();
    return "0x" + Long.toHexString(Long.decode(mfn) << 12);
  }

  JsonNode explain(long address) {
    return daemon
        .get("/v1/explain/dma?sbdf=%s&iova=0x%x&access=read".formatted(NIC, address))
        .body();
  }

  /** A counter of a domain, by its JSON Pointer. */
  long counter(int domain, String pointer) {
    return daemon.get("/v1/domains/" + domain + "/counters").body().at(pointer).asLong();
  }

  JsonNode counters(int domain) {
    return daemon.get("/v1/domains/" + domain + "/counters").body();
  }

  /** IOTLB invalidations of pages or domains, of all units. */
  long flushes() {
    JsonNode flushes = daemon.get("/v1/machine/counters").body().get("flushes");
    return flushes.get("page").asLong() + flushes.get("domain").asLong();
  }

  /** What the NIC's unit found in its IOTLB, and what it did not. */
  String lookups() {
    JsonNode cache =
        daemon.get("/v1/iommus/" + device().get("iommu").asInt() + "/counters").body().get("cache");
    return cache.get("iotlbHits").asLong()
        + " hits, "
        + cache.get("iotlbMisses").asLong()
        + " misses";
  }

  void resetCounters() {
    daemon.post("/v1/machine/counters/reset", "");
  }

  JsonNode machine() {
    return daemon.get("/v1/machine").body();
  }

  /** What every consistency check has to say. */
  String violations() {
    StringBuilder details = new StringBuilder();
    daemon
        .get("/_sim/invariants")
        .body()
        .get("violations")
        .forEach(each -> details.append(each.get("detail").asText()).append('\n'));
    return details.toString();
  }

  /** Adds an extent to a domain, which must work. */
  JsonNode populate(int domain, String extents, int order) {
    return xen.done(
        "memory_op",
        "populate_physmap",
        "{'domid':%d,'extent_start':%s,'extent_order':%d}".formatted(domain, extents, order));
  }

  /** Gives an extent back. */
  void decrease(int domain, String gfn, int order) {
    assertThat(
            xen.ret(
                "memory_op",
                "decrease_reservation",
                "{'domid':%d,'extent_start':['%s'],'extent_order':%d}"
                    .formatted(domain, gfn, order)))
        .isEqualTo(1);
  }

  /** Maps a page of another domain's, whose device model the mapper becomes. */
  void mapForeign(int mapper, String gpfn, int owner, String gfn) {
    xen.call("domctl", "set_target", "{'domain':%d,'target':%d}".formatted(mapper, owner));
    JsonNode out =
        xen.done(
            "memory_op",
            "add_to_physmap_batch",
            "{'domid':%d,'space':4,'foreign_domid':%d,'idxs':['%s'],'gpfns':['%s']}"
                .formatted(mapper, owner, gfn, gpfn));
    assertThat(out.toString()).as("foreign mapping").doesNotContain("-");
  }

  /** Exchanges one frame of a PV domain's, and says which it got for it. */
  String exchange(int domain, String mfn) {
    String side = "{'domid':%d,'extent_start':['%s']}";
    JsonNode out =
        xen.done(
            "memory_op",
            "exchange",
            "{'in':%s,'out':%s}"
                .formatted(side.formatted(domain, mfn), side.formatted(domain, "0x10")));
    return out.findValue("extent_start").get(0).asText();
  }

  /** Whether the processor reads memory at a guest frame. */
  boolean guestReads(int domain, long gfn) {
    return daemon
            .get("/v1/domains/%d/memory?gpa=0x%x&length=1".formatted(domain, gfn << 12))
            .status()
        == 200;
  }

  DaemonUnderTest daemon() {
    return daemon;
  }

  @Override
  public void close() {
    xen.close();
  }
}
