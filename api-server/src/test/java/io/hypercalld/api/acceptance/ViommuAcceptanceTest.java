package io.hypercalld.api.acceptance;

import static io.hypercalld.api.acceptance.GuestUnit.CAP;
import static io.hypercalld.api.acceptance.GuestUnit.ECAP;
import static io.hypercalld.api.acceptance.GuestUnit.FECTL;
import static io.hypercalld.api.acceptance.GuestUnit.GCMD;
import static io.hypercalld.api.acceptance.GuestUnit.GSTS;
import static io.hypercalld.api.acceptance.GuestUnit.QIE;
import static io.hypercalld.api.acceptance.GuestUnit.VER;
import static io.hypercalld.api.acceptance.GuestUnit.quoted;
import static io.hypercalld.api.acceptance.NumberedBehaviours.row;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.hypercalld.api.scenario.DaemonUnderTest.Answer;
import java.util.Set;
import java.util.stream.Stream;

/**
 * The scenarios of the document on virtual IOMMUs that concern the unit itself: how it is made, in
 * each generation, and its registers.
 */
final class ViommuAcceptanceTest implements GuestBehaviours.OfUnit {
  private static final int CREATE = 0;
  private static final int DESTROY = 1;
  private static final int QUERY_CAPS = 2;
  private static final long ESRCH = -3;
  private static final long E2BIG = -7;
  private static final long ENOMEM = -12;
  private static final long ENODEV = -19;
  private static final long EINVAL = -22;
  private static final long ENOSYS = -38;

  /** FSTS, FECTL to FEUADDR, IQH, IQT, IQA, ICS, IECTL to IEUADDR, IRTA: those one can store to. */
  private static final Set<Integer> KNOWN =
      Set.of(
          0x34, 0x38, 0x3c, 0x40, 0x44, 0x80, 0x88, 0x90, 0x94, 0x9c, 0xa0, 0xa4, 0xa8, 0xac, 0xb8,
          0xbc);

  private static final String UNIT = "'type':'intel_vtd'";
  private static final String AT_BASE = ",'base_address':'0xfed90000'";

  @Override
  public Stream<Row<GuestUnit>> rows() {
    return Stream.of(making(), generations(), configuring(), registers()).flatMap(rows -> rows);
  }

  private static Stream<Row<GuestUnit>> making() {
    return Stream.of(
        row(
            "9 a second one is too many",
            u -> {
              u.guest("");
              assertThat(u.op(CREATE, AT_BASE)).isZero();
              assertThat(u.op(CREATE, AT_BASE)).isEqualTo(E2BIG);
            }),
        row(
            "9 a second one is too many whatever else is wrong with it",
            u -> {
              u.unit(UNIT);
              String before = u.daemon().digest();
              assertThat(u.op(CREATE, ",'base_address':'0xfed90800'")).isEqualTo(E2BIG);
              assertThat(u.op(CREATE, AT_BASE + ",'viommu_type':'0x1'")).isEqualTo(E2BIG);
              assertThat(u.daemon().digest()).isEqualTo(before);
            }),
        row(
            "9 a base that is not aligned, or that no address has",
            u -> {
              u.guest("");
              assertThat(u.op(CREATE, ",'base_address':'0xfed90800'")).isEqualTo(EINVAL);
              assertThat(u.op(CREATE, ",'base_address':'0x1000000000000'")).isEqualTo(EINVAL);
              Answer made = u.tryGuest("'memory':'2MiB','viommu':{'base':'0xfed90800'}");
              assertThat(made.at("/errno")).isEqualTo("EINVAL");
              assertThat(u.daemon().get("/v1/domains").body().get("items")).hasSize(2);
            }),
        row(
            "9 an unknown capability, and an unknown type",
            u -> {
              u.guest("");
              assertThat(u.op(CREATE, AT_BASE + ",'capabilities':'0x3'")).isEqualTo(EINVAL);
              assertThat(u.op(CREATE, AT_BASE + ",'capabilities':'0x2'")).isEqualTo(EINVAL);
              assertThat(u.op(CREATE, AT_BASE + ",'viommu_type':'0x1'")).isEqualTo(EINVAL);
            }),
        row(
            "9 a PV domain",
            u -> {
              int pv = u.tryGuest("'type':'pv','memory':'2MiB'").body().get("domid").asInt();
              assertThat(u.xen().ret("domctl", "viommu_op", "{'domain':%d,'cmd':0}".formatted(pv)))
                  .isEqualTo(EINVAL);
              assertThat(u.tryGuest("'type':'pv','memory':'2MiB','viommu':{}").at("/errno"))
                  .isEqualTo("EINVAL");
            }),
        row(
            "9 a PVH domain has one as an HVM domain has",
            u -> {
              int pvh = u.tryGuest("'type':'pvh','memory':'2MiB'").body().get("domid").asInt();
              var made =
                  u.xen().call("domctl", "viommu_op", "{'domain':%d%s}".formatted(pvh, AT_BASE));
              assertThat(made.ret()).isZero();
              assertThat(made.out().get("id").asInt()).isZero();
            }),
        row(
            "9 no memory for it, and nobody's domain",
            u -> {
              u.guest("");
              u.daemon()
                  .post(
                      "/_sim/faults",
                      quoted(
                          "{'id':'full','match':{'call':'domctl.viommu_op'},"
                              + "'effect':{'errno':'ENOMEM'}}"));
              assertThat(u.op(CREATE, AT_BASE)).isEqualTo(ENOMEM);
              u.daemon().delete("/_sim/faults/full");
              assertThat(u.op(CREATE, AT_BASE)).isZero();
              assertThat(u.xen().ret("domctl", "viommu_op", "{'domain':99}")).isEqualTo(ESRCH);
            }),
        row(
            "9 a refusal changes nothing",
            u -> {
              u.guest("");
              String before = u.daemon().digest();
              assertThat(u.op(CREATE, ",'base_address':'0x800'")).isEqualTo(EINVAL);
              assertThat(u.daemon().digest()).isEqualTo(before);
            }),
        row(
            "made with the domain, told with it, and gone with it",
            u -> {
              String before = u.daemon().digest();
              int guest = u.unit(UNIT);
              JsonNode view = u.view("");
              assertThat(view.get("base").asText()).isEqualTo("0xfed90000");
              assertThat(view.get("intremap").asBoolean()).isTrue();
              JsonNode domain = u.daemon().get("/v1/domains/" + guest).body();
              assertThat(domain.get("viommu")).isEqualTo(view);
              u.daemon().delete("/v1/domains/" + guest);
              assertThat(u.daemon().digest()).isEqualTo(before);
              assertThat(u.daemon().get("/v1/domains/%d/viommu".formatted(guest)).status())
                  .isEqualTo(404);
            }),
        row(
            "put where there is none, again without effect, and otherwise refused",
            u -> {
              int guest = u.guest("");
              String place = "/v1/domains/%d/viommu".formatted(guest);
              assertThat(u.daemon().get(place).status()).isEqualTo(404);
              Answer put = u.daemon().put(place, "{\"type\":\"intel_vtd\"}");
              assertThat(put.status()).isEqualTo(200);
              String digest = u.daemon().digest();
              assertThat(u.daemon().put(place, "{\"type\":\"intel_vtd\"}").status()).isEqualTo(200);
              assertThat(u.daemon().digest()).isEqualTo(digest);
              assertThat(u.daemon().put(place, "{\"base\":\"0xfed80000\"}").at("/errno"))
                  .isEqualTo("E2BIG");
            }));
  }

