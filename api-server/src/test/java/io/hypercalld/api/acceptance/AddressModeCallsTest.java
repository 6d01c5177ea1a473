package io.hypercalld.api.acceptance;

import static io.hypercalld.api.acceptance.AddressModeHost.ALL_ONES;
import static io.hypercalld.api.acceptance.AddressModeHost.DEVICE;
import static io.hypercalld.api.acceptance.NumberedBehaviours.row;
import static io.hypercalld.api.acceptance.XenHost.D;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * The scenarios of the document on address modes that the hypervisor answers itself: its calls,
 * what it tells of frames and their owners, and when a frame is somebody else's.
 */
final class AddressModeCallsTest implements XenBehaviours {
  @Override
  public Stream<Row<XenHost>> rows() {
    return Stream.of(
        mode("3 P==M: guest frames are machine frames, in a row", AddressModeCallsTest::identity),
        mode("4 no unit: a victim has a name", AddressModeCallsTest::victim),
        mode("4 unit: correct data or a fault", AddressModeCallsTest::noVictim),
        mode("8 dom0vp_op's errnos, in its order", AddressModeCallsTest::errnos),
        mode("11 exchange for consecutive frames", AddressModeCallsTest::consecutive),
        mode("12 the exposed P2M is the truth, read-only", AddressModeCallsTest::exposed),
        mode("12 exposing is refused", AddressModeCallsTest::exposeRefused),
        mode("13 a read-only grant stops a device behind a unit", AddressModeCallsTest::readOnly),
        mode("13 and no other", AddressModeCallsTest::hole),
        mode("14 no TLB keeps the old frame", AddressModeCallsTest::tlb),
        mode("15 a frame outlives its owner's death", AddressModeCallsTest::outlives),
        mode("15 a balloon under I/O", AddressModeCallsTest::balloon),
        mode("the policy is listed and chosen", AddressModeCallsTest::policy));
  }

  private static Row<XenHost> mode(String name, Consumer<AddressModeHost> check) {
    return row(name, xen -> check.accept(new AddressModeHost(xen)));
  }

  private static void identity(AddressModeHost host) {
    host.driver("'dmaMode':'identity'");
    List<JsonNode> runs = new ArrayList<>();
    host.xen().daemon().get("/v1/domains/2/p2m?type=ram_rw").body().get("items").forEach(runs::add);

    long expected = Long.decode(runs.getFirst().get("gfn").asText());
    for (JsonNode run : runs) {
      String gfn = run.get("gfn").asText();
      assertThat(Long.decode(gfn)).isEqualTo(expected);
      assertThat(run.get("mfn").asText()).isEqualTo(gfn);
      assertThat(host.phystomach(AddressModeHost.DRIVER, gfn)).isEqualTo(gfn);
      assertThat(host.machtophys(gfn)).isEqualTo(gfn);
      expected += run.get("count").asLong() << run.get("order").asInt();
    }
    assertThat(expected - Long.decode(runs.getFirst().get("gfn").asText())).isEqualTo(16384);

    // A page of another domain's is there, too, for a device that is told its machine address.
    String other = host.phystomach(D, "0x8");
    assertThat(host.write(other).get("outcome").asText()).isEqualTo("done");
    assertThat(host.memory(other)).isEqualTo("0123456789abcdef");
  }

  private static void victim(AddressModeHost host) {
    host.driver("'dmaMode':'vp'");
    String victim = host.phystomach(D, "0x8");
    JsonNode before = host.xen().daemon().get("/v1/domains/2/counters").body().get("strayDma");

    JsonNode answer = host.write(victim);

    assertThat(answer.get("outcome").asText()).isEqualTo("done");
    assertThat(answer.at("/victims/0/mfn").asText()).isEqualTo(victim);
    assertThat(answer.at("/victims/0/owner").asInt()).isEqualTo(D);
    assertThat(answer.at("/victims/0/gfn").asText()).isEqualTo("0x8");
    assertThat(answer.get("oracle").asText()).contains("frame " + victim + " of d1");
    assertThat(host.memory(victim)).isEqualTo("0123456789abcdef");
    JsonNode after = host.xen().daemon().get("/v1/domains/2/counters").body().get("strayDma");
    assertThat(after.get("writes").asInt()).isEqualTo(before.get("writes").asInt() + 1);
    assertThat(host.xen().daemon().get("/v1/console").body().toString())
        .contains("%s of d2 wrote frame %s of d1".formatted(DEVICE, victim));
    assertThat(
            host.xen()
                .daemon()
                .get("/v1/explain/dma?sbdf=%s&access=read&iova=%s000".formatted(DEVICE, victim))
                .at("/victim/owner"))
        .isEqualTo("1");

    String own = host.phystomach(AddressModeHost.DRIVER, "0x8");
    assertThat(host.write(own).get("victims")).isEmpty();
    assertThat(host.read(victim).at("/victims/0/mfn").asText()).isEqualTo(victim);
  }

