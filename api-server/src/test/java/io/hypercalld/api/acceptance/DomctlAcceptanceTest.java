package io.hypercalld.api.acceptance;

import static io.hypercalld.api.acceptance.NumberedBehaviours.row;
import static io.hypercalld.api.acceptance.XenHost.D;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.stream.Stream;

/** Xen's behaviours 42 to 57: domctl. */
final class DomctlAcceptanceTest implements XenBehaviours {
  private static final int OTHER = 2;

  @Override
  public Stream<Row<XenHost>> rows() {
    return Stream.of(framing(), lifecycle(), mappings()).flatMap(rows -> rows);
  }

  private static Stream<Row<XenHost>> framing() {
    return Stream.of(
        row(
            "42 the version comes first, then who asks whom",
            h -> {
              assertThat(domctl(h, "pausedomain", "'domain':77,'interface_version':'0x17'"))
                  .isEqualTo(-13);
              assertThat(domctl(h, "pausedomain", "'domain':77,'interface_version':'0x18'"))
                  .isEqualTo(-3);
              assertThat(domctl(h, "pausedomain", "'domain':77")).isEqualTo(-3);
              assertThat(h.ret("domctl", "pausedomain", "{'domain':77}", D)).isEqualTo(-1);
              assertThat(domctl(h, "get_domain_state", "'domain':1,'interface_version':24"))
                  .isEqualTo(-13);
              assertThat(domctl(h, "get_domain_state", "'domain':1,'interface_version':0"))
                  .isZero();
            }),
        row(
            "43 what no domain can be made of",
            h -> {
              String before = h.digest();
              assertThat(create(h, "'flags':512")).isEqualTo(-22);
              assertThat(create(h, "'flags':2")).isEqualTo(-22);
              assertThat(create(h, "'flags':3,'iommu_opts':1")).isEqualTo(-22);
              assertThat(create(h, "'flags':3,'max_vcpus':0")).isEqualTo(-22);
              assertThat(create(h, "'flags':3,'max_vcpus':129")).isEqualTo(-22);
              assertThat(create(h, "'flags':3,'grant_opts':0")).isEqualTo(-22);
              assertThat(create(h, "'flags':3,'grant_opts':16")).isEqualTo(-22);
              assertThat(create(h, "'flags':3,'domain':1")).isEqualTo(-17);
              assertThat(create(h, "'flags':3,'domain':32756")).isEqualTo(-17);
              assertThat(create(h, "'flags':3,'arch':{'emulation_flags':2}")).isEqualTo(-95);
              assertThat(create(h, "'flags':3,'cpupool_id':77")).isEqualTo(-3);
              assertThat(h.digest()).isEqualTo(before);
              assertThat(create(h, "'flags':3,'max_vcpus':128,'grant_opts':1")).isZero();
            }),
        row(
            "44 ids given automatically are not given twice in a row",
            h -> {
              int first = createAny(h);
              assertThat(domctl(h, "destroydomain", "'domain':" + first)).isZero();
              assertThat(createAny(h)).isNotEqualTo(first);
            }));
  }