  private static Stream<Row<GuestUnit>> generations() {
    return Stream.of(
        row(
            "9 v4 has no destroy and no query",
            u -> {
              u.unit(UNIT);
              assertThat(u.op(DESTROY, "")).isEqualTo(ENOSYS);
              assertThat(u.op(QUERY_CAPS, "")).isEqualTo(ENOSYS);
            }),
        row(
            "9 v3 asks the host",
            u -> {
              u.guest(",'policies':{'viommuApi':'v3'}");
              assertThat(u.op(CREATE, AT_BASE)).isEqualTo(ENODEV);
              u.policies("'viommu':'on'");
              assertThat(u.op(CREATE, AT_BASE)).isZero();
              assertThat(u.op(CREATE, AT_BASE)).isEqualTo(E2BIG);
              assertThat(u.op(QUERY_CAPS, "")).isEqualTo(ENOSYS);
              assertThat(u.op(DESTROY, "")).isZero();
              assertThat(u.op(DESTROY, "")).isEqualTo(ENODEV);
            }),
        row(
            "v2 is queried, takes a length, and refuses a second with another errno",
            u -> {
              u.guest(",'policies':{'viommuApi':'v2'}");
              var query =
                  u.xen().call("domctl", "viommu_op", "{'domain':%d,'cmd':2}".formatted(u.guest()));
              assertThat(query.out().get("capabilities").asText()).isEqualTo("0x1");
              assertThat(u.op(CREATE, AT_BASE + ",'length':'0x800'")).isEqualTo(EINVAL);
              assertThat(u.op(CREATE, AT_BASE)).isZero();
              assertThat(u.op(CREATE, AT_BASE)).isEqualTo(EINVAL);
              assertThat(u.op(DESTROY, ",'id':1")).isEqualTo(EINVAL);
              assertThat(u.op(DESTROY, "")).isZero();
              assertThat(u.view("").at("/errno").asText()).isEqualTo("ENODEV");
            }));
  }

