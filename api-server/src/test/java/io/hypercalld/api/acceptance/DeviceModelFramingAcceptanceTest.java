package io.hypercalld.api.acceptance;

import static io.hypercalld.api.acceptance.NumberedBehaviours.row;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.Stream;

/** What is checked of every dm_op before the operation is looked at. */
final class DeviceModelFramingAcceptanceTest implements XenBehaviours {
  private static final int PV = 3;

  @Override
  public Stream<Row<XenHost>> rows() {
    return Stream.of(
        row("58 buffers are counted first", DeviceModelFramingAcceptanceTest::buffers),
        row("58 then the domain is looked up", DeviceModelFramingAcceptanceTest::domain),
        row("58 then the header is read", DeviceModelFramingAcceptanceTest::header),
        row("58 what has no name has no number", DeviceModelFramingAcceptanceTest::numbers));
  }

  private static void buffers(XenHost host) {
    assertThat(framed(host, 77, "'nr_bufs':0")).isEqualTo(-61);
    assertThat(framed(host, 77, "'bufs':[]")).isEqualTo(-61);
    assertThat(framed(host, 77, "'nr_bufs':3")).isEqualTo(-7);
    assertThat(framed(host, 77, "'bufs':['','','']")).isEqualTo(-7);
    assertThat(framed(host, 77, "'nr_bufs':1,'bufs':[]")).isEqualTo(-14);
  }

  private static void domain(XenHost host) {
    host.create(PV, 0, 0, 1);
    host.hvm(2, 1, 16);
    assertThat(framed(host, 0x7ff0, header(5, 0, 4))).isEqualTo(-3);
    assertThat(framed(host, 77, header(5, 0, 4))).isEqualTo(-3);
    assertThat(framed(host, 0, header(5, 0, 4))).isEqualTo(-1);
    assertThat(framed(host, PV, header(5, 0, 4))).isEqualTo(-22);
    assertThat(host.ret("dm_op", "framed", "{'domid':1,%s}".formatted(header(5, 0, 4)), 2))
        .isEqualTo(-1);
  }

  private static void header(XenHost host) {
    assertThat(framed(host, 1, "'bufs':['05000000000000']")).isEqualTo(-14);
    assertThat(framed(host, 1, header(19, 0, 0))).isEqualTo(-95);
    assertThat(framed(host, 1, header(21, 0, 0))).isEqualTo(-95);
    assertThat(framed(host, 1, header(0, 0, 0))).isEqualTo(-95);
    assertThat(framed(host, 1, header(0xff, 1, 0))).isEqualTo(-95);
    assertThat(framed(host, 1, header(5, 0, 1))).isEqualTo(-14);
    assertThat(framed(host, 1, header(5, 1, 3))).isEqualTo(-14);
    assertThat(framed(host, 1, header(5, 1, 4))).isEqualTo(-22);
    // What is well framed has a name by which it is asked.
    assertThat(framed(host, 1, header(5, 0, 4))).isEqualTo(-38);
  }

  private static void numbers(XenHost host) {
    assertThat(host.ret("dm_op", "19", "{'domid':1}")).isEqualTo(-95);
    assertThat(host.ret("dm_op", "21", "{'domid':1}")).isEqualTo(-95);
  }

  private static long framed(XenHost host, int id, String members) {
    return host.ret("dm_op", "framed", "{'domid':%d,%s}".formatted(id, members));
  }

  /** One buffer: operation, padding, and so many bytes behind them. */
  private static String header(int op, int pad, int payload) {
    return "'bufs':['%02x000000%02x000000%s']".formatted(op, pad, "00".repeat(payload));
  }
}