  private static Stream<Row<XenHost>> lifecycle() {
    return Stream.of(
        row(
            "45 a fresh domain is paused and has no vCPU",
            h -> {
              assertThat(create(h, "'flags':3,'domain':2")).isZero();
              JsonNode info = h.info(OTHER);
              assertThat(flags(info) & 0x8).isNotZero();
              assertThat(flags(info) & 0x30).isZero();
              assertThat(flags(info) >>> 16).isEqualTo(0xffff);
              assertThat(info.get("nr_online_vcpus").asInt()).isZero();
              assertThat(info.get("max_vcpu_id").asText()).isEqualTo("0xffffffff");
            }),
        row(
            "46 pauses are counted, up to 255",
            h -> {
              assertThat(domctl(h, "unpausedomain", "'domain':1")).isZero();
              assertThat(domctl(h, "unpausedomain", "'domain':1")).isEqualTo(-22);
              h.freshD();
              for (int i = 0; i < 254; i++) {
                assertThat(domctl(h, "pausedomain", "'domain':1")).isZero();
              }
              assertThat(domctl(h, "pausedomain", "'domain':1")).isEqualTo(-75);
              assertThat(domctl(h, "pausedomain", "'domain':0")).isEqualTo(-22);
            }),
        row(
            "47 max_vcpus is what the domain was created with",
            h -> {
              assertThat(create(h, "'flags':3,'domain':2")).isZero();
              assertThat(domctl(h, "max_vcpus", "'domain':2,'max':3")).isEqualTo(-22);
              assertThat(h.info(OTHER).get("max_vcpu_id").asText()).isEqualTo("0xffffffff");
              assertThat(domctl(h, "max_vcpus", "'domain':2,'max':2")).isZero();
              assertThat(h.info(OTHER).get("max_vcpu_id").asText()).isEqualTo("0x1");
              String made = h.digest();
              assertThat(domctl(h, "max_vcpus", "'domain':2,'max':2")).isZero();
              assertThat(h.digest()).isEqualTo(made);
            }),
        row(
            "48 a limit below what a domain has keeps it from growing only",
            h -> {
              assertThat(domctl(h, "max_mem", "'domain':1,'max_memkb':4")).isZero();
              assertThat(h.info(D).get("max_pages").asLong()).isEqualTo(1);
              assertThat(h.info(D).get("tot_pages").asLong()).isEqualTo(512);
              assertThat(h.populate(D, "0x1000", 0)).isZero();
              assertThat(h.decrease(D, "0x5")).isEqualTo(1);
              assertThat(h.info(D).get("tot_pages").asLong()).isEqualTo(511);
            }),
        row(
            "49 the first reason to shut down wins, of 8 bits",
            h -> {
              assertThat(shutDown(h, "0x0")).isZero();
              assertThat(shutDown(h, "0x3")).isZero();
              assertThat(code(h)).isZero();
              assertThat(flags(h.info(D)) & 0x4).isNotZero();
              h.freshD();
              assertThat(domctl(h, "unpausedomain", "'domain':1")).isZero();
              assertThat(shutDown(h, "0x103")).isZero();
              assertThat(code(h)).isEqualTo(3);
              assertThat(domctl(h, "resumedomain", "'domain':1")).isZero();
              assertThat(code(h)).isEqualTo(255);
              assertThat(domctl(h, "resumedomain", "'domain':0")).isEqualTo(-22);
            }),
        row(
            "50 a domain that somebody refers to can be destroyed twice",
            h -> {
              h.hvm(OTHER, 1, 16);
              assertThat(domctl(h, "destroydomain", "'domain':0")).isEqualTo(-22);
              assertThat(domctl(h, "set_target", "'domain':2,'target':1")).isZero();
              assertThat(domctl(h, "destroydomain", "'domain':1")).isZero();
              assertThat(domctl(h, "destroydomain", "'domain':1")).isZero();
              assertThat(flags(h.info(D)) & 0x1).isNotZero();
              // It has vCPUs, for which a server would need ports.
              assertThat(h.ret("dm_op", "create_ioreq_server", "{'domid':1}")).isEqualTo(-22);
              assertThat(h.daemon().get("/v1/domains/1/ioreq-servers").body().get("items"))
                  .isEmpty();
              assertThat(create(h, "'flags':3,'domain':1")).isEqualTo(-17);
              assertThat(domctl(h, "destroydomain", "'domain':2")).isZero();
              assertThat(domctl(h, "destroydomain", "'domain':1")).isEqualTo(-3);
              assertThat(domctl(h, "destroydomain", "'domain':2")).isEqualTo(-3);
            }),
        row(
            "51 a device model may do to its target what the toolstack's calls do not need",
            h -> {
              h.hvm(OTHER, 1, 16);
              assertThat(create(h, "'flags':0,'domain':3")).isZero();
              assertThat(domctl(h, "set_target", "'domain':1,'target':1")).isEqualTo(-22);
              assertThat(domctl(h, "set_target", "'domain':2,'target':77")).isEqualTo(-3);
              assertThat(domctl(h, "set_target", "'domain':2,'target':3")).isEqualTo(-95);
              assertThat(h.ret("dm_op", "nr_vcpus", "{'domid':1}", OTHER)).isEqualTo(-1);
              assertThat(domctl(h, "set_target", "'domain':2,'target':1")).isZero();
              assertThat(domctl(h, "set_target", "'domain':2,'target':1")).isEqualTo(-22);
              assertThat(h.call("dm_op", "nr_vcpus", "{'domid':1}", OTHER).out().get("vcpus"))
                  .hasToString("2");
              assertThat(
                      h.ret(
                          "memory_op",
                          "populate_physmap",
                          "{'domid':1,'extent_start':['0x1000'],'extent_order':0}",
                          OTHER))
                  .isEqualTo(1);
              assertThat(h.ret("domctl", "pausedomain", "{'domain':1}", OTHER)).isEqualTo(-1);
            }),
        row(
            "52 getpageframeinfo tells pages from what is none",
            h -> {
              iomem(h, D, "0xf0000", 1);
              map(h, "0x5000", "0xf0000", 1);
              assertThat(
                      domctl(h, "getpageframeinfo", "'domain':1,'array':{'first':0,'count':1025}"))
                  .isEqualTo(-7);
              JsonNode types =
                  h.done(
                      "domctl",
                      "getpageframeinfo",
                      "{'domain':1,'array':['0x5','0x4000','0x5000']}");
              assertThat(types.get("array")).hasToString("[\"0x0\",\"0xf0000000\",\"0xf0000000\"]");
            }));
  }

