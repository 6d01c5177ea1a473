package io.hypercalld.api.acceptance;

import static io.hypercalld.api.acceptance.GuestTranslation.FIRST;
import static io.hypercalld.api.acceptance.GuestTranslation.IOVA;
import static io.hypercalld.api.acceptance.GuestTranslation.PAGE_A;
import static io.hypercalld.api.acceptance.GuestUnit.quoted;
import static io.hypercalld.api.acceptance.NumberedBehaviours.row;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.hypercalld.api.platform.PlatformSource;
import io.hypercalld.api.scenario.DaemonUnderTest;
import io.hypercalld.api.scenario.DaemonUnderTest.Answer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** What a host is to those who test toolstacks against it: spec/documents.md 6, X-4. */
final class ToolstackTestersScenariosTest implements GuestBehaviours.OfTranslation {
  private static final int ENOMEM = -12;
  private static final int ENODEV = -19;
  private static final int ENOSYS = -38;

  /** Two units: one of 16 domain ids and one of 65536 in caching mode, each behind a bridge. */
  private static final String PLATFORM =
      """
      name: by-hand
      hostAddressWidth: 39
      memory: {size: 8GiB, lowTop: 2GiB, dom0: 256MiB}
      units:
        - {base: 0xfed90000, cap: 0x00d2078c106f0600, ecap: 0x20c3, scopes: [{bridge: "0000:00:01.0"}]}
        - {base: 0xfed91000, cap: 0x00d2078c106f0686, ecap: 0x20c3, includeAll: true}
      reservedRegions:
        - {base: 0x7b000000, limit: 0x7b000fff, devices: ["0000:00:14.0"]}
      devices:
        - {address: "0000:00:01.0", vendor: 0x8086, device: 0x6f02, class: 0x060400, buses: {secondary: 1}}
        - {address: "0000:00:14.0", vendor: 0x8086, device: 0x8d31, class: 0x0c0330}
        - {address: "0000:01:00.0", vendor: 0x8086, device: 0x1572, class: 0x020000, msiX: true, sriov: {totalVfs: 4, offset: 16, stride: 1, device: 0x154c}}
      """;

  @Override
  public Stream<Row<GuestTranslation>> rows() {
    return Stream.concat(hosts(), calls());
  }

