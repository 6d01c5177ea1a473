package io.hypercalld.api.acceptance;

import static io.hypercalld.api.acceptance.NumberedBehaviours.row;
import static io.hypercalld.api.acceptance.RemappedGuest.enable;
import static io.hypercalld.api.acceptance.RemappedGuest.entry;
import static io.hypercalld.api.acceptance.RemappedGuest.waiting;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.hypercalld.api.acceptance.XenHost.Result;
import io.hypercalld.api.scenario.DaemonUnderTest.Answer;
import java.util.stream.Stream;

/**
 * a guest of 300 vCPUs that remaps interrupts, with a virtual function and a graphics emulator
 * that has 2,052 of its pages, is to migrate.
 */
final class CombinedScenarioTest implements GuestBehaviours.OfUnit {
  private static final String VF = "0000:03:10.0";
  private static final String TAGGED = "'nr':2052,'first_pfn':'0x400'";
  private static final int EINVAL = -22;
  private static final int EBUSY = -16;

  @Override
  public void begin(GuestUnit host) {
    GuestBehaviours.OfUnit.super.begin(host);
    host.policies("'maxVcpus':300");
  }

  @Override
  public Stream<Row<GuestUnit>> rows() {
    return Stream.of(
        row(
            "X-2 migration is refused with both reasons, and goes once both are gone",
            u -> {
              String platform = baseline(u);
              u.guest(",'vcpus':300,'policies':{'intremap':'on'}");
              enable(u, 5);
              String before = baseline(u);

              int pirq = assigned(u);
              entry(u, 40, 299, 0x51, 1, 0x20);
              bind(u, pirq);
              interrupts(u);
              tagged(u);
              assertThat(baseline(u)).isNotEqualTo(before);
              Result refused = migrate(u);
              assertThat(refused.ret()).isEqualTo(EINVAL);
              assertThat(refused.detail())
                  .contains("has devices, whose writes nobody sees")
                  .contains("2052 pages of d%d belong to an ioreq server".formatted(u.guest()));

              released(u, pirq);
              Result stillRefused = migrate(u);
              assertThat(stillRefused.ret()).isEqualTo(EBUSY);
              assertThat(stillRefused.detail()).startsWith("2052 pages");
              retype(u, 0);
              u.daemon().delete(server(u));
              assertThat(baseline(u)).isEqualTo(before);
              assertThat(migrate(u).ret()).isZero();

              u.daemon().delete("/v1/domains/" + u.guest());
              assertThat(baseline(u)).isEqualTo(platform);
            }));
  }

  /** What the machine's units and the guest's pages hold on to. */
  private static String baseline(GuestUnit u) {
    StringBuilder held = new StringBuilder();
    int units = u.daemon().get("/v1/iommus").body().get("items").size();
    for (int unit = 0; unit < units; unit++) {
      for (String what : new String[] {"domain-ids", "interrupt-entries"}) {
        held.append(
            u.daemon()
                .get("/v1/iommus/%d/%s?limit=10000".formatted(unit, what))
                .body()
                .get("items"));
      }
    }
    Answer tagged = u.daemon().get("/v1/domains/%d/p2m?type=ioreq_server".formatted(u.guest()));
    return held.append(tagged.status() == 200 ? tagged.body().get("items").size() : 0).toString();
  }

  private static int assigned(GuestUnit u) {
    Answer placed =
        u.daemon()
            .put(
                "/v1/devices/" + VF + "/assignment",
                GuestUnit.quoted("{'domain':%d,'guestBdf':'00:04.0'}".formatted(u.guest())));
    assertThat(placed.status()).as("%s", placed.body()).isEqualTo(200);
    return u.xen()
        .done(
            "physdev_op",
            "map_pirq",
            "{'domid':%d,'type':0,'bus':3,'devfn':128}".formatted(u.guest()))
        .get("pirq")
        .asInt();
  }

  private static void bind(GuestUnit u, int pirq) {
    u.xen()
        .done(
            "domctl",
            "bind_pt_irq",
            ("{'domain':%d,'machine_irq':%d,'irq_type':2,'u':{'msi':{'gflags':65536,"
                    + "'addr':'0x%x','data':'0x0'}}}")
                .formatted(u.guest(), pirq, 0xfee0_0010L | 40 << 5));
  }

  /** The function's interrupt reaches vCPU 299 through the guest's entry. */
  private static void interrupts(GuestUnit u) {
    JsonNode message = u.daemon().get("/v1/devices/" + VF + "/msi").body().get("items").get(0);
    Answer sent =
        u.daemon()
            .post(
                "/v1/devices/" + VF + "/msi",
                "{\"address\":%s,\"data\":%s}"
                    .formatted(message.get("address"), message.get("data")));
    assertThat(sent.body().get("vcpu").asInt()).isEqualTo(299);
    assertThat(waiting(u, 299)).isEqualTo("[81]");
  }

  private static String server(GuestUnit u) {
    return "/v1/domains/%d/ioreq-servers/0".formatted(u.guest());
  }

  /** A server claims the page type, and 2,052 pages are of it. */
  private static void tagged(GuestUnit u) {
    u.daemon().post("/v1/domains/%d/ioreq-servers".formatted(u.guest()), "{}");
    Answer claimed = u.daemon().patch(server(u), "{\"claimsPages\":true}");
    assertThat(claimed.status()).as("%s", claimed.body()).isEqualTo(200);
    retype(u, 4);
    JsonNode runs =
        u.daemon()
            .get("/v1/domains/%d/p2m?type=ioreq_server".formatted(u.guest()))
            .body()
            .get("items");
    int pages = 0;
    for (JsonNode run : runs) {
      pages += run.get("count").asInt() << run.get("order").asInt();
    }
    assertThat(pages).isEqualTo(2052);
  }

  private static void retype(GuestUnit u, int type) {
    u.xen()
        .done(
            "dm_op",
            "set_mem_type",
            "{'domid':%d,'mem_type':%d,%s}".formatted(u.guest(), type, TAGGED));
  }

  /** As a toolstack detaches it: first its interrupt, then the function, back to dom0. */
  private static void released(GuestUnit u, int pirq) {
    u.xen()
        .done(
            "domctl",
            "unbind_pt_irq",
            "{'domain':%d,'machine_irq':%d,'irq_type':2}".formatted(u.guest(), pirq));
    u.xen().done("physdev_op", "unmap_pirq", "{'domid':%d,'pirq':%d}".formatted(u.guest(), pirq));
    u.daemon().delete("/v1/devices/" + VF + "/assignment");
    u.xen()
        .done(
            "domctl",
            "deassign_device",
            "{'domain':%d,'machine_sbdf':'%s'}".formatted(AssignmentHost.IO, VF));
  }

  private static Result migrate(GuestUnit u) {
    return u.xen().call("domctl", "shadow_op", "{'domain':%d,'op':2}".formatted(u.guest()));
  }
}
