package io.hypercalld.api.acceptance;

import static io.hypercalld.api.acceptance.AddressModeHost.DEVICE;
import static io.hypercalld.api.acceptance.AddressModeHost.DRIVER;
import static io.hypercalld.api.acceptance.NumberedBehaviours.row;
import static io.hypercalld.api.acceptance.XenHost.D;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.hypercalld.api.scenario.DaemonUnderTest.Answer;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * {@code iommu_op} as of 2024: contexts that a driver domain fills for its devices. The list of
 * operations of 2016 is PvIommuOpsTest's.
 */
final class IommuContextsTest implements XenBehaviours {
  @Override
  public Stream<Row<XenHost>> rows() {
    return Stream.of(
        mode("19 contexts: as many as there may be", IommuContextsTest::count),
        mode("19 a frame in use, and how far it came", IommuContextsTest::inUse),
        mode("19 at most 256 pages", IommuContextsTest::tooMany),
        mode("19 the first context is nobody's to change", IommuContextsTest::first),
        mode("what cannot be mapped, unmapped or found", IommuContextsTest::errnos),
        mode("who may not", IommuContextsTest::privilege),
        mode("a context is let go of by its devices first", IommuContextsTest::busy),
        mode("several contexts, the same address", IommuContextsTest::several),
        mode("one flush for a call", IommuContextsTest::flushes),
        mode("a driver domain's end", IommuContextsTest::end),
        mode("the generation and the number are policies", IommuContextsTest::policies));
  }

  private static Row<XenHost> mode(String name, Consumer<AddressModeHost> check) {
    return row(name, xen -> check.accept(new AddressModeHost(xen)));
  }

  private static void count(AddressModeHost host) {
    host.driver("'dmaMode':'vp-iommu','nbCtx':2");
    JsonNode abilities = host.call("iommu_op", "query_capabilities", "{}").out();
    assertThat(abilities.get("max_ctx_no").asInt()).isEqualTo(2);
    assertThat(abilities.get("max_nr_pages").asInt()).isEqualTo(256);
    assertThat(abilities.get("max_iova").asText()).isEqualTo("0x7fffffffff");

    assertThat(alloc(host)).isEqualTo(1);
    assertThat(alloc(host)).isEqualTo(2);
    assertThat(host.ret("iommu_op", "alloc_context", "{}")).isEqualTo(-28);
    assertThat(host.ret("iommu_op", "free_context", "{'ctx_no':1}")).isZero();
    assertThat(alloc(host)).isEqualTo(1);
  }

  private static int alloc(AddressModeHost host) {
    return host.call("iommu_op", "alloc_context", "{}").out().get("ctx_no").asInt();
  }

  private static void inUse(AddressModeHost host) {
    host.driver("'dmaMode':'vp-iommu'");
    host.ownContext();
    assertThat(host.map("0x10", "0x1000", 4, 3).out().get("mapped").asInt()).isEqualTo(4);

    XenHost.Result half = host.map("0x20", "0xffe", 4, 3);

    assertThat(half.ret()).isEqualTo(-98);
    assertThat(half.out().get("mapped").asInt()).isEqualTo(2);
    assertThat(lookup(host, "0xfff")).isEqualTo("0x21");
    assertThat(lookup(host, "0x1000")).isEqualTo("0x10");
    XenHost.Result gone = host.unmap("0x1002", 4);
    assertThat(gone.ret()).isEqualTo(-2);
    assertThat(gone.out().get("unmapped").asInt()).isEqualTo(2);
    assertThat(host.unmap("0xffe", 4).out().get("unmapped").asInt()).isEqualTo(4);
  }

  private static String lookup(AddressModeHost host, String dfn) {
    return host.call("iommu_op", "lookup_page", "{'ctx_no':1,'dfn':'%s'}".formatted(dfn))
        .out()
        .get("gfn")
        .asText();
  }

