package io.hypercalld.api.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.hypercalld.api.scenario.DaemonUnderTest.Answer;
import java.util.Locale;

/** A host with a driver domain, its device and a victim next to it, and the words for them. */
final class AddressModeHost {
  /** The domain that drives the device. */
  static final int DRIVER = 2;

  static final String DEVICE = "0000:03:10.0";
  static final String ALL_ONES = "0xffffffffffffffff";

  private final XenHost xen;

  AddressModeHost(XenHost xen) {
    this.xen = xen;
  }

  XenHost xen() {
    return xen;
  }

  /** Makes the driver domain of 64 MiB, with a device of its own. */
  void driver(String policies) {
    Answer made =
        post(
            "/v1/domains",
            "{'name':'driver','type':'pvh','memory':'64MiB','policies':{%s}}".formatted(policies));
    assertThat(made.status()).as("%s", made.body()).isEqualTo(201);
    assertThat(made.body().get("domid").asInt()).isEqualTo(DRIVER);
    assertThat(
            xen.ret(
                "domctl", "assign_device", "{'domain':2,'machine_sbdf':'%s'}".formatted(DEVICE)))
        .isZero();
  }

  /** A request whose body has apostrophes for quotes. */
  Answer post(String path, String body) {
    return xen.daemon().post(path, body.replace('\'', '"'));
  }

  /** A hypercall of the driver domain's. */
  XenHost.Result call(String call, String op, String arguments) {
    return xen.call(call, op, arguments, DRIVER);
  }

  /** What a hypercall of the driver domain's returns. */
  long ret(String call, String op, String arguments) {
    return call(call, op, arguments).ret();
  }

  /** The machine frame that a domain is told of a guest frame of its own. */
  String phystomach(int domain, String gpfn) {
    return xen.call("dom0vp_op", "phystomach", "{'gpfn':'%s'}".formatted(gpfn), domain)
        .out()
        .get("mfn")
        .asText();
  }

  String machtophys(String mfn) {
    return call("dom0vp_op", "machtophys", "{'mfn':'%s'}".formatted(mfn))
        .out()
        .get("gpfn")
        .asText();
  }

  /** A context of the driver domain's that its device goes through. */
  void ownContext() {
    assertThat(call("iommu_op", "alloc_context", "{}").out().get("ctx_no").asInt()).isEqualTo(1);
    assertThat(
            ret(
                "iommu_op",
                "reattach_device",
                "{'ctx_no':1,'machine_sbdf':'%s'}".formatted(DEVICE)))
        .isZero();
  }

  /** Maps guest frames of the driver domain's in its own context. */
  XenHost.Result map(String gfn, String dfn, int pages, int flags) {
    return call(
        "iommu_op",
        "map_pages",
        "{'ctx_no':1,'gfn':'%s','dfn':'%s','nr_pages':%d,'flags':%d}"
            .formatted(gfn, dfn, pages, flags));
  }

  XenHost.Result unmap(String dfn, int pages) {
    return call(
        "iommu_op", "unmap_pages", "{'ctx_no':1,'dfn':'%s','nr_pages':%d}".formatted(dfn, pages));
  }

  /** The device writes a word at the beginning of a bus frame. */
  JsonNode write(String busFrame) {
    return dma("'op':'write','data':'0123456789abcdef'", busFrame);
  }

  /** The device reads a word at the beginning of a bus frame. */
  JsonNode read(String busFrame) {
    return dma("'op':'read','length':8", busFrame);
  }

  private JsonNode dma(String what, String busFrame) {
    Answer answer =
        post("/v1/devices/" + DEVICE + "/dma", "{%s,'address':'%s000'}".formatted(what, busFrame));
    assertThat(answer.status()).as("%s", answer.body()).isEqualTo(200);
    return answer.body();
  }

  /** Grants D's page to the driver domain, which maps it; the status. */
  int mapGrant(int ref, int gfn, int grantFlags, int mapFlags, String at) {
    GrantAcceptanceTest.grant(xen, ref, grantFlags, gfn);
    return GrantAcceptanceTest.mapGrant(xen, ref, mapFlags, at).get("status").asInt();
  }

  /** The driver domain's first handle is given back; the status. */
  int unmapGrant(String at) {
    return call("grant_table_op", "unmap_grant_ref", "{'host_addr':'%s','handle':0}".formatted(at))
        .out()
        .get("status")
        .asInt();
  }

  /** What machine memory holds at the beginning of a frame. */
  String memory(String mfn) {
    return xen.daemon().get("/v1/memory?length=8&maddr=" + mfn + "000").at("/data");
  }

  /** The use of a frame, as the frame table has it. */
  String use(String mfn) {
    return xen.daemon().get("/v1/machine/frames/" + mfn).at("/use").toLowerCase(Locale.ROOT);
  }
}
