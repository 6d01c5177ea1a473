package io.hypercalld.api.acceptance;

import static io.hypercalld.api.acceptance.GuestUnit.quoted;
import static io.hypercalld.api.acceptance.NumberedBehaviours.row;
import static io.hypercalld.api.acceptance.RemappedGuest.enable;
import static io.hypercalld.api.acceptance.RemappedGuest.entry;
import static io.hypercalld.api.acceptance.RemappedGuest.serve;
import static io.hypercalld.api.acceptance.RemappedGuest.waiting;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.hypercalld.api.scenario.DaemonUnderTest.Answer;
import java.util.stream.Stream;

/** Messages of physical devices on their way through the guest's own unit (S1-D12, S1-D13). */
final class ViommuPassthroughInterruptAcceptanceTest implements GuestBehaviours.OfUnit {
  private static final String VF = "0000:03:10.0";
  private static final int EINVAL = -22;

  /** Where the guest sees the function: 00:04.0. */
  private static final long SEEN = 0x20;

  private static final long P = 1;

  /** Names entry 5. */
  private static final long REMAPPABLE = 0xfee0_0010L | 5 << 5;

  @Override
  public void begin(GuestUnit host) {
    GuestBehaviours.OfUnit.super.begin(host);
    host.policies("'intpost':'off'");
  }

  @Override
  public Stream<Row<GuestUnit>> rows() {
    return Stream.of(bound(), wires(), rederived(), extended()).flatMap(rows -> rows);
  }

  /** A guest of 288 vCPUs that has the function and remaps interrupts; its interrupt's number. */
  private static int guest(GuestUnit u) {
    u.guest(",'vcpus':288,'policies':{'intremap':'on'}");
    enable(u, 5);
    return assigned(u);
  }

  private static int assigned(GuestUnit u) {
    Answer placed =
        u.daemon()
            .put(
                "/v1/devices/" + VF + "/assignment",
                quoted("{'domain':%d,'guestBdf':'00:04.0'}".formatted(u.guest())));
    assertThat(placed.status()).as("%s", placed.body()).isEqualTo(200);
    return u.xen()
        .done(
            "physdev_op",
            "map_pirq",
            "{'domid':%d,'type':0,'bus':3,'devfn':128,'index':-1,'pirq':-1}".formatted(u.guest()))
        .get("pirq")
        .asInt();
  }

  private static void bind(GuestUnit u, int pirq, long address, int data) {
    u.xen()
        .done(
            "domctl",
            "bind_pt_irq",
            ("{'domain':%d,'machine_irq':%d,'irq_type':2,'u':{'msi':{'gflags':65536,"
                    + "'addr':'0x%x','data':'0x%x'}}}")
                .formatted(u.guest(), pirq, address, data));
  }

  private static JsonNode send(GuestUnit u) {
    JsonNode message = u.daemon().get("/v1/devices/" + VF + "/msi").body().get("items").get(0);
    Answer answer =
        u.daemon()
            .post(
                "/v1/devices/" + VF + "/msi",
                "{\"address\":%s,\"data\":%s}"
                    .formatted(message.get("address"), message.get("data")));
    assertThat(answer.status()).as("%s", answer.body()).isEqualTo(200);
    return answer.body();
  }

  private static JsonNode explain(GuestUnit u) {
    JsonNode message = u.daemon().get("/v1/devices/" + VF + "/msi").body().get("items").get(0);
    Answer answer =
        u.daemon()
            .get(
                "/v1/explain/interrupt?sbdf=%s&address=%s&data=%s"
                    .formatted(VF, message.get("address").asText(), message.get("data").asText()));
    assertThat(answer.status()).as("%s", answer.body()).isEqualTo(200);
    return answer.body();
  }

  private static String tables(JsonNode explanation) {
    StringBuilder tables = new StringBuilder();
    explanation.get("steps").forEach(step -> tables.append(step.get("table").asText()).append(' '));
    return tables.toString();
  }