  private static void tooMany(AddressModeHost host) {
    host.driver("'dmaMode':'vp-iommu'");
    host.ownContext();
    assertThat(host.map("0x10", "0x1000", 257, 3).ret()).isEqualTo(-7);
    assertThat(host.map("0x10", "0x1000", 256, 3).ret()).isZero();
    assertThat(host.unmap("0x1000", 257).ret()).isEqualTo(-7);
    assertThat(host.unmap("0x1000", 256).ret()).isZero();
  }

  private static void first(AddressModeHost host) {
    host.driver("'dmaMode':'vp-iommu'");
    String before = host.xen().digest();
    assertThat(host.ret("iommu_op", "free_context", "{'ctx_no':0}")).isEqualTo(-22);
    String pages = "{'ctx_no':0,'gfn':'0x10','dfn':'0x10','nr_pages':1}";
    assertThat(host.ret("iommu_op", "map_pages", pages)).isEqualTo(-22);
    assertThat(host.ret("iommu_op", "unmap_pages", "{'ctx_no':0,'dfn':'0x10','nr_pages':1}"))
        .isEqualTo(-22);
    assertThat(host.ret("iommu_op", "lookup_page", "{'ctx_no':0,'dfn':'0x10'}")).isEqualTo(-22);
    assertThat(host.xen().digest()).isEqualTo(before);
    assertThat(host.write("0x10").get("outcome").asText()).isEqualTo("done");
  }

  private static void errnos(AddressModeHost host) {
    host.driver("'dmaMode':'vp-iommu'");
    host.ownContext();
    String before = host.xen().digest();
    assertThat(host.map("0x10", "0x1000", 1, 0).ret()).isEqualTo(-22);
    assertThat(host.map("0x10", "0x1000", 1, 4).ret()).isEqualTo(-22);
    assertThat(host.map("0x10", "0x8000000", 1, 3).ret()).isEqualTo(-22);
    assertThat(host.map("0x7ffff", "0x1000", 1, 3).ret()).isEqualTo(-22);
    assertThat(host.unmap("0x1000", 1).ret()).isEqualTo(-2);
    assertThat(host.ret("iommu_op", "lookup_page", "{'ctx_no':1,'dfn':'0x1000'}")).isEqualTo(-2);
    assertThat(host.ret("iommu_op", "lookup_page", "{'ctx_no':2,'dfn':'0x1000'}")).isEqualTo(-22);
    assertThat(reattach(host, 2, DEVICE)).isEqualTo(-22);
    assertThat(reattach(host, 1, "0000:77:00.0")).isEqualTo(-2);
    // Somebody else's device is none of the caller's.
    assertThat(reattach(host, 1, "0000:03:10.1")).isEqualTo(-2);
    assertThat(host.ret("iommu_op", "free_context", "{'ctx_no':2}")).isEqualTo(-22);
    assertThat(host.ret("iommu_op", "free_context", "{'ctx_no':1,'flags':2}")).isEqualTo(-22);
    assertThat(host.xen().digest()).isEqualTo(before);
  }

  private static long reattach(AddressModeHost host, int context, String device) {
    return host.ret(
        "iommu_op",
        "reattach_device",
        "{'ctx_no':%d,'machine_sbdf':'%s'}".formatted(context, device));
  }

  private static void privilege(AddressModeHost host) {
    host.driver("'dmaMode':'vp'");
    for (String op : List.of("query_capabilities", "alloc_context")) {
      assertThat(host.ret("iommu_op", op, "{}")).isEqualTo(-1);
      assertThat(host.xen().ret("iommu_op", op, "{}", D)).isEqualTo(-1);
    }
    assertThat(host.ret("iommu_op", "operations", "{'ops':[]}")).isEqualTo(-38);
  }

  private static void busy(AddressModeHost host) {
    host.driver("'dmaMode':'vp-iommu'");
    host.ownContext();
    assertThat(host.map("0x10", "0x1000", 1, 3).ret()).isZero();
    assertThat(host.ret("iommu_op", "free_context", "{'ctx_no':1}")).isEqualTo(-16);
    assertThat(patch(host, "'dmaMode':'vp'").status()).isEqualTo(409);
    assertThat(patch(host, "'nbCtx':1").status()).isEqualTo(409);

    assertThat(host.ret("iommu_op", "free_context", "{'ctx_no':1,'flags':1}")).isZero();

    assertThat(host.write("0x10").get("outcome").asText()).isEqualTo("done");
    assertThat(patch(host, "'dmaMode':'vp'").status()).isEqualTo(200);
  }