  private static Stream<Row<GuestUnit>> configuring() {
    return Stream.of(
        row(
            "10 the toolstack's option: type first, one entry, interrupts remapped",
            u -> {
              assertThat(xl(u, "['intremap=1,type=intel_vtd']")).contains("the type comes first");
              assertThat(xl(u, "['type=intel_vtd,intremap=0']")).contains("intremap");
              assertThat(xl(u, "['type=intel_vtd','type=intel_vtd']")).contains("not 2");
              assertThat(xl(u, "['type=amd']")).contains("type=amd is unknown");
              assertThat(xl(u, "['type=intel_vtd,x2apic=1']")).contains("x2apic=1 is unknown");
              assertThat(u.daemon().get("/v1/domains").body().get("items")).hasSize(1);
              assertThat(u.tryGuest("'memory':'2MiB','xlViommu':['type=intel_vtd,intremap=1']"))
                  .returns(201, Answer::status);
            }),
        row(
            "10 interrupts are remapped where the option does not say so, and at the usual base",
            u -> {
              u.guest(",'xlViommu':['type=intel_vtd']");
              assertThat(u.view("").get("base").asText()).isEqualTo("0xfed90000");
              assertThat(u.view("").get("intremap").asBoolean()).isTrue();
              assertThat(u.view("").get("l2").asBoolean()).isFalse();
            }),
        row(
            "the guest's firmware has a table of 72 bytes",
            u -> {
              u.unit(UNIT);
              String table = u.view("/dmar").get("table").asText();
              assertThat(table).hasSize(2 * 72).startsWith("444d4152" + "48000000" + "01");
              // 39 bits of addresses; interrupts are remapped.
              assertThat(table.substring(72, 76)).isEqualTo("2601");
              // One unit for all devices, and I/O APIC 1 behind ff:00.0.
              assertThat(table.substring(96))
                  .isEqualTo(
                      "0000"
                          + "1800"
                          + "01"
                          + "00"
                          + "0000"
                          + "0000d9fe00000000"
                          + "03"
                          + "08"
                          + "0000"
                          + "01"
                          + "ff"
                          + "0000");
              int sum = 0;
              for (int i = 0; i < table.length(); i += 2) {
                sum += Integer.parseInt(table.substring(i, i + 2), 16);
              }
              assertThat(sum & 0xff).isZero();
            }));
  }

  private static String xl(GuestUnit u, String entries) {
    String before = u.daemon().digest();
    JsonNode calls = calls(u);
    Answer answer = u.tryGuest("'memory':'2MiB','xlViommu':" + entries);
    assertThat(answer.status()).isEqualTo(400);
    assertThat(answer.at("/pointer")).isEqualTo("/xlViommu");
    assertThat(calls(u)).isEqualTo(calls);
    assertThat(u.daemon().digest()).isEqualTo(before);
    return answer.body().toString();
  }

  private static JsonNode calls(GuestUnit u) {
    return u.daemon().get("/v1/machine/counters").body().get("hypercalls");
  }

  private static Stream<Row<GuestUnit>> registers() {
    return Stream.of(
        row(
            "what a unit of interrupts announces",
            u -> {
              u.unit(UNIT);
              assertThat(u.read(VER, 4)).isEqualTo(0x10);
              // ND 6, 39 bits, three levels, one record at 0xc0.
              assertThat(u.read(CAP, 8)).isEqualTo(0x0c26_0206L);
              // QI, IR, EIM, MHMV 0xf.
              assertThat(u.read(ECAP, 8)).isEqualTo(0xf0_001aL);
              assertThat(u.read(FECTL, 4)).isEqualTo(0x8000_0000L);
              assertThat(u.read(0xa0, 4)).isEqualTo(0x8000_0000L);
            }),
        row(
            "accesses of other sizes, or not aligned, are ignored",
            u -> {
              u.unit(UNIT);
              assertThat(u.read(VER, 1)).isZero();
              assertThat(u.read(VER, 2)).isZero();
              assertThat(u.read(ECAP + 4, 8)).isZero();
              u.write(FECTL, 2, 0);
              assertThat(u.read(FECTL, 4)).isEqualTo(0x8000_0000L);
            }),
        row(
            "there is no register but these in the window",
            u -> {
              u.unit(UNIT);
              for (int offset = 0x20; offset < 0x240; offset += 4) {
                if (!KNOWN.contains(offset)) {
                  u.write(offset, 4, 0xffff_ffffL);
                  assertThat(u.read(offset, 4)).as("0x%x", offset).isZero();
                }
              }
            }),
        row(
            "of GCMD only the commands of interrupts and of the queue act",
            u -> {
              u.unit(UNIT);
              // All but SIRTP, IRE and QIE: TE, SRTP, SFL, EAFL, WBF, CFI.
              u.write(GCMD, 4, 0xf880_0000L);
              assertThat(u.read(GSTS, 4)).isZero();
              u.command(QIE);
              assertThat(u.read(GSTS, 4)).isEqualTo(QIE);
            }),
        row(
            "the registers over HTTP are those of the guest",
            u -> {
              u.unit(UNIT);
              String place = "/v1/domains/%d/viommu/mmio".formatted(u.guest());
              Answer cap = u.daemon().post(place, "{\"offset\":\"0x8\",\"size\":8}");
              assertThat(cap.at("/value")).isEqualTo("0xc260206");
              u.daemon().post(place, "{\"offset\":\"0x38\",\"size\":4,\"value\":\"0x0\"}");
              assertThat(u.read(FECTL, 4)).isZero();
              assertThat(u.daemon().post(place, "{\"offset\":\"0x1000\",\"size\":4}").status())
                  .isEqualTo(422);
            }));
  }
}