  private static void noVictim(AddressModeHost host) {
    host.driver("'dmaMode':'vp-iommu'");
    // The first context is the domain's own memory: what a driver says unasked is right.
    assertThat(host.write("0x8").get("outcome").asText()).isEqualTo("done");
    assertThat(host.memory(host.phystomach(AddressModeHost.DRIVER, "0x8")))
        .isEqualTo("0123456789abcdef");

    host.ownContext();
    JsonNode stopped = host.write("0x8");
    assertThat(stopped.get("outcome").asText()).isEqualTo("blocked");
    assertThat(stopped.at("/fault/reason").asText()).isEqualTo("0x5");
    assertThat(host.map("0x8", "0x9999", 1, 3).ret()).isZero();
    assertThat(host.write("0x9999").get("victims")).isEmpty();
    String victim = host.phystomach(D, "0x8");
    assertThat(host.write(victim).get("outcome").asText()).isEqualTo("blocked");
  }

  private static void errnos(AddressModeHost host) {
    host.driver("'dmaMode':'vp'");
    XenHost xen = host.xen();
    String others = host.phystomach(D, "0x8");
    String call = "{'gpfn':'0x7000','mfn':'%s','flags':%d,'domid':%d}";

    assertThat(host.ret("dom0vp_op", "add_physmap", call.formatted(others, 2, 77))).isEqualTo(-1);
    assertThat(xen.ret("dom0vp_op", "add_physmap", call.formatted(others, 2, 77))).isEqualTo(-22);
    assertThat(xen.ret("dom0vp_op", "add_physmap", call.formatted(others, 0, 77))).isEqualTo(-3);
    assertThat(xen.ret("dom0vp_op", "add_physmap", call.formatted(others, 0, 0))).isEqualTo(-22);
    assertThat(xen.ret("dom0vp_op", "add_physmap", call.formatted(others, 0, 0x7ff0)))
        .isEqualTo(-22);
    assertThat(xen.ret("dom0vp_op", "add_physmap", call.formatted("0x1", 0, 1))).isEqualTo(-22);
    xen.done("dom0vp_op", "zap_physmap", "{'gpfn':'0x7000'}");
    assertThat(xen.ret("dom0vp_op", "add_physmap", call.formatted(others, 1, 1))).isZero();
    assertThat(xen.lookup(0, "0x7000").get("access").asText()).isEqualTo("r");
    assertThat(host.phystomach(0, "0x7000")).isEqualTo(others);
    assertThat(xen.ret("dom0vp_op", "zap_physmap", "{'gpfn':'0x7000'}")).isZero();
    assertThat(host.phystomach(0, "0x7000")).isEqualTo(ALL_ONES);

    assertThat(host.ret("dom0vp_op", "zap_physmap", "{'gpfn':'0x8','extent_order':1}"))
        .isEqualTo(-38);
    assertThat(host.ret("dom0vp_op", "zap_physmap", "{'gpfn':'0x8'}")).isZero();
    assertThat(host.phystomach(AddressModeHost.DRIVER, "0x8")).isEqualTo(ALL_ONES);
    assertThat(host.ret("dom0vp_op", "zap_physmap", "{'gpfn':'0x8'}")).isZero();
    assertThat(xen.pages(AddressModeHost.DRIVER)).isEqualTo(16383);

    assertThat(host.ret("dom0vp_op", "ioremap", "{'ioaddr':'0xfe000000'}")).isEqualTo(-1);
    xen.done(
        "domctl",
        "iomem_permission",
        "{'domain':2,'first_mfn':'0xfe000','nr_mfns':1,'allow_access':1}");
    assertThat(host.ret("dom0vp_op", "ioremap", "{'ioaddr':'0xfe000000'}")).isZero();
    assertThat(xen.type(AddressModeHost.DRIVER, "0xfe000")).isEqualTo("mmio_direct");
    assertThat(host.ret("dom0vp_op", "ioremap", "{'ioaddr':'0xfe000000','size':'0x1001'}"))
        .isEqualTo(-1);

    assertThat(host.machtophys("0xfe000")).isEqualTo(ALL_ONES);
    assertThat(host.machtophys(others)).isEqualTo("0x8");
  }