  private static Stream<Row<GuestTranslation>> hosts() {
    return Stream.of(
        row(
            "X-4 units, ids, caching mode, functions, reserved regions, bridges are what a file"
                + " says",
            g -> {
              try (DaemonUnderTest host = DaemonUnderTest.on(written(PLATFORM))) {
                JsonNode units = host.get("/v1/iommus").body().get("items");
                assertThat(units).hasSize(2);
                assertThat(units.at("/0/capabilities/domainIds").asInt()).isEqualTo(16);
                assertThat(units.at("/1/capabilities/domainIds").asInt()).isEqualTo(65536);
                assertThat(units.at("/0/capabilities/cachingMode").asBoolean()).isFalse();
                assertThat(units.at("/1/capabilities/cachingMode").asBoolean()).isTrue();
                assertThat(host.get("/v1/devices/0000:01:02.3").at("/iommu")).isEqualTo("0");
                assertThat(host.get("/v1/devices/0000:00:14.0").at("/iommu")).isEqualTo("1");
                assertThat(host.get("/v1/devices/0000:00:14.0").at("/reservedRegions/0/base"))
                    .isEqualTo("0x7b000000");
                assertThat(
                        host.post("/v1/domains", quoted("{'memory':'2MiB','vcpus':200}")).status())
                    .isEqualTo(201);
              }
            }),
        row(
            "X-4 many hosts are in one process, and none sees another",
            g -> {
              g.guest("");
              String before = g.daemon().digest();
              for (String name : List.of("one", "two")) {
                String lab = "{'name':'%s','platform':'four-nics'}".formatted(name);
                assertThat(g.daemon().post("/v1/machines", quoted(lab)).status()).isEqualTo(201);
              }
              String one = "/v1/machines/one";
              assertThat(
                      g.daemon()
                          .post(one + "/domains", quoted("{'memory':'2MiB','viommu':{}}"))
                          .status())
                  .isEqualTo(201);
              assertThat(g.daemon().get(one + "/domains/1/viommu").status()).isEqualTo(200);
              assertThat(g.daemon().get("/v1/machines/two/domains/1").status()).isEqualTo(404);
              assertThat(g.daemon().digest()).isEqualTo(before);
              g.daemon().delete(one);
              g.daemon().delete("/v1/machines/two");
            }),
        row(
            "X-4 the guests of 2017, of its last series and of 2026 are side by side on a host",
            g -> {
              GuestUnit u = g.unit();
              u.guest(",'policies':{'viommuApi':'v2'}");
              assertThat(u.op(2, "")).isZero();
              u.guest(",'policies':{'viommuApi':'v3'}");
              assertThat(u.op(0, ",'base_address':'0xfed90000'")).isEqualTo(ENODEV);
              u.guest("");
              assertThat(u.op(2, "")).isEqualTo(ENOSYS);
              u.pausedGuest(",'policies':{'extDestId':'on'}");
              JsonNode guest = g.daemon().get("/v1/domains/" + u.guest()).body();
              assertThat(guest.at("/cpuid/extDestId").asBoolean()).isTrue();
            }),
        row(
            "X-4 the host that a profile names has its defects: of 2017 an index too large, of"
                + " today none",
            g -> {
              for (String profile : List.of("as-shipped", "today", "fixed")) {
                g.unit().begin();
                g.unit().policies("'profile':'%s'".formatted(profile));
                RemappedGuest.remapping(g.unit());
                RemappedGuest.entry(g.unit(), 16, 1, 0x52, 1, 0);
                assertThat(RemappedGuest.send(g.unit(), 16).get("outcome").asText())
                    .isEqualTo(profile.equals("as-shipped") ? "delivered" : "blocked");
              }
            }),
        row(
            "X-4 a snapshot takes the host back, byte by byte, guests' units included",
            g -> {
              g.guest("");
              g.onePage();
              String before = g.daemon().digest();
              Answer taken = g.daemon().post("/_sim/snapshots", quoted("{'name':'cross'}"));
              assertThat(taken.status()).isLessThan(300);
              g.balloonOut(PAGE_A);
              g.unit().write(GuestUnit.GCMD, 4, GuestUnit.QIE);
              assertThat(g.daemon().digest()).isNotEqualTo(before);
              g.daemon().post("/_sim/snapshots/cross/restore", "{}");
              assertThat(g.daemon().digest()).isEqualTo(before);
              assertThat(g.found(FIRST, IOVA)).isEqualTo(0xa);
              assertThat(g.daemon().delete("/_sim/snapshots/cross").status()).isEqualTo(204);
            }),
        row(
            "X-4 the second call fails, and leaves the device and the ids as they were",
            g -> {
              g.guest("");
              Answer set =
                  g.daemon()
                      .post(
                          "/_sim/faults",
                          quoted(
                              "{'id':'nth','match':{'call':'domctl.assign_device'},"
                                  + "'when':{'skip':1,'times':1},'effect':{'errno':'ENOMEM'}}"));
              assertThat(set.status()).isLessThan(300);
              assertThat(assign(g, GuestTranslation.SECOND)).isZero();
              int used = used(g);
              assertThat(assign(g, "0000:03:10.4")).isEqualTo(ENOMEM);
              assertThat(used(g)).isEqualTo(used);
              assertThat(g.daemon().get("/v1/devices/0000:03:10.4").at("/owner")).isEqualTo("0");
              assertThat(assign(g, "0000:03:10.4")).isZero();
              g.daemon().delete("/_sim/faults/nth");
            }),
        row(
            "X-4 a reset is the start again, whatever came before",
            g -> {
              g.daemon().post("/_sim/reset", "{}");
              String start = g.daemon().digest();
              g.guest("");
              g.onePage();
              assertThat(g.daemon().digest()).isNotEqualTo(start);
              assertThat(g.daemon().post("/_sim/reset", "{}").at("/digest")).isEqualTo(start);
              assertThat(g.daemon().digest()).isEqualTo(start);
            }));
  }

  private static PlatformSource written(String platform) throws IOException {
    Path file = Files.createTempFile("platform", ".yaml");
    file.toFile().deleteOnExit();
    Files.writeString(file, platform);
    return PlatformSource.named(file.toString());
  }

