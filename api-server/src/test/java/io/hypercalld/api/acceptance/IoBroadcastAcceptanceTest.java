package io.hypercalld.api.acceptance;

import static io.hypercalld.api.acceptance.ModelBehaviours.model;
import static io.hypercalld.api.acceptance.XenHost.D;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.stream.Stream;

/** What goes to every server of D, and what goes to none as the hypervisor has it. */
final class IoBroadcastAcceptanceTest implements ModelBehaviours {
  private static final int MEMORY = 1;
  private static final int ATOMIC = 2;
  private static final long MMIO = 0xf000_0000L;
  private static final long IOAPIC = 0xfec0_0000L;

  @Override
  public Stream<Row<XenHost>> rows() {
    return Stream.of(
        model(
            "memory that leaves D's frames is told every server, buffered or not",
            m -> {
              int asked = m.serving(0, MEMORY, MMIO, MMIO + 0xfff);
              int other = m.serving(ATOMIC, MEMORY, MMIO + 0x1000, MMIO + 0x1fff);
              assertThat(m.xen().ret("domctl", "unpausedomain", "{'domain':1}")).isZero();
              assertThat(m.xen().decrease(D, "0x7")).isEqualTo(1);
              assertThat(m.read(MMIO, 4).get("outcome").asText()).isEqualTo("pending");
              m.respond(asked, 7);
              for (int server : new int[] {asked, other}) {
                JsonNode told = m.request(server);
                assertThat(told.get("type").asText()).isEqualTo("invalidate");
                assertThat(told.get("size").asInt()).isEqualTo(4);
                assertThat(told.get("count").asInt()).isZero();
                assertThat(told.get("data").asText()).isEqualTo("0xffffffffffffffff");
                assertThat(m.read(0x1000, 4).get("outcome").asText()).isEqualTo("pending");
                m.respond(server, 0);
              }
              assertThat(m.read(MMIO, 4).get("data").asText()).isEqualTo("0x7");
              assertThat(m.requests(asked)).isEmpty();
            }),
        model(
            "a guest that sets its clock has servers with a ring told by how much",
            m -> {
              int ring = m.serving(ATOMIC, MEMORY, MMIO, MMIO + 0xfff);
              int none = m.serving(0, MEMORY, MMIO, MMIO + 0xfff);
              m.out(0x70, 1, 0);
              assertThat(m.in(0x71, 1).get("data").asText()).isEqualTo("0x0");
              m.out(0x71, 1, 0x10);
              JsonNode told = m.buffered(ring).get(0);
              assertThat(told.get("type").asText()).isEqualTo("timeoffset");
              assertThat(told.get("address").asText()).isEqualTo("0x0");
              assertThat(told.get("size").asInt()).isEqualTo(8);
              assertThat(told.get("dir").asText()).isEqualTo("write");
              assertThat(told.get("data").asText()).isEqualTo("0xa");
              m.out(0x71, 1, 0x10);
              assertThat(m.buffered(ring)).hasSize(1);
              assertThat(m.requests(none)).isEmpty();
            }),
        model(
            "the I/O APIC's registers are the hypervisor's, whoever answers for their page",
            m -> {
              int server = m.serving(0, MEMORY, IOAPIC, IOAPIC + 0xfff);
              m.write(IOAPIC, 4, 1);
              assertThat(m.read(IOAPIC + 0x10, 4).get("data").asText()).isEqualTo("0x2f0020");
              m.write(IOAPIC, 4, 0x10 + 2 * 20);
              m.write(IOAPIC + 0x10, 4, 0x1a031);
              assertThat(m.read(IOAPIC + 0x10, 4).get("data").asText()).isEqualTo("0x1a031");
              assertThat(m.read(IOAPIC + 0x10, 1).get("data").asText()).isEqualTo("0x31");
              assertThat(m.requests(server)).isEmpty();
              assertThat(m.read(IOAPIC + 0x1000, 4).get("data").asText()).isEqualTo("0xffffffff");
            }));
  }
}