  private static Stream<Row<XenHost>> mappings() {
    return Stream.of(
        row(
            "53 memory_mapping maps 64 leaves at once, of frames that the domain may have",
            h -> {
              assertThat(map(h, "0x5001", "0xf0000", 100)).isEqualTo(-1);
              iomem(h, D, "0xf0000", 0x400);
              assertThat(h.type(D, "0x5001")).isEqualTo("mmio_dm");
              assertThat(map(h, "0x5001", "0xf0000", 100)).isEqualTo(64);
              assertThat(h.lookup(D, "0x5040").get("mfn").asText()).isEqualTo("0xf003f");
              assertThat(h.type(D, "0x5041")).isEqualTo("mmio_dm");
              assertThat(map(h, "0x5041", "0xf0040", 36)).isZero();
              assertThat(h.lookup(D, "0x5064").get("mfn").asText()).isEqualTo("0xf0063");
              assertThat(h.type(D, "0x5065")).isEqualTo("mmio_dm");
              assertThat(map(h, "0x5001", "0xf0000", 0)).isEqualTo(-22);
              assertThat(map(h, "0x5001", "0x8000000000", 1)).isEqualTo(-22);
              assertThat(map(h, "0xffffffffffffffff", "0xf0000", 2)).isEqualTo(-22);
              assertThat(h.type(D, "0x5064")).isEqualTo("mmio_direct");
              assertThat(map(h, "0x6000", "0xf0000", 0x400)).isZero();
              assertThat(h.lookup(D, "0x6000").get("order").asInt()).isEqualTo(9);
              assertThat(unmap(h, "0x6000", "0xf0000", 0x400)).isZero();
              assertThat(h.type(D, "0x6000")).isEqualTo("mmio_dm");
            }),
        row(
            "54 a device's page replaces RAM, and nothing but the same replaces it",
            h -> {
              iomem(h, D, "0xf0000", 2);
              assertThat(map(h, "0x5", "0xf0000", 1)).isZero();
              assertThat(h.type(D, "0x5")).isEqualTo("mmio_direct");
              assertThat(h.pages(D)).isEqualTo(512);
              assertThat(h.done("domctl", "audit_p2m", "{'domain':1}").get("orphans").asLong())
                  .isEqualTo(1);
              assertThat(map(h, "0x5", "0xf0000", 1)).isZero();
              assertThat(map(h, "0x5", "0xf0001", 1)).isEqualTo(-1);
              assertThat(h.lookup(D, "0x5").get("mfn").asText()).isEqualTo("0xf0000");
              assertThat(flags(h.info(D)) & 0x4).isNotZero();
              assertThat(code(h)).isEqualTo(3);
            }),
        row(
            "55 what is a device's page, and what is not",
            h -> {
              iomem(h, D, "0xf0000", 1);
              map(h, "0x1ff", "0xf0000", 1);
              assertThat(unmap(h, "0x6", "0xf0000", 1)).isEqualTo(-22);
              assertThat(h.ret("memory_op", "remove_from_physmap", "{'domid':1,'gpfn':'0x1ff'}"))
                  .isEqualTo(-2);
              assertThat(h.decrease(D, "0x1ff")).isZero();
              assertThat(
                      h.ret(
                          "memory_op",
                          "add_to_physmap",
                          "{'domid':1,'space':2,'idx':'0x6','gpfn':'0x1ff'}"))
                  .isEqualTo(-1);
              assertThat(
                      h.ret(
                          "dm_op",
                          "set_mem_type",
                          "{'domid':1,'nr':1,'mem_type':0,'first_pfn':'0x1ff'}"))
                  .isEqualTo(-22);
              assertThat(h.type(D, "0x1ff")).isEqualTo("mmio_direct");
              assertThat(h.lookup(D, "0x1ff").get("mfn").asText()).isEqualTo("0xf0000");
              assertThat(h.type(D, "0x6")).isEqualTo("ram_rw");
              assertThat(h.pages(D)).isEqualTo(512);
              assertThat(code(h)).isEqualTo(255);
            }),
        row(
            "56 nobody hands out what he does not have",
            h -> {
              assertThat(iomemRet(h, D, "0xfee00", 1, 1)).isEqualTo(-1);
              assertThat(iomemRet(h, D, "0xfffffffffffffff0", 1, 1)).isEqualTo(-1);
              assertThat(iomemRet(h, D, "0xf0000", 0, 1)).isEqualTo(-22);
              assertThat(iomemRet(h, 0, "0xe0000", 1, 0)).isZero();
              assertThat(iomemRet(h, D, "0xe0000", 1, 1)).isEqualTo(-1);
            }),
        row(
            "57 ports are shown once, and neighbours take each other for overlapping",
            h -> {
              assertThat(ports(h, "0x200", "0x100", 8, 1)).isEqualTo(-1);
              assertThat(
                      domctl(
                          h,
                          "ioport_permission",
                          "'domain':1,'first_port':'0x100','nr_ports':16,'allow_access':1"))
                  .isZero();
              assertThat(ports(h, "0x200", "0x100", 8, 1)).isZero();
              String shown = h.digest();
              assertThat(ports(h, "0x300", "0x100", 8, 1)).isZero();
              assertThat(h.digest()).isNotEqualTo(shown);
              assertThat(ports(h, "0x200", "0x100", 8, 1)).isZero();
              assertThat(h.digest()).isEqualTo(shown);
              assertThat(ports(h, "0x300", "0x100", 8, 1)).isZero();
              assertThat(ports(h, "0x400", "0x108", 8, 1)).isEqualTo(-16);
              assertThat(ports(h, "0x300", "0x100", 4, 0)).isEqualTo(-2);
              assertThat(ports(h, "0x700", "0x100", 8, 0)).isZero();
              assertThat(ports(h, "0x400", "0x108", 8, 1)).isZero();
              assertThat(ports(h, "0xffff", "0x100", 2, 1)).isEqualTo(-22);
              assertThat(
                      domctl(
                          h,
                          "ioport_permission",
                          "'domain':1,'first_port':'0xffff','nr_ports':2,'allow_access':1"))
                  .isEqualTo(-22);
            }));
  }