  private static Stream<Row<GuestTranslation>> calls() {
    return Stream.of(
        row(
            "X-4 a call that stops half-way says how far it came, and why",
            g -> {
              g.guest("");
              assertThat(reservation(g, "decrease", "'0x1','0x2','0x9000','0x3'")).isEqualTo(2);
              assertThat(reservation(g, "populate", "'0x1','0x2','0x9000','0x3'")).isEqualTo(2);
              JsonNode p2m =
                  g.daemon()
                      .get("/v1/domains/%d/p2m?from=0x1&limit=1".formatted(g.unit().guest()))
                      .body();
              assertThat(p2m.at("/items/0/type").asText()).isEqualTo("ram_rw");
            }),
        row(
            "X-4 a long call goes on step by step, others between, to the same end",
            g -> {
              g.unit().guest("64MiB", "");
              String created = g.daemon().digest();
              g.daemon().post("/_sim/snapshots", quoted("{'name':'created'}"));
              String destroy = "{'domain':%d}".formatted(g.unit().guest());
              g.daemon().hypercall("domctl", "destroydomain", destroy);
              String straight = left(g);
              g.daemon().post("/_sim/snapshots/created/restore", "{}");
              assertThat(g.daemon().digest()).isEqualTo(created);
              g.daemon().post("/_sim/preempt", quoted("{'every':1}"));
              Answer stopped = g.daemon().hypercall("domctl", "destroydomain", destroy);
              assertThat(stopped.at("/errno")).isEqualTo("ERESTART");
              String rest = "/_sim/continuations/" + waiting(g);
              int steps = 0;
              while (stopped.status() == 503) {
                assertThat(g.daemon().hypercall("domctl", "getdomaininfo", "{'domain':0}").status())
                    .isEqualTo(200);
                stopped = g.daemon().post(rest, "");
                steps++;
              }
              g.daemon().post("/_sim/preempt", quoted("{'every':0}"));
              assertThat(stopped.at("/ret")).isEqualTo("0");
              assertThat(steps).isGreaterThan(1);
              assertThat(left(g)).isEqualTo(straight);
              g.daemon().delete("/_sim/snapshots/created");
            }),
        row(
            "X-4 each call has events, and a difference of states that names what changed",
            g -> {
              g.unit().guest("");
              g.daemon().post("/_sim/snapshots", quoted("{'name':'before'}"));
              int events = g.daemon().events("device.assigned").size();
              g.assign(FIRST, "00:04.0");
              g.daemon().post("/_sim/snapshots", quoted("{'name':'after'}"));
              JsonNode changes =
                  g.daemon().get("/_sim/diff?from=before&to=after").body().get("changes");
              assertThat(changes.findValuesAsText("resource"))
                  .contains("/v1/domains/" + g.unit().guest(), "/v1/devices/" + FIRST);
              assertThat(g.daemon().events("device.assigned")).hasSize(events + 1);
              for (String name : List.of("before", "after")) {
                assertThat(g.daemon().delete("/_sim/snapshots/" + name).status()).isEqualTo(204);
              }
            }));
  }

  /** What there is of domains and of memory in use; calls are counted, so digests differ. */
  private static String left(GuestTranslation g) {
    return g.daemon().get("/v1/domains").body().at("/items").toString()
        + g.daemon().get("/v1/machine").body().at("/frames");
  }

  private static String waiting(GuestTranslation g) {
    return g.daemon().get("/_sim/continuations").body().at("/items/0/number").asText();
  }

  private static long reservation(GuestTranslation g, String way, String frames) {
    return g.unit()
        .xen()
        .ret(
            "memory_op",
            way.equals("decrease") ? "decrease_reservation" : "populate_physmap",
            "{'domid':%d,'extent_start':[%s],'extent_order':0}"
                .formatted(g.unit().guest(), frames));
  }

  private static long assign(GuestTranslation g, String sbdf) {
    return g.unit()
        .xen()
        .ret(
            "domctl",
            "assign_device",
            "{'domain':%d,'machine_sbdf':'%s'}".formatted(g.unit().guest(), sbdf));
  }

  /** Domain-ids of the unit that are in use. */
  private static int used(GuestTranslation g) {
    return g.daemon().get("/v1/iommus/0").body().at("/domainIds/used").asInt();
  }
}
