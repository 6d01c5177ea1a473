package io.hypercalld.api.acceptance;

import static io.hypercalld.api.acceptance.ModelBehaviours.model;
import static io.hypercalld.api.acceptance.XenHost.D;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.Stream;

/** Xen's behaviours 93 to 96, as far as a device model sees: how it interrupts a guest. */
final class ModelInterruptAcceptanceTest implements ModelBehaviours {
  @Override
  public Stream<Row<XenHost>> rows() {
    return Stream.of(
        model(
            "93 a line is raised and lowered by what there is on the bus",
            m -> {
              String before = m.xen().digest();
              assertThat(intx(m, "'device':1,'intx':0,'level':1")).isZero();
              String raised = m.xen().digest();
              assertThat(raised).isNotEqualTo(before);
              assertThat(intx(m, "'device':1,'intx':0,'level':1")).isZero();
              assertThat(m.xen().digest()).isEqualTo(raised);
              assertThat(intx(m, "'device':8,'intx':3,'level':1")).isZero();
              assertThat(intx(m, "'device':8,'intx':3,'level':0")).isZero();
              assertThat(m.xen().digest()).isEqualTo(raised);
              assertThat(intx(m, "'device':1,'intx':0,'level':0")).isZero();
              assertThat(intx(m, "'device':32,'intx':0,'level':1")).isEqualTo(-22);
              assertThat(intx(m, "'device':1,'intx':4,'level':1")).isEqualTo(-22);
            }),
        model(
            "94 links, lines and levels that there are not",
            m -> {
              assertThat(m.op("set_pci_link_route", "'link':1,'isa_irq':10")).isZero();
              assertThat(m.op("set_pci_link_route", "'link':1,'isa_irq':0")).isZero();
              assertThat(m.op("set_pci_link_route", "'link':4,'isa_irq':10")).isEqualTo(-22);
              assertThat(m.op("set_pci_link_route", "'link':1,'isa_irq':16")).isEqualTo(-22);
              assertThat(intx(m, "'bus':1,'device':1,'intx':0,'level':1")).isEqualTo(-22);
              assertThat(intx(m, "'domain':1,'device':1,'intx':0,'level':1")).isEqualTo(-22);
              assertThat(intx(m, "'device':1,'intx':0,'level':2")).isEqualTo(-22);
              assertThat(m.op("set_isa_irq_level", "'isa_irq':16,'level':1")).isEqualTo(-22);
              assertThat(m.op("set_isa_irq_level", "'isa_irq':4,'level':2")).isEqualTo(-22);
              assertThat(m.op("set_isa_irq_level", "'isa_irq':4,'level':1")).isZero();
              assertThat(m.op("set_isa_irq_level", "'isa_irq':4,'level':1", D)).isEqualTo(-1);
            }),
        model(
            "95 messages are delivered, or say why not",
            m -> {
              assertThat(msi(m, "0x30", "0xfee00000")).isZero();
              assertThat(msi(m, "0x430", "0xfee00000")).isEqualTo(-22);
              assertThat(msi(m, "0x130", "0xfee33000")).isEqualTo(-3);
              assertThat(msi(m, "0x0", "0xfee00000")).isEqualTo(-34);
              assertThat(msi(m, "0x0", "0xfee05000")).isZero();
              assertThat(msi(m, "0x0", "0xfee05000")).isZero();
              assertThat(msi(m, "0x0", "0xfee06000")).isEqualTo(-16);
              assertThat(msi(m, "0x0", "0x100fee06000")).isEqualTo(-22);
              assertThat(m.op("inject_msi", "'data':'0x30','addr':'0xfee00000','pad':1"))
                  .isEqualTo(-22);
            }),
        model(
            "96 one event waits for a vCPU, until it runs",
            m -> {
              assertThat(m.op("inject_event", "'vcpuid':0,'vector':14,'type':3")).isZero();
              assertThat(m.op("inject_event", "'vcpuid':0,'vector':14,'type':3")).isEqualTo(-16);
              assertThat(m.op("inject_event", "'vcpuid':9,'vector':14,'type':3")).isEqualTo(-22);
              assertThat(m.op("inject_event", "'vcpuid':1,'vector':14,'pad0':1")).isEqualTo(-22);
              m.read(0x1000, 8);
              assertThat(m.op("inject_event", "'vcpuid':0,'vector':14,'type':3")).isZero();
            }),
        model(
            "guest frames are moved, all of them",
            m -> {
              m.write(0x5000, 8, 5);
              m.write(0x6000, 8, 6);
              assertThat(m.op("relocate_memory", "'size':2,'src_gfn':'0x5','dst_gfn':'0x1000'"))
                  .isZero();
              assertThat(m.load(D, 0x100_0000)).isEqualTo(5);
              assertThat(m.load(D, 0x100_1000)).isEqualTo(6);
              assertThat(m.xen().type(D, "0x5")).isEqualTo("mmio_dm");
              assertThat(
                      m.op(
                          "relocate_memory", "'size':1,'src_gfn':'0x7','dst_gfn':'0x1000','pad':1"))
                  .isEqualTo(-22);
            }));
  }

  private static long intx(ModelHost m, String members) {
    return m.op("set_pci_intx_level", members);
  }

  private static long msi(ModelHost m, String data, String address) {
    return m.op("inject_msi", "'data':'%s','addr':'%s'".formatted(data, address));
  }
}