  private static long domctl(XenHost h, String op, String members) {
    return h.ret("domctl", op, "{" + members + "}");
  }

  /** Makes a domain of id 9 and two vCPUs, unless the members say otherwise. */
  private static long create(XenHost h, String members) {
    String more = members.contains("'max_vcpus'") ? "" : ",'max_vcpus':2";
    String id = members.contains("'domain'") ? "" : ",'domain':9";
    return domctl(h, "createdomain", members + more + id);
  }

  private static int createAny(XenHost h) {
    JsonNode out = h.done("domctl", "createdomain", "{'domain':32757,'flags':3,'max_vcpus':1}");
    return out.get("domain").asInt();
  }

  private static long flags(JsonNode info) {
    return Long.decode(info.get("flags").asText());
  }

  private static long code(XenHost h) {
    return (flags(h.info(D)) >>> 16) & 0xff;
  }

  private static long shutDown(XenHost h, String reason) {
    return h.ret("dm_op", "remote_shutdown", "{'domid':1,'reason':'" + reason + "'}");
  }

  private static void iomem(XenHost h, int domain, String mfn, int count) {
    assertThat(iomemRet(h, domain, mfn, count, 1)).isZero();
  }

  private static long iomemRet(XenHost h, int domain, String mfn, int count, int allow) {
    return domctl(
        h,
        "iomem_permission",
        "'domain':%d,'first_mfn':'%s','nr_mfns':%d,'allow_access':%d"
            .formatted(domain, mfn, count, allow));
  }

  private static long map(XenHost h, String gfn, String mfn, int count) {
    return mapping(h, gfn, mfn, count, 1);
  }

  private static long unmap(XenHost h, String gfn, String mfn, int count) {
    return mapping(h, gfn, mfn, count, 0);
  }

  private static long mapping(XenHost h, String gfn, String mfn, int count, int add) {
    return domctl(
        h,
        "memory_mapping",
        "'domain':1,'first_gfn':'%s','first_mfn':'%s','nr_mfns':%d,'add_mapping':%d"
            .formatted(gfn, mfn, count, add));
  }

  private static long ports(XenHost h, String guest, String machine, int count, int add) {
    return domctl(
        h,
        "ioport_mapping",
        "'domain':1,'first_gport':'%s','first_mport':'%s','nr_ports':%d,'add_mapping':%d"
            .formatted(guest, machine, count, add));
  }
}
