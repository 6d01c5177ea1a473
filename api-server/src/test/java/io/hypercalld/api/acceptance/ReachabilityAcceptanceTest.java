package io.hypercalld.api.acceptance;

import static io.hypercalld.api.acceptance.GuestUnit.quoted;
import static io.hypercalld.api.acceptance.NumberedBehaviours.row;
import static io.hypercalld.api.acceptance.RemappedGuest.enable;
import static io.hypercalld.api.acceptance.RemappedGuest.entry;
import static io.hypercalld.api.acceptance.RemappedGuest.send;
import static io.hypercalld.api.acceptance.RemappedGuest.waiting;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.hypercalld.api.scenario.DaemonUnderTest.Answer;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** Which interrupts reach which of 288 vCPUs, and how far guests boot (S1, 2.4 rows 1 to 3). */
final class ReachabilityAcceptanceTest implements GuestBehaviours.OfUnit {
  private static final int VCPUS = 288;
  private static final List<Integer> SAMPLES = List.of(0, 1, 31, 127, 128, 254, 255, 256, 287);

  @Override
  public Stream<Row<GuestUnit>> rows() {
    return Stream.of(boots(), maps(), deliveries()).flatMap(rows -> rows);
  }

  private static void guest(GuestUnit u, String policies) {
    u.guest(",'vcpus':%d,'policies':{%s}".formatted(VCPUS, policies));
  }

  private static JsonNode reach(GuestUnit u, String query) {
    Answer answer =
        u.daemon().get("/v1/domains/%d/interrupt-reachability%s".formatted(u.guest(), query));
    assertThat(answer.status()).as("%s", answer.body()).isEqualTo(200);
    return answer.body();
  }

  private static JsonNode boot(GuestUnit u, String guest) {
    for (JsonNode boot : reach(u, "").get("boot")) {
      if (boot.get("guest").asText().equals(guest)) {
        return boot;
      }
    }
    throw new AssertionError(guest);
  }

  private static List<Integer> numbers(JsonNode list) {
    return IntStream.range(0, list.size()).map(at -> list.get(at).asInt()).boxed().toList();
  }

  private static List<Integer> from(int first) {
    return IntStream.range(first, VCPUS).boxed().toList();
  }

  private static Stream<Row<GuestUnit>> boots() {
    return Stream.of(
        row(
            "1 Linux of 2016 without remapping leaves x2APIC mode and what is beyond APIC id 254",
            u -> {
              guest(u, "");
              JsonNode boot = boot(u, "linux-2016");
              assertThat(boot.get("apicMode").asText()).isEqualTo("xapic");
              assertThat(boot.get("online").asInt()).isEqualTo(128);
              assertThat(numbers(boot.get("notStarted"))).isEqualTo(from(128));
              assertThat(boot.get("stopsAt").asText())
                  .isEqualTo(
                      "x2apic: switched off, as APIC ids go up to 0x23e and nothing remaps"
                          + " interrupts");
              guest(u, "'apicIds':'n'");
              assertThat(numbers(boot(u, "linux-2016").get("notStarted"))).isEqualTo(from(255));
            }),
        row(
            "1 with remapping all 288 are online, whichever guest it is",
            u -> {
              guest(u, "'intremap':'on'");
              for (String guest : List.of("linux-2016", "linux-2020", "windows-8")) {
                JsonNode boot = boot(u, guest);
                assertThat(boot.get("apicMode").asText()).isEqualTo("x2apic");
                assertThat(boot.get("online").asInt()).isEqualTo(VCPUS);
                assertThat(boot.get("stopsAt").isNull()).isTrue();
                assertThat(boot.get("boots").asBoolean()).isTrue();
              }
            }),
        row(
            "2 Windows 8 without remapping crashes where INIT reaches another processor",
            u -> {
              guest(u, "");
              JsonNode boot = boot(u, "windows-8");
              assertThat(boot.get("boots").asBoolean()).isFalse();
              assertThat(boot.get("stopsAt").asText())
                  .isEqualTo(
                      "start-processors: INIT does not reach APIC id 0x100 of vCPU 128 (ipi,"
                          + " xapic: APIC id 0x100 arrives as 0x0, which is vCPU 0)");
              u.guest(",'vcpus':128");
              assertThat(boot(u, "windows-8").get("boots").asBoolean()).isTrue();
            }),
        row(
            "Linux of 2020 stays in x2APIC mode with what messages reach",
            u -> {
              guest(u, "");
              assertThat(boot(u, "linux-2020").get("apicMode").asText()).isEqualTo("x2apic");
              assertThat(boot(u, "linux-2020").get("online").asInt()).isEqualTo(128);
              assertThat(boot(u, "linux-2020").get("stopsAt").asText()).startsWith("enumerate: ");
              guest(u, "'apicIds':'n'");
              assertThat(boot(u, "linux-2020").get("online").asInt()).isEqualTo(256);
              guest(u, "'extDestId':'on'");
              assertThat(boot(u, "linux-2020").get("online").asInt()).isEqualTo(VCPUS);
              assertThat(boot(u, "linux-2016").get("online").asInt()).isEqualTo(128);
            }));
  }