  private static void consecutive(AddressModeHost host) {
    host.driver("'dmaMode':'vp'");
    List<String> scattered =
        List.of("0x5", "0x6", "0x7", "0x205", "0x206", "0x207", "0x405", "0x406");
    String before = host.phystomach(AddressModeHost.DRIVER, "0x5");
    String frames = "'extent_start':['%s']".formatted(String.join("','", scattered));
    assertThat(exchange(host, frames, "'extent_start':['0x5'],'extent_order':3").ret())
        .isEqualTo(-22);

    String wanted = "'extent_start':{'first':'0x100','count':128}";
    XenHost.Result done = exchange(host, wanted, "'extent_start':['0x100'],'extent_order':7");

    assertThat(done.ret()).as(done.detail()).isZero();
    long first = Long.decode(host.phystomach(AddressModeHost.DRIVER, "0x100"));
    for (int page = 0; page < 128; page++) {
      String mfn = "0x" + Long.toHexString(first + page);
      assertThat(host.phystomach(AddressModeHost.DRIVER, "0x" + Integer.toHexString(0x100 + page)))
          .isEqualTo(mfn);
      assertThat(host.machtophys(mfn)).isEqualTo("0x" + Integer.toHexString(0x100 + page));
    }
    assertThat(host.phystomach(AddressModeHost.DRIVER, "0x5")).isEqualTo(before);
    assertThat(host.xen().pages(AddressModeHost.DRIVER)).isEqualTo(16384);
    // Nobody else's kernel is allowed to.
    assertThat(
            host.xen()
                .ret(
                    "memory_op",
                    "exchange",
                    "{'in':{'domid':1,'extent_start':['0x8']},'out':{'domid':1,'extent_start':['0x8']}}"))
        .isEqualTo(-95);
  }

  private static XenHost.Result exchange(AddressModeHost host, String in, String out) {
    return host.call(
        "memory_op",
        "exchange",
        "{'in':{'domid':32752,%s},'out':{'domid':32752,%s}}".formatted(in, out));
  }

  private static void exposed(AddressModeHost host) {
    host.driver("'dmaMode':'p2m'");
    assertThat(host.ret("dom0vp_op", "expose_p2m", expose("0x0", "0x10000", "0x4000000", 512)))
        .isZero();
    assertThat(entry(host, 0x8))
        .isEqualTo(Long.decode(host.phystomach(AddressModeHost.DRIVER, "0x8")) << 12 | 3);
    assertThat(entry(host, 0x3fff)).isNotZero();

    assertThat(host.xen().decrease(AddressModeHost.DRIVER, "0x8")).isEqualTo(1);
    assertThat(entry(host, 0x8)).isZero();
    assertThat(host.xen().populate(AddressModeHost.DRIVER, "0x8", 0)).isEqualTo(1);
    long calls = calls(host);
    assertThat(entry(host, 0x8) >>> 12)
        .isEqualTo(
            Long.decode(
                host.xen()
                    .lookup(AddressModeHost.DRIVER, "0x8")
                    .get("mfn")
                    .asText()
                    .split(" ", -1)[0]));
    assertThat(calls(host)).isEqualTo(calls);
    assertThat(exchange(host, "'extent_start':['0x9']", "'extent_start':['0x9']").ret()).isZero();
    assertThat(entry(host, 0x9) >>> 12)
        .isEqualTo(Long.decode(host.phystomach(AddressModeHost.DRIVER, "0x9")));

    JsonNode written =
        host.post(
                "/v1/domains/2/vcpus/0/access",
                "{'gpa':'0x10000040','op':'write','size':8,'data':'0x0'}")
            .body();
    assertThat(written.get("outcome").asText()).isEqualTo("fault");
    assertThat(entry(host, 0x8)).isNotZero();
    String explained = "/v1/explain/access?domid=2&gpa=0x10000040&access=write";
    assertThat(host.xen().daemon().get(explained).at("/handling")).isEqualTo("exception");
  }