  private static JsonNode pirq(GuestUnit u) {
    return u.daemon().get("/v1/domains/%d/pirqs".formatted(u.guest())).body().get("items").get(0);
  }

  private static Stream<Row<GuestUnit>> bound() {
    return Stream.of(
        row(
            "a message as the guest wrote it goes through the guest's entry to vCPU 287",
            u -> {
              int pirq = guest(u);
              entry(u, 5, 287, 0x51, P, SEEN);
              bind(u, pirq, REMAPPABLE, 0);
              assertThat(pirq(u).get("vector").asInt()).isEqualTo(0x51);
              assertThat(pirq(u).get("vcpu").asInt()).isEqualTo(287);
              JsonNode sent = send(u);
              assertThat(sent.get("vcpu").asInt()).isEqualTo(287);
              assertThat(sent.get("vector").asInt()).isEqualTo(0x51);
              assertThat(waiting(u, 287)).isEqualTo("[81]");
              assertThat(u.faults()).isEmpty();
            }),
        row(
            "an entry of another requester's blocks it, and the guest's log names the function",
            u -> {
              int pirq = guest(u);
              entry(u, 5, 1, 0x51, P, SEEN + 8);
              bind(u, pirq, REMAPPABLE, 0);
              JsonNode sent = send(u);
              assertThat(sent.at("/reached/0/vcpus")).isEmpty();
              assertThat(u.faults().get(0).get("reason").asText()).isEqualTo("0x26");
              assertThat(u.faults().get(0).get("sbdf").asText()).isEqualTo("0000:00:04.0");
              assertThat(u.faults().get(0).get("interruptIndex").asInt()).isEqualTo(5);
            }),
        row(
            "of compatibility format it is blocked once remapping is on, as shipped it is not",
            u -> {
              int pirq = guest(u);
              bind(u, pirq, 0xfee0_2000L, 0x41);
              assertThat(send(u).at("/reached/0/vcpus")).isEmpty();
              assertThat(u.faults().get(0).get("reason").asText()).isEqualTo("0x25");
              u.begin();
              u.policies("'profile':'as-shipped'");
              pirq = guest(u);
              bind(u, pirq, 0xfee0_2000L, 0x41);
              assertThat(send(u).get("vcpu").asInt()).isEqualTo(1);
            }),
        row(
            "an explanation goes through both units, and says what would let it pass",
            u -> {
              int pirq = guest(u);
              entry(u, 5, 287, 0x51, P, SEEN);
              bind(u, pirq, REMAPPABLE, 0);
              String digest = u.daemon().digest();
              JsonNode passing = explain(u);
              assertThat(tables(passing))
                  .isEqualTo("topology message register interrupt-cache interrupt ".repeat(2));
              assertThat(passing.at("/steps/5/note").asText())
                  .isEqualTo(
                      "d%d's own unit, by guest-physical addresses: the guest wrote 0x0 to"
                              .formatted(u.guest())
                          + " 0xfee000b0");
              assertThat(passing.at("/steps/9/address").asText()).isEqualTo("0x20050");
              assertThat(passing.get("reason").isNull()).isTrue();
              entry(u, 5, 287, 0x51, 0, SEEN);
              JsonNode blocked = explain(u);
              assertThat(blocked.get("reason").asText()).isEqualTo("0x22");
              assertThat(u.faults()).isEmpty();
              entry(u, 5, 287, 0x51, P, SEEN);
              assertThat(u.daemon().digest()).isEqualTo(digest);
            }),
        row(
            "an address without data is no message, and data have 32 bits",
            u -> {
              int pirq = guest(u);
              String call =
                  "{'domain':%d,'machine_irq':%d,'irq_type':2,'u':{'msi':{'addr':'0xfee00000'%s}}}";
              assertThat(u.xen().ret("domctl", "bind_pt_irq", call.formatted(u.guest(), pirq, "")))
                  .isEqualTo(EINVAL);
              assertThat(
                      u.xen()
                          .ret(
                              "domctl",
                              "bind_pt_irq",
                              call.formatted(u.guest(), pirq, ",'data':'0x100000000'")))
                  .isEqualTo(EINVAL);
            }),
        row(
            "without remapping a message says itself where it goes",
            u -> {
              u.guest(",'vcpus':2");
              int pirq = assigned(u);
              bind(u, pirq, 0xfee0_2000L, 0x41);
              assertThat(send(u).get("vcpu").asInt()).isEqualTo(1);
              assertThat(waiting(u, 1)).isEqualTo("[65]");
            }));
  }