  private static Stream<Row<GuestUnit>> maps() {
    return Stream.of(
        row(
            "without remapping 160 are out of reach, or 32",
            u -> {
              guest(u, "");
              assertThat(numbers(reach(u, "").get("unreachableVcpus"))).isEqualTo(from(128));
              assertThat(reach(u, "").at("/reasons/128").toString())
                  .contains(
                      "io-apic, compatibility: APIC id 0x100 arrives as 0x0, which is vCPU 0");
              guest(u, "'apicIds':'n'");
              assertThat(numbers(reach(u, "").get("unreachableVcpus"))).isEqualTo(from(256));
            }),
        row(
            "in xAPIC mode APIC id 255 is everybody",
            u -> {
              guest(u, "'apicIds':'n'");
              JsonNode xapic = reach(u, "?apicMode=xapic");
              assertThat(numbers(xapic.get("unreachableVcpus"))).isEqualTo(from(255));
              assertThat(xapic.at("/reasons/255").toString())
                  .contains("APIC id 0xff arrives as 0xff, which is 256 vCPUs");
            }),
        row(
            "remapping and extended destinations reach everybody, one without the other",
            u -> {
              guest(u, "'intremap':'on'");
              assertThat(reach(u, "").get("unreachableVcpus")).isEmpty();
              guest(u, "'extDestId':'on'");
              assertThat(reach(u, "").get("unreachableVcpus")).isEmpty();
            }),
        row(
            "once remapping is on without 32-bit destinations only 8 bits are left",
            u -> {
              guest(u, "'intremap':'on'");
              u.enableQueue();
              u.write(GuestUnit.IRTA, 8, GuestUnit.INTERRUPTS | 3);
              u.command(GuestUnit.SIRTP);
              u.command(GuestUnit.IRE);
              assertThat(numbers(reach(u, "").get("unreachableVcpus"))).isEqualTo(from(128));
              assertThat(reach(u, "").at("/reasons/128").toString())
                  .contains("interrupt remapping is on and blocks compatibility format");
            }),
        row(
            "a PV domain has no local APICs",
            u -> {
              int pv = u.tryGuest("'type':'pv','memory':'2MiB'").body().get("domid").asInt();
              assertThat(
                      u.daemon()
                          .get("/v1/domains/%d/interrupt-reachability".formatted(pv))
                          .at("/errno"))
                  .isEqualTo("EOPNOTSUPP");
            }));
  }

  private static Stream<Row<GuestUnit>> deliveries() {
    return Stream.of(
        row(
            "3 entry 40 leads to vCPU 287 with vector 0x51, and to nobody else",
            u -> {
              guest(u, "'intremap':'on'");
              enable(u, 5);
              entry(u, 40, 287, 0x51, 1, RemappedGuest.REQUESTER);
              JsonNode sent = send(u, 40);
              assertThat(sent.get("outcome").asText()).isEqualTo("delivered");
              assertThat(sent.get("vcpus").toString()).isEqualTo("[287]");
              assertThat(waiting(u, 287)).isEqualTo("[81]");
              for (int vcpu = 0; vcpu < 287; vcpu++) {
                assertThat(waiting(u, vcpu)).isEqualTo("[]");
              }
            }),
        row("what the map says messages do, with ids of 2n", u -> agrees(u, "", 2)),
        row("what the map says messages do, with ids of n", u -> agrees(u, "'apicIds':'n'", 1)),
        row(
            "what the map says messages do, with extended destinations",
            u -> agrees(u, "'extDestId':'on'", 2)),
        row(
            "an interrupt between vCPUs has as much of the destination as the sender's mode",
            u -> {
              guest(u, "");
              assertThat(ipi(u, 0, 0x3e00_0000_0000_4051L)).isEqualTo("[31]");
              mode(u, 0);
              assertThat(ipi(u, 0, 0x0000_023e_0000_4051L)).isEqualTo("[287]");
              assertThat(ipi(u, 0, 0x0004_4051L)).isEqualTo("[0]");
              assertThat(waiting(u, 287)).isEqualTo("[81]");
            }));
  }

  /** Aims a message at each sample, as well as the format can: it arrives where the map says. */
  private static void agrees(GuestUnit u, String policies, int stride) {
    guest(u, policies);
    IntStream.range(0, VCPUS).forEach(vcpu -> mode(u, vcpu));
    boolean extended = policies.contains("extDestId");
    List<Integer> unreachable = numbers(reach(u, "").get("unreachableVcpus"));
    for (int vcpu : SAMPLES) {
      int id = stride * vcpu;
      long bits = (long) (id & 0xff) << 12 | (extended ? (long) (id >> 8) << 5 : 0);
      int vector = 0x40 + SAMPLES.indexOf(vcpu);
      u.xen()
          .done(
              "dm_op",
              "inject_msi",
              "{'domid':%d,'data':'0x%x','addr':'0x%x'}"
                  .formatted(u.guest(), vector, 0xfee0_0000L | bits));
      assertThat(waiting(u, vcpu).contains(Integer.toString(vector)))
          .as("vCPU %d", vcpu)
          .isEqualTo(!unreachable.contains(vcpu));
    }
  }

  private static void mode(GuestUnit u, int vcpu) {
    u.daemon()
        .put(
            "/v1/domains/%d/vcpus/%d/apic".formatted(u.guest(), vcpu), quoted("{'mode':'x2apic'}"));
  }

  private static String ipi(GuestUnit u, int vcpu, long icr) {
    Answer answer =
        u.daemon()
            .post(
                "/v1/domains/%d/vcpus/%d/ipi".formatted(u.guest(), vcpu),
                quoted("{'icr':'0x%x'}".formatted(icr)));
    assertThat(answer.status()).as("%s", answer.body()).isEqualTo(200);
    return answer.body().get("vcpus").toString();
  }
}
