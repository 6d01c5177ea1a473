package io.hypercalld.api.acceptance;

import static io.hypercalld.api.acceptance.GuestUnit.quoted;
import static io.hypercalld.api.acceptance.NumberedBehaviours.row;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.hypercalld.api.scenario.DaemonUnderTest.Answer;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** How one vCPU starts others: INIT and start-up through their APIC ids (S1-D14, 2.4 rows 1, 2). */
final class ManyVcpusStartAcceptanceTest implements GuestBehaviours.OfUnit {
  private static final long INIT = 0x4500;
  private static final long START_UP = 0x4600;
  private static final long OTHERS = 0xc_0000;

  @Override
  public Stream<Row<GuestUnit>> rows() {
    return Stream.concat(steps(), boots());
  }

  private static Stream<Row<GuestUnit>> steps() {
    return Stream.of(
        row(
            "INIT stops a vCPU, which then takes no vectors, and a start-up starts it at its page",
            u -> {
              u.guest(",'vcpus':4");
              assertThat(online(u)).isEqualTo(1);
              assertThat(ipi(u, 1L << 57 | 0x4051)).isEqualTo("[1]");
              assertThat(ipi(u, 1L << 57 | INIT)).isEqualTo("[1]");
              assertThat(apic(u, 1).get("waiting").asBoolean()).isTrue();
              assertThat(apic(u, 1).get("irr")).isEmpty();
              assertThat(ipi(u, 1L << 57 | 0x4052)).isEqualTo("[]");
              assertThat(apic(u, 1).get("startAddress").isNull()).isTrue();
              assertThat(ipi(u, 1L << 57 | START_UP | 0x9f)).isEqualTo("[1]");
              assertThat(apic(u, 1).get("waiting").asBoolean()).isFalse();
              assertThat(apic(u, 1).get("startAddress").asText()).isEqualTo("0x9f000");
              assertThat(online(u)).isEqualTo(2);
              assertThat(ipi(u, 1L << 57 | 0x4053)).isEqualTo("[1]");
            }),
        row(
            "a second start-up, and one without INIT, are ignored",
            u -> {
              u.guest(",'vcpus':4");
              assertThat(ipi(u, 1L << 57 | START_UP | 8)).isEqualTo("[]");
              ipi(u, 1L << 57 | INIT);
              assertThat(ipi(u, 1L << 57 | START_UP | 8)).isEqualTo("[1]");
              assertThat(ipi(u, 1L << 57 | START_UP | 9)).isEqualTo("[]");
              assertThat(apic(u, 1).get("startAddress").asText()).isEqualTo("0x8000");
            }),
        row(
            "INIT keeps x2APIC mode and forgets the rest",
            u -> {
              u.guest(",'vcpus':4");
              put(u, 1, "{'mode':'x2apic','taskPriority':'0x20'}");
              ipi(u, 1L << 57 | INIT);
              assertThat(apic(u, 1).get("mode").asText()).isEqualTo("x2apic");
              assertThat(apic(u, 1).get("taskPriority").asText()).isEqualTo("0x0");
            }));
  }

  private static Stream<Row<GuestUnit>> boots() {
    return Stream.of(
        row(
            "1 firmware starts 287 vCPUs by one INIT and one start-up to all others",
            u -> {
              u.guest(",'vcpus':288,'policies':{'intremap':'on'}");
              assertThat(taken(u, OTHERS | INIT)).hasSize(287).doesNotContain(0);
              assertThat(online(u)).isEqualTo(1);
              assertThat(taken(u, OTHERS | START_UP | 8)).hasSize(287).doesNotContain(0);
              assertThat(online(u)).isEqualTo(288);
            }),
        row(
            "1 in x2APIC mode the guest starts each by its own id, as many as the model says",
            u -> {
              u.guest(",'vcpus':288,'policies':{'intremap':'on'}");
              put(u, 0, "{'mode':'x2apic'}");
              ipi(u, OTHERS | INIT);
              for (long vcpu = 1; vcpu < 288; vcpu++) {
                assertThat(taken(u, (2 * vcpu) << 32 | START_UP | 8)).containsExactly((int) vcpu);
              }
              assertThat(online(u)).isEqualTo(boot(u, "linux-2016").get("online").asInt());
            }),
        row(
            "2 in xAPIC mode INIT for APIC id 0x100 stops vCPU 0, where the model has it fail",
            u -> {
              u.guest(",'vcpus':288");
              assertThat(boot(u, "windows-8").get("stopsAt").asText())
                  .startsWith("start-processors: INIT does not reach APIC id 0x100 of vCPU 128")
                  .contains("arrives as 0x0, which is vCPU 0");
              assertThat(taken(u, 0x100L << 56 | INIT)).containsExactly(0);
              assertThat(apic(u, 0).get("waiting").asBoolean()).isTrue();
              assertThat(online(u)).isZero();
            }),
        row(
            "1 without remapping as many start by 8 bits of id as the model says, and no more",
            u -> {
              u.guest(",'vcpus':288");
              ipi(u, OTHERS | INIT);
              int started = 1;
              for (long vcpu = 1; vcpu < 128; vcpu++) {
                started += taken(u, (2 * vcpu) << 56 | START_UP | 8).size();
              }
              assertThat(started).isEqualTo(128).isEqualTo(online(u));
              assertThat(boot(u, "linux-2016").get("online").asInt()).isEqualTo(128);
            }));
  }

  private static JsonNode boot(GuestUnit u, String guest) {
    for (JsonNode boot :
        u.daemon()
            .get("/v1/domains/%d/interrupt-reachability".formatted(u.guest()))
            .body()
            .get("boot")) {
      if (boot.get("guest").asText().equals(guest)) {
        return boot;
      }
    }
    throw new AssertionError(guest);
  }

  private static long online(GuestUnit u) {
    return u.xen()
        .done("domctl", "getdomaininfo", "{'domain':%d}".formatted(u.guest()))
        .get("nr_online_vcpus")
        .asLong();
  }

  private static JsonNode apic(GuestUnit u, int vcpu) {
    return u.daemon()
        .get("/v1/domains/%d/vcpus/%d/interrupts".formatted(u.guest(), vcpu))
        .body()
        .get("apic");
  }

  private static void put(GuestUnit u, int vcpu, String setting) {
    String place = "/v1/domains/%d/vcpus/%d/apic".formatted(u.guest(), vcpu);
    assertThat(u.daemon().put(place, quoted(setting)).status()).isEqualTo(200);
  }

  private static String ipi(GuestUnit u, long icr) {
    return sent(u, icr).toString();
  }

  private static List<Integer> taken(GuestUnit u, long icr) {
    List<Integer> taken = new ArrayList<>();
    sent(u, icr).forEach(vcpu -> taken.add(vcpu.asInt()));
    return taken;
  }

  private static JsonNode sent(GuestUnit u, long icr) {
    Answer answer =
        u.daemon()
            .post(
                "/v1/domains/%d/vcpus/0/ipi".formatted(u.guest()),
                quoted("{'icr':'0x%x'}".formatted(icr)));
    assertThat(answer.status()).as("%s", answer.body()).isEqualTo(200);
    return answer.body().get("vcpus");
  }
}