  private static Answer patch(AddressModeHost host, String policies) {
    return host.xen()
        .daemon()
        .patch("/v1/domains/2", "{'policies':{%s}}".formatted(policies).replace('\'', '"'));
  }

  private static void several(AddressModeHost host) {
    host.driver("'dmaMode':'vp-iommu'");
    host.ownContext();
    assertThat(alloc(host)).isEqualTo(2);
    assertThat(host.map("0x10", "0x1000", 1, 3).ret()).isZero();
    assertThat(
            host.ret(
                "iommu_op", "map_pages", "{'ctx_no':2,'gfn':'0x20','dfn':'0x1000','nr_pages':1}"))
        .isZero();

    assertThat(reached(host)).isEqualTo(host.phystomach(DRIVER, "0x10") + "000");
    assertThat(reattach(host, 2, DEVICE)).isZero();
    assertThat(reached(host)).isEqualTo(host.phystomach(DRIVER, "0x20") + "000");
    assertThat(reattach(host, 0, DEVICE)).isZero();
    assertThat(reached(host)).isEqualTo(host.phystomach(DRIVER, "0x1000") + "000");
  }

  private static String reached(AddressModeHost host) {
    return host.write("0x1000").at("/segments/0/maddr").asText();
  }

  private static void flushes(AddressModeHost host) {
    host.driver("'dmaMode':'vp-iommu'");
    host.ownContext();
    assertThat(host.map("0x100", "0x1000", 256, 3).ret()).isZero();
    long before = invalidations(host);
    assertThat(host.unmap("0x1000", 256).ret()).isZero();
    assertThat(invalidations(host)).isEqualTo(before + 1);
    assertThat(host.map("0x100", "0x1000", 256, 3).ret()).isZero();
    // What was absent is not remembered: there is nothing to tell.
    assertThat(invalidations(host)).isEqualTo(before + 1);
  }

  static long invalidations(AddressModeHost host) {
    JsonNode flushes = host.xen().daemon().get("/v1/iommus/0/counters").body().get("flushes");
    return flushes.get("page").asLong() + flushes.get("domain").asLong();
  }

  private static void end(AddressModeHost host) {
    host.driver("'dmaMode':'vp-iommu'");
    long ids = used(host);
    host.ownContext();
    assertThat(used(host)).isEqualTo(ids + 1);
    assertThat(host.map("0x100", "0x1000", 256, 3).ret()).isZero();
    String mfn = host.phystomach(DRIVER, "0x100");

    assertThat(host.xen().ret("domctl", "destroydomain", "{'domain':2}")).isZero();

    assertThat(host.use(mfn)).isEqualTo("free");
    assertThat(host.xen().ret("domctl", "getdomaininfo", "{'domain':2}")).isEqualTo(-3);
    assertThat(used(host)).isEqualTo(ids - 1);
  }

  private static long used(AddressModeHost host) {
    return host.xen().daemon().get("/v1/iommus/0").body().at("/domainIds/used").asLong();
  }

  private static void policies(AddressModeHost host) {
    host.driver("'dmaMode':'vp-iommu'");
    assertThat(host.xen().daemon().get("/v1/domains/2").at("/policies/iommuApi")).isEqualTo("2024");
    assertThat(host.xen().daemon().get("/v1/domains/2").at("/policies/nbCtx")).isEqualTo("8");
    assertThat(patch(host, "'nbCtx':4097").status()).isEqualTo(422);
    assertThat(patch(host, "'nbCtx':3,'iommuApi':'2016'").status()).isEqualTo(200);
    assertThat(host.xen().daemon().get("/v1/domains/2").at("/policies/iommuApi")).isEqualTo("2016");
    JsonNode listed = host.xen().daemon().get("/v1/hypercalls").body();
    assertThat(listed.toString()).contains("\"op\":\"map_pages\"");
  }
}