  private static Stream<Row<GuestUnit>> wires() {
    return Stream.of(
        row(
            "6 a wire of the machine's goes through the guest's entry, and its end lowers it",
            u -> {
              u.guest(",'vcpus':288,'policies':{'intremap':'on'}");
              enable(u, 5);
              int pirq =
                  u.xen()
                      .done(
                          "physdev_op",
                          "map_pirq",
                          "{'domid':%d,'type':1,'index':17}".formatted(u.guest()))
                      .get("pirq")
                      .asInt();
              u.xen()
                  .done(
                      "domctl",
                      "bind_pt_irq",
                      "{'domain':%d,'machine_irq':%d,'irq_type':0,'u':{'pci':{'device':4,'intx':0}}}"
                          .formatted(u.guest(), pirq));
              entry(u, 9, 287, 0x71, P | 1 << 4, 0xff00);
              // Device 4's INTA# is pin 32: level triggered, index 9.
              RemappedGuest.pin(u, 32, 0x33 | 1 << 15 | 1L << 48 | 9L << 49);
              assertThat(u.daemon().post("/v1/machine/gsis/17", "").status()).isEqualTo(200);
              assertThat(waiting(u, 287)).isEqualTo("[113]");
              assertThat(asserted(u)).contains("{\"gsi\":32,\"asserting\":1}");
              serve(u, 287, "acknowledge");
              serve(u, 287, "end");
              assertThat(asserted(u)).isEqualTo("[]");
              assertThat(waiting(u, 287)).isEqualTo("[]");
            }));
  }

  private static String asserted(GuestUnit u) {
    return u.daemon()
        .get("/v1/domains/%d/interrupt-lines".formatted(u.guest()))
        .body()
        .get("gsis")
        .toString();
  }

