package io.hypercalld.api.acceptance;

import static io.hypercalld.api.acceptance.AssignmentHost.EBUSY;
import static io.hypercalld.api.acceptance.AssignmentHost.ENODEV;
import static io.hypercalld.api.acceptance.AssignmentHost.IO;
import static io.hypercalld.api.acceptance.NumberedBehaviours.row;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.hypercalld.api.scenario.DaemonUnderTest.Answer;
import java.util.List;
import java.util.stream.Stream;

/** Bridges that come while the machine runs, and the requester ids of what is behind them. */
final class HotplugAcceptanceTest implements AssignmentBehaviours {
  private static final String BRIDGE = "0000:00:1c.0";
  private static final String FIRST = "0000:50:01.0";
  private static final String SECOND = "0000:50:02.0";
  private static final int REST = 5;

  @Override
  public void begin(AssignmentHost host) {
    AssignmentBehaviours.super.begin(host);
    plugged(host, BRIDGE, "pcie-to-pci-bridge", "0x060400", ",'buses':{'secondary':80}");
    plugged(host, FIRST, "pci", "0x040100", "");
    plugged(host, SECOND, "pci", "0x078000", "");
  }

  /** Whatever is there of it goes, the devices before their bridge. */
  @Override
  public void end(AssignmentHost host) {
    assertThat(host.violations()).isEmpty();
    host.reset();
    for (String bus : List.of("50", "60")) {
      for (String place : List.of("01.0", "02.0")) {
        pull(host, "0000:" + bus + ":" + place);
      }
    }
    pull(host, BRIDGE);
    AssignmentBehaviours.super.end(host);
  }

  private static void pull(AssignmentHost h, String sbdf) {
    h.physdev("pci_device_remove", sbdf, "");
    h.daemon().delete("/_sim/pci/" + sbdf);
  }

  private static Answer plug(
      AssignmentHost h, String sbdf, String kind, String classCode, String more) {
    return h.daemon()
        .post(
            "/_sim/pci",
            "{'address':'%s','vendor':'0x8086','device':'0x1','class':'%s','kind':'%s'%s}"
                .formatted(sbdf, classCode, kind, more)
                .replace('\'', '"'));
  }

  static void plugged(AssignmentHost h, String sbdf, String kind, String classCode, String more) {
    Answer answer = plug(h, sbdf, kind, classCode, more);
    assertThat(answer.status()).as("%s", answer.body()).isEqualTo(200);
  }

  private static Answer renumber(AssignmentHost h, String sbdf, int secondary) {
    return h.daemon()
        .put("/_sim/pci/" + sbdf + "/buses", "{\"secondary\":%d}".formatted(secondary));
  }

  static void known(AssignmentHost h, String... sbdfs) {
    for (String sbdf : sbdfs) {
      assertThat(h.physdev("pci_device_add", sbdf, "")).as(sbdf).isZero();
    }
  }

  private static JsonNode requesters(AssignmentHost h, String sbdf) {
    return h.device(sbdf).get("requesterIds");
  }

  @Override
  public Stream<Row<AssignmentHost>> rows() {
    return Stream.of(
        row(
            "- what is behind a bridge that came later has three requester ids",
            h -> {
              known(h, BRIDGE, FIRST, SECOND);
              assertThat(requesters(h, FIRST).toString())
                  .isEqualTo("[\"50:01.0\",\"00:1c.0\",\"50:00.0\"]");
              int guest = h.guest();
              int other = h.guest();
              h.given(guest, FIRST);
              int did = h.idOf(REST, guest);
              for (String requester : List.of(FIRST, BRIDGE, "0000:50:00.0")) {
                assertThat(h.did(REST, requester)).as(requester).isEqualTo(did);
              }
              h.refuses(EBUSY, () -> h.assign(other, SECOND));
              h.deassign(guest, FIRST);
              assertThat(h.did(REST, BRIDGE)).isEqualTo(-1);
            }),
        row(
            "- a bus with another number gives other ids, once the hypervisor has let go",
            h -> {
              known(h, BRIDGE, FIRST);
              assertThat(renumber(h, BRIDGE, 0x60).at("/errno")).isEqualTo("EBUSY");
              assertThat(h.physdev("pci_device_remove", FIRST, "")).isZero();
              assertThat(renumber(h, BRIDGE, 0x60).status()).isEqualTo(200);
              h.refuses(ENODEV, () -> h.physdev("pci_device_add", FIRST, ""));

              String moved = "0000:60:01.0";
              known(h, moved);

              assertThat(requesters(h, moved).toString())
                  .isEqualTo("[\"60:01.0\",\"00:1c.0\",\"60:00.0\"]");
              int guest = h.guest();
              h.given(guest, moved);
              assertThat(h.did(REST, "0000:60:00.0")).isEqualTo(h.idOf(REST, guest));
              assertThat(h.did(REST, "0000:50:00.0")).isEqualTo(-1);
              assertThat(h.outcome(moved, 0)).isEqualTo("done");
              h.deassign(guest, moved);
              h.deassign(IO, moved);
            }),
        row(
            "- buses that are somebody's, below the bridge's own or of no bridge are refused",
            h -> {
              String before = h.xen().digest();
              assertThat(renumber(h, BRIDGE, 3).at("/errno")).isEqualTo("EBUSY");
              assertThat(renumber(h, FIRST, 0x70).at("/errno")).isEqualTo("EINVAL");
              assertThat(renumber(h, "0000:77:00.0", 0x70).at("/errno")).isEqualTo("ENODEV");
              assertThat(renumber(h, BRIDGE, 0).status()).isEqualTo(400);
              assertThat(plug(h, FIRST, "pci", "0x040100", "").at("/errno")).isEqualTo("EEXIST");
              assertThat(
                      plug(
                              h,
                              "0000:00:1b.0",
                              "pcie-bridge",
                              "0x060400",
                              ",'buses':{'secondary':79,'subordinate':80}")
                          .at("/errno"))
                  .isEqualTo("EBUSY");
              assertThat(h.daemon().delete("/_sim/pci/" + BRIDGE).at("/errno")).isEqualTo("EBUSY");
              assertThat(h.xen().digest()).isEqualTo(before);
            }),
        row(
            "- a bridge below a bridge has buses that the upper one passes on",
            h -> {
              assertThat(
                      plug(
                              h,
                              "0000:50:03.0",
                              "legacy-pci-bridge",
                              "0x060400",
                              ",'buses':{'secondary':90}")
                          .at("/errno"))
                  .isEqualTo("EINVAL");
            }),
        row(
            "- what the hypervisor knows is not pulled",
            h -> {
              known(h, BRIDGE, FIRST);
              assertThat(h.daemon().delete("/_sim/pci/" + FIRST).at("/errno")).isEqualTo("EBUSY");
            }));
  }
}
