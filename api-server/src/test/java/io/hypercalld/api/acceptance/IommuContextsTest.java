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
import java.util.stream.StreamSupport;

/**
 * {@code iommu_op} in both generations: contexts that a driver domain fills for its devices, and
 * the list of operations of 2016.
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
        mode("2016: a status each", IommuContextsTest::statuses),
        mode("2016: foreign pages", IommuContextsTest::foreign),
        mode("2016: who may not, and how many", IommuContextsTest::framing),
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

  private static long invalidations(AddressModeHost host) {
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

  private static void statuses(AddressModeHost host) {
    host.driver("'dmaMode':'vp-iommu','iommuApi':'2016'");
    JsonNode answer =
        operations(
            host,
            "{'subop_id':1}",
            "{'subop_id':2,'flags':3,'bfn':'0x5000','gfn':'0x10'}",
            "{'subop_id':2,'flags':3,'bfn':'0x5000','gfn':'0x11'}",
            "{'subop_id':2,'flags':1,'bfn':'0x5001','gfn':'0x7ffff'}",
            "{'subop_id':3,'bfn':'0x77'}",
            "{'subop_id':2,'flags':1027,'bfn':'0x5001','gfn':'0x10'}",
            "{'subop_id':9}");
    assertThat(answer.at("/0/flags").asInt()).isEqualTo(1);
    assertThat(statuses(answer)).containsExactly(0, 0, -1, -2, -2, -28, -19);
    assertThat(host.write("0x5000").at("/segments/0/maddr").asText())
        .isEqualTo(host.phystomach(DRIVER, "0x10") + "000");
    assertThat(host.write("0x10").get("outcome").asText()).isEqualTo("blocked");

    long before = invalidations(host);
    assertThat(
            statuses(
                operations(
                    host,
                    "{'subop_id':3,'bfn':'0x5000'}",
                    "{'subop_id':2,'flags':7,'bfn':'0x5000','gfn':'0x12'}",
                    "{'subop_id':3,'bfn':'0x5000'}")))
        .containsExactly(0, 0, 0);
    assertThat(invalidations(host)).isEqualTo(before + 1);
    assertThat(host.write("0x5000").get("outcome").asText()).isEqualTo("blocked");
  }

  private static JsonNode operations(AddressModeHost host, String... ops) {
    XenHost.Result result =
        host.call("iommu_op", "operations", "{'ops':[%s]}".formatted(String.join(",", ops)));
    assertThat(result.ret()).as(result.detail()).isZero();
    return result.out().get("ops");
  }

  private static List<Integer> statuses(JsonNode ops) {
    return StreamSupport.stream(ops.spliterator(), false)
        .map(op -> op.get("status").asInt())
        .toList();
  }

  private static void foreign(AddressModeHost host) {
    host.driver("'dmaMode':'vp-iommu','iommuApi':'2016'");
    host.xen().create(3, 0, 0, 1);
    host.xen().done("domctl", "set_target", "{'domain':2,'target':1}");
    String page = "'flags':3,'bfn':'0x80','gfn':'0x8','ioserver':5";

    assertThat(
            statuses(
                operations(
                    host,
                    "{'subop_id':4,'domid':77,%s}".formatted(page),
                    "{'subop_id':4,'domid':2,%s}".formatted(page),
                    "{'subop_id':4,'domid':3,%s}".formatted(page),
                    "{'subop_id':4,'domid':0,%s}".formatted(page),
                    "{'subop_id':5,'domid':1,%s}".formatted(page),
                    "{'subop_id':4,'domid':1,%s}".formatted(page),
                    "{'subop_id':3,%s}".formatted(page))))
        .containsExactly(-6, -1, -1, -1, -2, 0, -1);
    JsonNode found = operations(host, "{'subop_id':5,'domid':1,'gfn':'0x8','ioserver':5}");
    assertThat(found.at("/0/bfn").asText()).isEqualTo("0x80");
    JsonNode into = host.write("0x80");
    assertThat(into.get("victims")).isEmpty();
    assertThat(host.memory(host.phystomach(D, "0x8"))).isEqualTo("0123456789abcdef");
    assertThat(
            statuses(
                operations(
                    host,
                    "{'subop_id':6,'bfn':'0x80','ioserver':4}",
                    "{'subop_id':6,'bfn':'0x80','ioserver':5}")))
        .containsExactly(-1, 0);
    assertThat(host.write("0x80").get("outcome").asText()).isEqualTo("blocked");
  }

  private static void framing(AddressModeHost host) {
    host.driver("'dmaMode':'vp-iommu','iommuApi':'2016'");
    assertThat(host.xen().ret("iommu_op", "operations", "{'ops':[]}", D)).isEqualTo(-38);
    assertThat(host.call("iommu_op", "operations", "{'ops':[],'count':4294967295}").ret())
        .isEqualTo(-22);
    assertThat(host.ret("iommu_op", "operations", "{'ops':[],'count':1}")).isEqualTo(-22);
    assertThat(host.ret("iommu_op", "operations", "{'ops':[{'subop_id':1}],'count':0}")).isZero();
    assertThat(host.ret("iommu_op", "query_capabilities", "{}")).isEqualTo(-38);
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
