package io.hypercalld.api.acceptance;

import static io.hypercalld.api.acceptance.AddressModeHost.DRIVER;
import static io.hypercalld.api.acceptance.NumberedBehaviours.row;
import static io.hypercalld.api.acceptance.XenHost.D;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.hypercalld.api.scenario.DaemonUnderTest.Answer;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.IntFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/** {@code iommu_op} as of 2016: a list of operations with a status each on one space. */
final class PvIommuOpsTest implements XenBehaviours {
  private static final int LONG = 1300;

  @Override
  public Stream<Row<XenHost>> rows() {
    return Stream.of(
        mode("a status each", PvIommuOpsTest::statuses),
        mode("foreign pages", PvIommuOpsTest::foreign),
        mode("who may not, and how many", PvIommuOpsTest::framing),
        mode("what is not there changes nothing", PvIommuOpsTest::nothing),
        mode("a long list is preempted, and goes on", PvIommuOpsTest::preempted));
  }

  private static Row<XenHost> mode(String name, Consumer<AddressModeHost> check) {
    return row(name, xen -> check.accept(new AddressModeHost(xen)));
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

    long before = IommuContextsTest.invalidations(host);
    assertThat(
            statuses(
                operations(
                    host,
                    "{'subop_id':3,'bfn':'0x5000'}",
                    "{'subop_id':2,'flags':7,'bfn':'0x5000','gfn':'0x12'}",
                    "{'subop_id':3,'bfn':'0x5000'}")))
        .containsExactly(0, 0, 0);
    assertThat(IommuContextsTest.invalidations(host)).isEqualTo(before + 1);
    assertThat(host.write("0x5000").get("outcome").asText()).isEqualTo("blocked");
  }

  private static JsonNode operations(AddressModeHost host, String... ops) {
    XenHost.Result result =
        host.call("iommu_op", "operations", "{'ops':[%s]}".formatted(String.join(",", ops)));
    assertThat(result.ret()).as(result.detail()).isZero();
    return result.out().get("ops");
  }

  /** What there is not is not found, and no space is made for that. */
  private static void nothing(AddressModeHost host) {
    host.driver("'dmaMode':'vp-iommu','iommuApi':'2016'");
    String before = host.xen().digest();

    JsonNode answer =
        operations(
            host,
            "{'subop_id':3,'bfn':'0x10'}",
            "{'subop_id':5,'domid':1,'gfn':'0x8'}",
            "{'subop_id':6,'bfn':'0x10'}",
            "{'subop_id':2,'flags':3,'bfn':'0x1000000000','gfn':'0x10'}",
            "{'subop_id':2,'flags':3,'bfn':'0xfffffffffffffff0','gfn':'0x10'}");

    assertThat(statuses(answer)).containsExactly(-2, -1, -2, -5, -5);
    assertThat(host.xen().digest()).isEqualTo(before);
    assertThat(host.write("0x10").get("outcome").asText()).isEqualTo("done");
  }

  /** Stopped after 512, the list goes on with the 513th; what is before has taken effect. */
  private static void preempted(AddressModeHost host) {
    host.driver("'dmaMode':'vp-iommu','iommuApi':'2016'");
    XenHost xen = host.xen();
    String maps = list(i -> "{'subop_id':2,'flags':3,'bfn':'0x%x','gfn':'0x100'}".formatted(i));
    String unmaps = list(i -> "{'subop_id':3,'bfn':'0x%x'}".formatted(i));
    String counters = "/v1/domains/2/counters";
    long before = xen.daemon().get(counters).body().get("continuations").asLong();

    assertThat(host.call("iommu_op", "operations", maps).out().get("ops")).hasSize(LONG);
    assertThat(xen.daemon().get(counters).body().get("continuations").asLong())
        .isEqualTo(before + 2);
    assertThat(xen.daemon().get(counters).at("/longestStep")).isEqualTo("512");

    host.post("/_sim/preempt", "{'every':1}");
    Answer stopped = host.post("/v1/hypercalls/iommu_op/operations?caller=2", unmaps);
    assertThat(stopped.at("/errno")).as("%s", stopped.body()).isEqualTo("ERESTART");
    assertThat(host.write("0x11ff").get("outcome").asText()).isEqualTo("blocked");
    assertThat(host.write("0x1200").get("outcome").asText()).isEqualTo("done");
    // Others come between the parts, and what they map anew stays.
    host.post("/_sim/preempt", "{'every':0}");
    operations(host, "{'subop_id':2,'flags':3,'bfn':'0x1000','gfn':'0x101'}");
    String rest = stopped.at("/hint").replaceFirst(".*(/_sim/continuations/\\d+).*", "$1");

    JsonNode ended = xen.daemon().post(rest, "").body();

    assertThat(statuses(ended.at("/out/ops"))).hasSize(LONG).containsOnly(0);
    assertThat(host.write("0x1200").get("outcome").asText()).isEqualTo("blocked");
    assertThat(host.write("0x1000").at("/segments/0/maddr").asText())
        .isEqualTo(host.phystomach(DRIVER, "0x101") + "000");
    assertThat(xen.daemon().get("/_sim/continuations").body().get("items")).isEmpty();
  }

  private static String list(IntFunction<String> op) {
    return IntStream.range(0x1000, 0x1000 + LONG)
        .mapToObj(op)
        .collect(Collectors.joining(",", "{'ops':[", "]}"));
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
    assertThat(host.ret("iommu_op", "operations", "{'ops':[],'count':2147483648}")).isEqualTo(-22);
    assertThat(host.ret("iommu_op", "operations", "{'ops':[],'count':2147483647}")).isEqualTo(-14);
    assertThat(host.ret("iommu_op", "operations", "{'ops':[],'count':1}")).isEqualTo(-14);
    assertThat(host.ret("iommu_op", "operations", "{'ops':[{'subop_id':1}],'count':0}")).isZero();
    assertThat(host.ret("iommu_op", "query_capabilities", "{}")).isEqualTo(-38);
  }
}