  private static String expose(String from, String at, String size, int granule) {
    return "{'conv_start_gpfn':'%s','assign_start_gpfn':'%s','expose_size':'%s','granule_pfn':%d}"
        .formatted(from, at, size, granule);
  }

  /** What the guest reads for one of its frames. */
  private static long entry(AddressModeHost host, int gfn) {
    JsonNode read =
        host.post(
                "/v1/domains/2/vcpus/0/access",
                "{'gpa':'0x%x','op':'read','size':8}".formatted(0x10000000L + gfn * 8L))
            .body();
    assertThat(read.get("outcome").asText()).as("%s", read).isEqualTo("done");
    return Long.decode(read.get("data").asText());
  }

  private static long calls(AddressModeHost host) {
    return host.xen().daemon().get("/v1/domains/2/counters").body().get("hypercalls").asLong();
  }

  private static void exposeRefused(AddressModeHost host) {
    host.driver("'dmaMode':'p2m'");
    String before = host.xen().digest();
    for (String misaligned :
        List.of(
            expose("0x1", "0x10000", "0x200000", 512),
            expose("0x0", "0x10001", "0x200000", 512),
            expose("0x0", "0x10000", "0x1000", 512),
            expose("0x0", "0x10000", "0x0", 512),
            expose("0x0", "0x10000", "0x200000", 0),
            expose("0x0", "0x10000", "0x200000", 513))) {
      assertThat(host.ret("dom0vp_op", "expose_p2m", misaligned)).as(misaligned).isEqualTo(-22);
    }
    assertThat(host.ret("dom0vp_op", "expose_p2m", expose("0x0", "0x10000", "0x400000", 1024)))
        .isEqualTo(-38);
    assertThat(host.ret("dom0vp_op", "expose_p2m", expose("0x0", "0x200", "0x200000", 512)))
        .isEqualTo(-11);
    assertThat(host.ret("dom0vp_op", "expose_p2m", expose("0x0", "0x10000", "0x800000000000", 512)))
        .isEqualTo(-12);
    assertThat(host.xen().digest()).isEqualTo(before);
  }

  private static void readOnly(AddressModeHost host) {
    host.driver("'dmaMode':'vp-iommu'");
    host.ownContext();
    assertThat(host.mapGrant(9, 8, 1, 1, "0x5000000")).isEqualTo(-1);
    assertThat(host.mapGrant(9, 8, 1, 3, "0x5000000")).isEqualTo(-1);
    assertThat(host.mapGrant(9, 8, 1, 2 | 4, "0x5000000")).isZero();
    assertThat(host.phystomach(AddressModeHost.DRIVER, "0x5000"))
        .isEqualTo(host.phystomach(D, "0x8"));

    assertThat(host.map("0x5000", "0x5000", 1, 3).ret()).isEqualTo(-1);
    assertThat(host.map("0x5000", "0x5000", 1, 1).ret()).isZero();
    JsonNode read = host.read("0x5000");
    assertThat(read.get("outcome").asText()).isEqualTo("done");
    assertThat(read.get("victims")).isEmpty();
    assertThat(host.write("0x5000").at("/fault/reason").asText()).isEqualTo("0x5");

    // The grant goes, and with it the device's way to the page.
    assertThat(host.unmapGrant("0x5000000")).isZero();
    assertThat(host.read("0x5000").at("/fault/reason").asText()).isEqualTo("0x6");
  }

