package io.hypercalld.api.acceptance;

import static io.hypercalld.api.acceptance.NumberedBehaviours.row;
import static io.hypercalld.api.acceptance.XenHost.D;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.Stream;

/** What a toolstack notes on a domain and grants it. */
final class ToolstackAcceptanceTest implements XenBehaviours {
  @Override
  public Stream<Row<XenHost>> rows() {
    return Stream.concat(
        Stream.of(
            row("3.8 an interrupt is handed on by its pirq", ToolstackAcceptanceTest::interrupts),
            row("what is partial says what is missing", ToolstackAcceptanceTest::levels)),
        Stream.of(
                new Parameter(9, List.of("0x1", "0x1fff"), List.of("0x0", "0x2", "0x2001")),
                new Parameter(10, List.of("0x0", "0x3"), List.of("0x4")),
                new Parameter(14, List.of("0x0", "0x3"), List.of("0x1")),
                new Parameter(19, List.of("0x0", "0x1"), List.of("0x2")),
                new Parameter(31, List.of("0x0", "0x5"), List.of("0x6")),
                new Parameter(33, List.of("0x1"), List.of("0x0", "0x41")),
                new Parameter(35, List.of("0x0", "0x3"), List.of("0x4")),
                new Parameter(36, List.of("0x0", "0x4", "0x8"), List.of("0x2", "0x10")),
                new Parameter(38, List.of("0x1"), List.of("0x2")))
            .map(each -> row("4.1 parameter " + each.index, each)));
  }

  /** A parameter, and what it can be and cannot. */
  private record Parameter(int index, List<String> good, List<String> bad)
      implements NumberedBehaviours.Check<XenHost> {
    @Override
    public void on(XenHost host) {
      for (String value : bad) {
        assertThat(set(host, value)).as(value).isEqualTo(-22);
      }
      for (String value : good) {
        host.freshD();
        assertThat(set(host, value)).as(value).isZero();
        assertThat(
                host.done("hvm_op", "get_param", "{'domid':1,'index':%d}".formatted(index))
                    .get("value")
                    .asText())
            .isEqualTo(value);
      }
    }

    private long set(XenHost host, String value) {
      return host.ret(
          "hvm_op", "set_param", "{'domid':1,'index':%d,'value':'%s'}".formatted(index, value));
    }
  }

  private static void interrupts(XenHost host) {
    assertThat(permit(host, "irq_permission", "pirq", 256)).isEqualTo(-22);
    assertThat(permit(host, "irq_permission", "pirq", 255)).isEqualTo(-1);
    long pirq =
        host.done("physdev_op", "map_pirq", "{'domid':0,'type':1,'index':20,'pirq':20}")
            .get("pirq")
            .asLong();
    assertThat(permit(host, "irq_permission", "pirq", pirq)).isZero();
    assertThat(
            host.ret(
                "domctl",
                "irq_permission",
                "{'domain':1,'pirq':%d,'allow_access':1}".formatted(pirq),
                D))
        .isEqualTo(-1);
    host.done("physdev_op", "unmap_pirq", "{'domid':0,'pirq':%d}".formatted(pirq));
  }

  private static long permit(XenHost host, String op, String name, long number) {
    return host.ret("domctl", op, "{'domain':1,'%s':%d,'allow_access':1}".formatted(name, number));
  }

  private static void levels(XenHost host) {
    for (var each : host.daemon().get("/v1/hypercalls").body().get("items")) {
      boolean partial = each.get("level").asText().equals("partial");
      assertThat(each.hasNonNull("missing")).as("%s", each.get("op")).isEqualTo(partial);
    }
  }
}