  private static Stream<Row<GuestUnit>> rederived() {
    return Stream.of(
        row(
            "a changed entry takes effect when the guest has it forgotten, not before",
            u -> {
              int pirq = guest(u);
              entry(u, 5, 1, 0x51, P, SEEN);
              bind(u, pirq, REMAPPABLE, 0);
              send(u);
              serve(u, 1, "acknowledge");
              serve(u, 1, "end");
              entry(u, 5, 287, 0x52, P, SEEN);
              assertThat(send(u).get("vcpu").asInt()).isEqualTo(1);
              forget(u, 5, 0);
              assertThat(pirq(u).get("vcpu").asInt()).isEqualTo(287);
              assertThat(send(u).get("vcpu").asInt()).isEqualTo(287);
              assertThat(waiting(u, 287)).isEqualTo("[82]");
            }),
        row(
            "what is posted is posted to the new vCPU with the new vector",
            u -> {
              u.policies("'intpost':'on'");
              int pirq = guest(u);
              entry(u, 5, 1, 0x51, P, SEEN);
              bind(u, pirq, REMAPPABLE, 0);
              assertThat(pirq(u).get("posted").asBoolean()).isTrue();
              assertThat(send(u).get("outcome").asText()).isEqualTo("posted");
              assertThat(waiting(u, 1)).isEqualTo("[81]");
              entry(u, 5, 287, 0x52, P, SEEN);
              forget(u, 6, 0);
              assertThat(pirq(u).get("vcpu").asInt()).isEqualTo(1);
              // 4 to 7: two bits of the index do not count.
              forget(u, 4, 2);
              assertThat(pirq(u).get("vcpu").asInt()).isEqualTo(287);
              JsonNode sent = send(u);
              assertThat(sent.get("outcome").asText()).isEqualTo("posted");
              assertThat(sent.get("vcpu").asInt()).isEqualTo(287);
              assertThat(waiting(u, 287)).isEqualTo("[82]");
            }),
        row(
            "what was posted goes through the hypervisor once its entry is gone, and is recorded",
            u -> {
              u.policies("'intpost':'on'");
              int pirq = guest(u);
              entry(u, 5, 1, 0x51, P, SEEN);
              bind(u, pirq, REMAPPABLE, 0);
              entry(u, 5, 1, 0x51, 0, SEEN);
              u.submit(0x4, 0);
              assertThat(pirq(u).get("posted").asBoolean()).isFalse();
              assertThat(pirq(u).get("vector").isNull()).isTrue();
              assertThat(send(u).get("outcome").asText()).isEqualTo("delivered");
              assertThat(u.faults().get(0).get("reason").asText()).isEqualTo("0x22");
            }),
        row(
            "switching remapping off has messages say themselves where they go",
            u -> {
              int pirq = guest(u);
              entry(u, 5, 287, 0x51, P, SEEN);
              bind(u, pirq, REMAPPABLE, 0x41);
              assertThat(pirq(u).get("vcpu").asInt()).isEqualTo(287);
              u.write(GuestUnit.GCMD, 4, GuestUnit.QIE);
              // As compatibility format: destination 0, vector 0x41.
              assertThat(pirq(u).get("vcpu").asInt()).isZero();
              assertThat(pirq(u).get("vector").asInt()).isEqualTo(0x41);
            }));
  }

  /** Has entries forgotten whose index is the same but for some low bits. */
  private static void forget(GuestUnit u, int index, int ignoredBits) {
    u.submit(0x4 | 1 << 4 | (long) ignoredBits << 27 | (long) index << 32, 0);
  }

  private static Stream<Row<GuestUnit>> extended() {
    return Stream.of(
        row(
            "bind_pt_msi_irq carries 15 bits of destination where bind_pt_irq has 8",
            u -> {
              u.guest(",'vcpus':288,'policies':{'extDestId':'on'}");
              int pirq = assigned(u);
              String message = "'machine_irq':%d,'addr':'0x%x','data':'0x51','unmasked':1}";
              u.xen()
                  .done(
                      "dm_op",
                      "bind_pt_msi_irq",
                      ("{'domid':%d," + message)
                          .formatted(u.guest(), pirq, 0xfee0_0000L | 0x3e << 12 | 2 << 5));
              assertThat(send(u).get("vcpu").asInt()).isEqualTo(287);
              assertThat(waiting(u, 287)).isEqualTo("[81]");
              u.xen()
                  .done(
                      "domctl",
                      "bind_pt_irq",
                      "{'domain':%d,'machine_irq':%d,'irq_type':2,'u':{'msi':{'gvec':82,'gflags':62}}}"
                          .formatted(u.guest(), pirq));
              assertThat(send(u).get("vcpu").asInt()).isEqualTo(31);
              String unbind = "{'domid':%d,'machine_irq':%d}";
              u.xen().done("dm_op", "unbind_pt_msi_irq", unbind.formatted(u.guest(), pirq));
              assertThat(pirq(u).get("binding").isNull()).isTrue();
              assertThat(
                      u.xen().ret("dm_op", "unbind_pt_msi_irq", unbind.formatted(u.guest(), 999)))
                  .isEqualTo(-1);
              assertThat(u.xen().ret("dm_op", "unbind_pt_msi_irq", unbind.formatted(0, pirq)))
                  .isEqualTo(-1);
              assertThat(u.xen().ret("dm_op", "unbind_pt_msi_irq", unbind.formatted(99, pirq)))
                  .isEqualTo(-3);
            }));
  }
}