  private static void hole(AddressModeHost host) {
    host.driver("'dmaMode':'vp'");
    assertThat(host.mapGrant(9, 8, 1, 1, "0x5000000")).isEqualTo(-1);
    assertThat(host.mapGrant(9, 8, 1, 2 | 4, "0x5000000")).isZero();
    String bus = host.phystomach(AddressModeHost.DRIVER, "0x5000");

    assertThat(host.read(bus).get("victims")).isEmpty();
    JsonNode into = host.write(bus);
    assertThat(into.get("outcome").asText()).isEqualTo("done");
    assertThat(into.at("/victims/0/owner").asInt()).isEqualTo(D);
  }

  private static void tlb(AddressModeHost host) {
    JsonNode checked = host.post("/v1/experiments/tlb-insert", "{}").body();
    assertThat(checked.get("interleavings").asInt()).isEqualTo(241);
    assertThat(checked.get("stale").asInt()).isZero();
    assertThat(checked.get("inverse").asBoolean()).isTrue();

    JsonNode unchecked = host.post("/v1/experiments/tlb-insert", "{'recheck':false}").body();
    assertThat(unchecked.get("interleavings").asInt()).isEqualTo(21);
    assertThat(unchecked.get("stale").asInt()).isEqualTo(4);
    JsonNode early = host.post("/v1/experiments/tlb-insert", "{'purge':'before-swap'}").body();
    assertThat(early.get("stale").asInt()).isPositive();
  }

  private static void outlives(AddressModeHost host) {
    host.driver("'dmaMode':'vp-iommu'");
    host.ownContext();
    String mfn = host.phystomach(D, "0x8");
    assertThat(host.mapGrant(9, 8, 1, 2, "0x5000000")).isZero();
    assertThat(host.map("0x5000", "0x77", 1, 3).ret()).isZero();

    assertThat(host.xen().ret("domctl", "destroydomain", "{'domain':1}")).isZero();

    assertThat(host.xen().pages(D)).isEqualTo(1);
    assertThat(host.use(mfn)).isEqualTo("guest_ram");
    assertThat(host.write("0x77").get("outcome").asText()).isEqualTo("done");
    assertThat(host.unmapGrant("0x5000000")).isZero();
    assertThat(host.use(mfn)).isEqualTo("free");
    assertThat(host.write("0x77").get("outcome").asText()).isEqualTo("blocked");
    assertThat(host.xen().ret("domctl", "getdomaininfo", "{'domain':1}")).isEqualTo(-3);
  }

  private static void balloon(AddressModeHost host) {
    host.driver("'dmaMode':'vp-iommu'");
    host.ownContext();
    String mfn = host.phystomach(AddressModeHost.DRIVER, "0x8");
    assertThat(host.map("0x8", "0x77", 1, 3).ret()).isZero();
    assertThat(host.write("0x77").at("/segments/0/cache").asText()).isEqualTo("miss");
    assertThat(host.write("0x77").at("/segments/0/cache").asText()).isEqualTo("hit");
    // What a device may reach is not exchanged under it.
    assertThat(exchange(host, "'extent_start':['0x8']", "'extent_start':['0x8']").ret())
        .isEqualTo(-22);

    assertThat(host.xen().decrease(AddressModeHost.DRIVER, "0x8")).isEqualTo(1);

    assertThat(host.use(mfn)).isEqualTo("free");
    assertThat(host.write("0x77").get("outcome").asText()).isEqualTo("blocked");
    assertThat(host.unmap("0x77", 1).ret()).isEqualTo(-2);
  }

  private static void policy(AddressModeHost host) {
    JsonNode listed =
        host.xen().daemon().get("/v1/policies").body().get("items").findParents("name").stream()
            .filter(policy -> policy.get("name").asText().equals("dmaMode"))
            .findFirst()
            .orElseThrow();
    assertThat(listed.get("built").toString())
        .isEqualTo("[\"p2m\",\"identity\",\"vp\",\"vp-iommu\"]");
    assertThat(host.xen().daemon().get("/v1/domains/0").at("/policies/dmaMode"))
        .isEqualTo("vp-iommu");
    host.driver("'dmaMode':'p2m'");
    assertThat(host.xen().daemon().get("/v1/domains/2").at("/policies/dmaMode")).isEqualTo("p2m");
    assertThat(
            host.xen()
                .daemon()
                .patch("/v1/domains/2", "{\"policies\":{\"dmaMode\":\"identity\"}}")
                .status())
        .isEqualTo(409);
  }
}
