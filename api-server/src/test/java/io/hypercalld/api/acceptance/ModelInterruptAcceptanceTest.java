package io.hypercalld.api.acceptance;

import static io.hypercalld.api.acceptance.ModelBehaviours.model;
import static io.hypercalld.api.acceptance.XenHost.D;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** Xen's behaviours 93 to 99: how device models interrupt guests and pin what they cache. */
final class ModelInterruptAcceptanceTest implements ModelBehaviours {
  private static final String PCI = "'irq_type':0,'u':{'pci':{'bus':0,'device':1,'intx':0}}";
  private static final String PIN = "'start':'0x%x','end':'0x%x','type':%d";

  /** Lets the guest choose again. */
  private static final long LET_GO = 0xffff_ffffL;

  @Override
  public Stream<Row<XenHost>> rows() {
    return Stream.of(
        model(
            "93 a line is raised and lowered by what there is on the bus",
            m -> {
              assertThat(intx(m, "'device':1,'intx':0,'level':1")).isZero();
              assertThat(gsis(m)).isEqualTo("20:1");
              assertThat(links(m)).isEqualTo("0 1 0 0");
              assertThat(intx(m, "'device':8,'intx':3,'level':1")).isZero();
              assertThat(gsis(m)).isEqualTo("20:2");
              assertThat(links(m)).isEqualTo("0 1 0 1");
              assertThat(intx(m, "'device':31,'intx':3,'level':1")).isZero();
              assertThat(gsis(m)).isEqualTo("18:1 20:2");
              assertThat(links(m)).isEqualTo("0 1 1 1");
              assertThat(intx(m, "'device':1,'intx':0,'level':0")).isZero();
              assertThat(gsis(m)).isEqualTo("18:1 20:1");
              assertThat(intx(m, "'device':8,'intx':3,'level':1")).isZero();
              assertThat(intx(m, "'device':8,'intx':3,'level':0")).isZero();
              assertThat(gsis(m)).isEqualTo("18:1");
            }),
        model(
            "94 a link that is asserted moves with its route; numbers that there are not",
            m -> {
              assertThat(intx(m, "'device':1,'intx':0,'level':1")).isZero();
              assertThat(m.op("set_pci_link_route", "'link':1,'isa_irq':10")).isZero();
              assertThat(gsis(m)).isEqualTo("10:1 20:1");
              assertThat(m.op("set_isa_irq_level", "'isa_irq':10,'level':1")).isZero();
              assertThat(gsis(m)).isEqualTo("10:2 20:1");
              assertThat(m.op("set_isa_irq_level", "'isa_irq':10,'level':0")).isZero();
              assertThat(m.op("set_pci_link_route", "'link':1,'isa_irq':0")).isZero();
              assertThat(gsis(m)).isEqualTo("20:1");
              assertThat(m.op("set_pci_link_route", "'link':4,'isa_irq':10")).isEqualTo(-22);
              assertThat(m.op("set_pci_link_route", "'link':1,'isa_irq':16")).isEqualTo(-22);
              assertThat(intx(m, "'bus':1,'device':1,'intx':0,'level':1")).isEqualTo(-22);
              assertThat(intx(m, "'domain':1,'device':1,'intx':0,'level':1")).isEqualTo(-22);
              assertThat(intx(m, "'device':32,'intx':0,'level':1")).isEqualTo(-22);
              assertThat(intx(m, "'device':1,'intx':4,'level':1")).isEqualTo(-22);
              assertThat(intx(m, "'device':1,'intx':0,'level':2")).isEqualTo(-22);
              assertThat(m.op("set_isa_irq_level", "'isa_irq':16,'level':1")).isEqualTo(-22);
              assertThat(m.op("set_isa_irq_level", "'isa_irq':4,'level':2")).isEqualTo(-22);
              assertThat(m.op("set_isa_irq_level", "'isa_irq':0,'level':1")).isZero();
              assertThat(gsis(m)).isEqualTo("2:1 20:1");
              assertThat(m.op("set_isa_irq_level", "'isa_irq':4,'level':1", D)).isEqualTo(-1);
            }),
        model(
            "95 messages are delivered, or say why not",
            m -> {
              String before = m.xen().digest();
              assertThat(msi(m, "0x430", "0xfee00000")).isEqualTo(-22);
              assertThat(msi(m, "0x130", "0xfee33000")).isEqualTo(-3);
              assertThat(msi(m, "0x0", "0xfee00000")).isEqualTo(-34);
              assertThat(msi(m, "0x0", "0x100fee06000")).isEqualTo(-22);
              assertThat(m.op("inject_msi", "'data':'0x30','addr':'0xfee00000','pad':1"))
                  .isEqualTo(-22);
              assertThat(msi(m, "0x30", "0xfee33000")).isZero();
              assertThat(m.xen().digest()).isEqualTo(before);
              assertThat(msi(m, "0x30", "0xfee00000")).isZero();
              assertThat(raised(m, 0)).isEqualTo("[48]");
              assertThat(msi(m, "0x131", "0xfee02000")).isZero();
              assertThat(raised(m, 1)).isEqualTo("[49]");
              assertThat(msi(m, "0x0", "0xfee05000")).isZero();
              assertThat(msi(m, "0x0", "0xfee05000")).isZero();
              assertThat(msi(m, "0x0", "0xfee06000")).isEqualTo(-16);
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
            "97 who pins how frames are cached, and what comes of it",
            m -> {
              assertThat(pin(m, 0, 0xf, 0)).isEqualTo(-1);
              assertThat(pin(m, 0, 0xf, 6)).isZero();
              assertThat(pin(m, 8, 0x1f, 6)).isEqualTo(-16);
              assertThat(pin(m, 0, 0xe, LET_GO)).isEqualTo(-2);
              assertThat(pin(m, 0, 0xf, 3)).isEqualTo(-22);
              assertThat(pin(m, 2, 1, 6)).isEqualTo(-22);
              assertThat(pin(m, 0, 1L << 52, 6)).isEqualTo(-22);
              assertThat(m.op("pin_memory_cacheattr", PIN.formatted(0, 15, 6) + ",'pad':1"))
                  .isEqualTo(-22);
              assertThat(cached(m, 0x5000)).isEqualTo("6 1 order 9");
              for (long range = 1; range < 64; range++) {
                assertThat(pin(m, range << 8, range << 8, 6)).isZero();
              }
              assertThat(pin(m, 0x5000, 0x5000, 6)).isEqualTo(-28);

              m.xen()
                  .done(
                      "domctl",
                      "iomem_permission",
                      "{'domain':1,'first_mfn':'0xfe000','nr_mfns':1,'allow_access':1}");
              assertThat(pin(m, 0, 0xf, 0)).isZero();
              assertThat(cached(m, 0x5000)).isEqualTo("0 1 order 0");
              assertThat(cached(m, 0x10_0000)).isEqualTo("6 1 order 0");
              assertThat(cached(m, 0x1_0000)).isEqualTo("6 0 order 0");
              assertThat(m.xen().decrease(D, "0x5")).isEqualTo(1);
              assertThat(m.xen().populate(D, "0x5", 0)).isEqualTo(1);
              assertThat(cached(m, 0x5000)).isEqualTo("0 1 order 0");
              assertThat(pin(m, 0, 0xf, LET_GO)).isZero();
              assertThat(cached(m, 0x5000)).isEqualTo("6 0 order 0");
            }),
        model(
            "98 a guest's interrupt is bound where devices are its own, and not to an ISA line",
            m -> {
              int without = gsi(m, D, 16);
              assertThat(bind(m, "bind_pt_irq", D, without, PCI)).isEqualTo(-3);
              assertThat(bind(m, "unbind_pt_irq", D, without, PCI)).isZero();
              assertThat(m.xen().daemon().post("/v1/domains", "{\"memory\":\"2MiB\"}").status())
                  .isEqualTo(201);
              int with = gsi(m, 2, 17);
              assertThat(bind(m, "bind_pt_irq", 2, with, "'irq_type':1,'u':{'isa':{'isa_irq':3}}"))
                  .isEqualTo(-95);
              assertThat(bind(m, "bind_pt_irq", 2, with, PCI)).isZero();
              assertThat(bind(m, "unbind_pt_irq", 2, with, PCI.replace("1", "2"))).isEqualTo(-22);
              assertThat(bind(m, "unbind_pt_irq", 2, with, PCI)).isZero();
            }),
        model(
            "99 what cannot be mapped as a guest's interrupt",
            m -> {
              assertThat(map(m, "'domid':1,'type':4,'entry_nr':1,'table_base':'0x1000'"))
                  .isEqualTo(-22);
              assertThat(map(m, "'domid':1,'type':4,'entry_nr':0")).isEqualTo(-33);
              assertThat(map(m, "'domid':77,'type':1,'index':17")).isEqualTo(-3);
              assertThat(map(m, "'domid':1,'type':2,'index':17")).isEqualTo(-22);
              assertThat(m.xen().ret("physdev_op", "unmap_pirq", "{'domid':1,'pirq':40}"))
                  .isEqualTo(-22);
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

  /** Pins that are asserted, each with how many wires do it. */
  private static String gsis(ModelHost m) {
    List<String> pins = new ArrayList<>();
    for (JsonNode gsi : lines(m).get("gsis")) {
      pins.add(gsi.get("gsi").asText() + ":" + gsi.get("asserting").asText());
    }
    return String.join(" ", pins);
  }

  /** How many wires assert each link. */
  private static String links(ModelHost m) {
    return String.join(" ", lines(m).get("links").findValuesAsText("asserting"));
  }

  private static JsonNode lines(ModelHost m) {
    return m.xen().daemon().get("/v1/domains/1/interrupt-lines").body();
  }

  /** Vectors that wait at a vCPU. */
  private static String raised(ModelHost m, int vcpu) {
    return m.xen()
        .daemon()
        .get("/v1/domains/1/vcpus/%d/interrupts".formatted(vcpu))
        .body()
        .at("/apic/irr")
        .toString();
  }

  private static long msi(ModelHost m, String data, String address) {
    return m.op("inject_msi", "'data':'%s','addr':'%s'".formatted(data, address));
  }

  private static long pin(ModelHost m, long start, long end, long type) {
    return m.op("pin_memory_cacheattr", PIN.formatted(start, end, type));
  }

  /** Memory type and whether the guest's is ignored, once the guest touched the page. */
  private static String cached(ModelHost m, long gpa) {
    m.read(gpa, 1);
    JsonNode steps =
        m.xen()
            .daemon()
            .get("/v1/explain/access?domid=1&gpa=0x%x&access=read".formatted(gpa))
            .body()
            .get("steps");
    JsonNode leaf = steps.get(steps.size() - 2);
    return "%d %d order %s"
        .formatted(
            Long.decode(leaf.at("/fields/emt").asText()),
            Long.decode(leaf.at("/fields/ipat").asText()),
            m.xen().lookup(D, "0x%x".formatted(gpa >>> 12)).get("order").asText());
  }

  /** Maps a pin of the machine's to a domain; its number there. */
  private static int gsi(ModelHost m, int domain, int index) {
    return m.xen()
        .done(
            "physdev_op",
            "map_pirq",
            "{'domid':%d,'type':1,'index':%d,'pirq':-1}".formatted(domain, index))
        .get("pirq")
        .asInt();
  }

  private static long map(ModelHost m, String members) {
    return m.xen()
        .ret("physdev_op", "map_pirq", "{%s,'pirq':-1,'bus':3,'devfn':128}".formatted(members));
  }

  private static long bind(ModelHost m, String op, int domain, int pirq, String what) {
    return m.xen()
        .ret("domctl", op, "{'domain':%d,'machine_irq':%d,%s}".formatted(domain, pirq, what));
  }
}
