package io.hypercalld.api.acceptance;

import static io.hypercalld.api.acceptance.AssignmentHost.EFAULT;
import static io.hypercalld.api.acceptance.AssignmentHost.EINVAL;
import static io.hypercalld.api.acceptance.NumberedBehaviours.row;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.hypercalld.api.scenario.DaemonUnderTest.Answer;
import java.util.HexFormat;
import java.util.stream.Stream;

/**
 * B129, B130, and spec/vtd.md 6: remapping entries that run out, timers that send messages,
 * interrupts that follow their vCPUs, and guests that mask messages or map pins by themselves.
 */
final class InterruptAcceptanceTest implements AssignmentBehaviours {
  private static final String VF = "0000:03:10.0";
  private static final String FORGER = "0000:03:10.2";
  private static final int IRTA = 0xb8;
  private static final int ENTRY_BYTES = 16;
  private static final int ENTRIES = 65_536;
  private static final String TIMER = "/_sim/hpets/0/comparators/2";
  private static final int TIMER_UNIT = 3;

  @Override
  public AssignmentHost start() {
    return AssignmentHost.on("two-socket");
  }

  @Override
  public Stream<Row<AssignmentHost>> rows() {
    return Stream.of(tables(), processors(), guests()).flatMap(rows -> rows);
  }

  private static Stream<Row<AssignmentHost>> tables() {
    return Stream.of(
        row(
            "B130 a full table is EFAULT, and so is one without 32 entries in a row",
            InterruptAcceptanceTest::full),
        row(
            "B129 a guest's function that forges another's message is blocked",
            h -> {
              int victim = guest(h);
              bind(h, victim, map(h, victim, ""), 0x41, "");
              int forger = h.guest();
              h.given(forger, FORGER);
              JsonNode message = message(h);

              Answer forged = sendFrom(h, FORGER, message);

              assertThat(outcome(forged)).isEqualTo("blocked");
              assertThat(forged.at("/fault/reason")).isEqualTo("0x26");
              assertThat(outcome(send(h))).isEqualTo("delivered");
            }),
        row(
            "- a timer's message goes through an entry for its requester, and moves with it",
            h -> {
              JsonNode hpet = h.items("/v1/hpets").get(0);
              assertThat(hpet.get("iommu").asInt()).isEqualTo(TIMER_UNIT);
              assertThat(hpet.get("requester").asText()).isEqualTo("f0:0f.0");
              assertThat(outcome(h.daemon().post(TIMER, ""))).isEqualTo("blocked");

              JsonNode timer = direct(h, "{\"processor\":3}").at("/items/0/timers/0");
              Answer expired = h.daemon().post(TIMER, "");

              assertThat(outcome(expired)).isEqualTo("delivered");
              assertThat(expired.at("/processor")).isEqualTo("3");
              assertThat(expired.at("/vector")).isEqualTo(timer.get("vector").asText());
              JsonNode entry = h.items("/v1/iommus/3/interrupt-entries").get(0);
              assertThat(entry.get("sourceId").asText()).isEqualTo("0xf078");
              assertThat(entry.at("/fields/SVT").asText()).isEqualTo("0x1");
              assertThat(entry.at("/fields/SQ").asText()).isEqualTo("0x3");

              JsonNode moved = direct(h, "{\"processor\":5}").at("/items/0/timers/0");
              assertThat(moved.get("address")).isEqualTo(timer.get("address"));
              assertThat(moved.get("data")).isEqualTo(timer.get("data"));
              assertThat(h.daemon().post(TIMER, "").at("/processor")).isEqualTo("5");

              direct(h, "{}");
              assertThat(h.items("/v1/iommus/3/interrupt-entries")).isEmpty();
              assertThat(h.daemon().put("/_sim/hpets/0/comparators/32", "{}").at("/errno"))
                  .isEqualTo("ENXIO");
              assertThat(h.daemon().put(TIMER, "{\"processor\":4096}").at("/errno"))
                  .isEqualTo("EINVAL");
            }),
        row(
            "- with a full table a timer gets ENXIO",
            h -> {
              byte[] entries = new byte[ENTRIES * ENTRY_BYTES];
              java.util.Arrays.fill(entries, (byte) 2);
              write(h, table(h, TIMER_UNIT), entries);
              h.refuses(
                  -6,
                  () ->
                      -6L * h.daemon().put(TIMER, "{\"processor\":3}").at("/errno").indexOf("ENXIO")
                          - 6);
              write(h, table(h, TIMER_UNIT), new byte[ENTRIES * ENTRY_BYTES]);
            }),
        row(
            "- a function that is removed takes its messages along, whoever has them",
            h -> {
              int guest = guest(h);
              bind(h, guest, map(h, guest, ""), 0x41, "");
              assertThat(h.items("/v1/iommus/0/interrupt-entries")).hasSize(1);

              assertThat(h.physdev("pci_device_remove", VF, "")).isZero();

              assertThat(h.items("/v1/iommus/0/interrupt-entries")).isEmpty();
              assertThat(h.physdev("pci_device_add", VF, "")).isZero();
            }));
  }

  private static Stream<Row<AssignmentHost>> processors() {
    return Stream.of(
        row(
            "- a message follows the vCPU that moves, and the device is not touched",
            h -> {
              int guest = guest(h);
              bind(h, guest, map(h, guest, ""), 0x41, "");
              JsonNode before = message(h);

              place(h, guest, "{\"state\":\"running\",\"processor\":6}");

              assertThat(message(h).get("processor").asInt()).isEqualTo(6);
              assertThat(message(h).get("writes")).isEqualTo(before.get("writes"));
              assertThat(message(h).get("address")).isEqualTo(before.get("address"));
              assertThat(send(h).at("/vcpu")).isEqualTo("0");
            }),
        row(
            "- what interrupts a processor that goes offline goes elsewhere first",
            h -> {
              int guest = guest(h);
              bind(h, guest, map(h, guest, ""), 0x41, "");
              place(h, guest, "{\"state\":\"running\",\"processor\":6}");
              JsonNode before = message(h);

              assertThat(online(h, 6, false).status()).isEqualTo(200);

              assertThat(message(h).get("processor").asInt()).isNotEqualTo(6);
              assertThat(message(h).get("writes")).isEqualTo(before.get("writes"));
              assertThat(h.items("/_sim/processors").get(6).get("interrupts")).isEmpty();
              assertThat(vcpu(h, guest).at("/placement/processor").asInt()).isNotEqualTo(6);
              assertThat(send(h).at("/vcpu")).isEqualTo("0");
              assertThat(online(h, 6, false).at("/errno")).isEqualTo("EINVAL");
              assertThat(online(h, 0, false).at("/errno")).isEqualTo("EINVAL");
              assertThat(
                      h.daemon()
                          .put(
                              "/v1/domains/" + guest + "/vcpus/0/placement",
                              "{\"state\":\"running\",\"processor\":6}")
                          .at("/errno"))
                  .isEqualTo("EINVAL");
              assertThat(online(h, 6, true).status()).isEqualTo(200);
            }),
        row(
            "- a blocked vCPU is woken from the processor that took over",
            h -> {
              h.policies("'intpost':'on'");
              int guest = guest(h);
              bind(h, guest, map(h, guest, ""), 0x41, "");
              place(h, guest, "{\"state\":\"running\",\"processor\":6}");
              place(h, guest, "{\"state\":\"blocked\"}");

              online(h, 6, false);
              Answer sent = send(h);

              assertThat(outcome(sent)).isEqualTo("posted");
              assertThat(sent.at("/processor")).isNotEqualTo("6").isNotEqualTo("null");
              assertThat(vcpu(h, guest).at("/placement/state").asText()).isEqualTo("runnable");
              online(h, 6, true);
              h.daemon().delete("/v1/domains/" + guest);
              h.policies("'intpost':'off'");
            }));
  }

  private static Stream<Row<AssignmentHost>> guests() {
    String table = ",'gtable':'0xe0000000'";
    return Stream.of(
        row(
            "- a guest masks its message in the table that it sees",
            h -> {
              int guest = guest(h);
              bind(h, guest, map(h, guest, ",'table_base':'0xf0000000','entry_nr':1"), 0x41, table);
              assertThat(message(h).get("masked").asBoolean()).isFalse();
              assertThat(read(h, guest, "0xe000001c")).isEqualTo("0x0");

              write(h, guest, "0xe000001c", 4, "0x1");

              assertThat(message(h).get("masked").asBoolean()).isTrue();
              assertThat(read(h, guest, "0xe000001c")).isEqualTo("0x1");
              write(h, guest, "0xe000001c", 4, "0x0");
              assertThat(message(h).get("masked").asBoolean()).isFalse();
            }),
        row(
            "- a message that was changed is unmasked when the device model has heard of it",
            h -> {
              int guest = guest(h);
              bind(h, guest, map(h, guest, ",'table_base':'0xf0000000','entry_nr':1"), 0x41, table);
              write(h, guest, "0xe000001c", 4, "0x1");
              write(h, guest, "0xe0000010", 8, "0xfee00000");
              assertThat(read(h, guest, "0xe0000010")).isEqualTo("0xfee00000");

              write(h, guest, "0xe0000018", 8, "0x55");

              assertThat(read(h, guest, "0xe0000018")).isEqualTo("0x55");
              assertThat(message(h).get("masked").asBoolean()).isFalse();
            }),
        row(
            "- an interrupt that is no message is in no table",
            h -> {
              int guest = guest(h);
              String gsi = "{'domid':%d,'type':1,'index':20}".formatted(guest);
              int pirq = h.xen().done("physdev_op", "map_pirq", gsi).get("pirq").asInt();
              h.refuses(EINVAL, () -> tryBind(h, guest, pirq, 0x41, table));
            }),
        row(
            "- an HVM domain maps its own pins once it takes events by vector",
            h -> {
              int guest = h.guest(77);
              String pin = "{'domid':77,'type':1,'index':%d}";
              String callback = "{'domid':77,'index':0,'value':'0x0200000000000041'}";
              // That its vCPU has entered the hypervisor once is part of the state.
              assertThat(own(h, "map_pirq", pin.formatted(9))).isEqualTo(EINVAL);
              h.refuses(EINVAL, () -> own(h, "map_pirq", pin.formatted(9)));
              assertThat(h.xen().ret("hvm_op", "set_param", callback)).isZero();
              int pirq =
                  h.xen()
                      .call("physdev_op", "map_pirq", pin.formatted(9), guest)
                      .out()
                      .get("pirq")
                      .asInt();
              assertThat(pirq).isGreaterThanOrEqualTo(16);
              h.refuses(EINVAL, () -> own(h, "map_pirq", pin.formatted(48)));
              h.refuses(EINVAL, () -> own(h, "map_pirq", "{'domid':77,'type':0,'index':-1}"));
              String number = "{'domid':77,'pirq':%d}".formatted(pirq);
              assertThat(own(h, "unmap_pirq", number)).isZero();
              h.refuses(EINVAL, () -> own(h, "unmap_pirq", number));
            }));
  }

  private static long own(AssignmentHost h, String op, String arguments) {
    return h.xen().ret("physdev_op", op, arguments, 77);
  }

  private static int guest(AssignmentHost h) {
    int guest = h.guest();
    h.given(guest, VF);
    return guest;
  }

  private static String outcome(Answer answer) {
    return answer.at("/outcome");
  }

  private static JsonNode direct(AssignmentHost h, String body) {
    Answer answer = h.daemon().put(TIMER, body);
    assertThat(answer.status()).as("%s", answer.body()).isEqualTo(200);
    return answer.body();
  }

  private static int map(AssignmentHost h, int guest, String more) {
    return h.xen()
        .done(
            "physdev_op",
            "map_pirq",
            "{'domid':%d,'type':0,'bus':3,'devfn':128%s}".formatted(guest, more))
        .get("pirq")
        .asInt();
  }

  /** Binds a message for vCPU 0, and lets it through. */
  private static void bind(AssignmentHost h, int guest, int pirq, int vector, String more) {
    assertThat(tryBind(h, guest, pirq, vector, more)).isZero();
  }

  private static long tryBind(AssignmentHost h, int guest, int pirq, int vector, String more) {
    return h.xen()
        .ret(
            "domctl",
            "bind_pt_irq",
            ("{'domain':%d,'machine_irq':%d,'irq_type':2,"
                    + "'u':{'msi':{'gvec':%d,'gflags':65536%s}}}")
                .formatted(guest, pirq, vector, more));
  }

  private static JsonNode message(AssignmentHost h) {
    return h.items("/v1/devices/" + VF + "/msi").get(0);
  }

  private static Answer send(AssignmentHost h) {
    return sendFrom(h, VF, message(h));
  }

  private static Answer sendFrom(AssignmentHost h, String function, JsonNode message) {
    return h.daemon()
        .post(
            "/v1/devices/" + function + "/msi",
            "{\"address\":%s,\"data\":%s}".formatted(message.get("address"), message.get("data")));
  }

  private static JsonNode vcpu(AssignmentHost h, int guest) {
    return h.daemon().get("/v1/domains/" + guest + "/vcpus/0/interrupts").body();
  }

  private static void place(AssignmentHost h, int guest, String body) {
    Answer answer = h.daemon().put("/v1/domains/" + guest + "/vcpus/0/placement", body);
    assertThat(answer.status()).as("%s", answer.body()).isEqualTo(200);
  }

  private static Answer online(AssignmentHost h, int processor, boolean on) {
    return h.daemon().put("/_sim/processors/" + processor, "{\"online\":%s}".formatted(on));
  }

  private static String read(AssignmentHost h, int guest, String gpa) {
    return h.daemon()
        .post(
            "/v1/domains/" + guest + "/vcpus/0/access",
            "{\"gpa\":\"%s\",\"op\":\"read\",\"size\":4}".formatted(gpa))
        .at("/data");
  }

  private static void write(AssignmentHost h, int guest, String gpa, int size, String data) {
    Answer answer =
        h.daemon()
            .post(
                "/v1/domains/" + guest + "/vcpus/0/access",
                "{\"gpa\":\"%s\",\"op\":\"write\",\"size\":%d,\"data\":\"%s\"}"
                    .formatted(gpa, size, data));
    assertThat(answer.status()).as("%s", answer.body()).isEqualTo(200);
  }

  private static void full(AssignmentHost h) {
    int guest = h.guest();
    h.given(guest, VF);
    long table = table(h, 0);
    // An entry is free where all its bits are zero, whoever wrote it.
    byte[] entries = new byte[ENTRIES * ENTRY_BYTES];
    for (int index = 0; index < ENTRIES; index++) {
      entries[index * ENTRY_BYTES + ENTRY_BYTES - 1] = 1;
    }
    write(h, table, entries);
    h.refuses(EFAULT, () -> mapBlock(h, guest, 1));

    // 64 are free, but never more than 16 in a row.
    for (int index = 0; index < 128; index++) {
      if (index / 16 % 2 == 0) {
        entries[index * ENTRY_BYTES + ENTRY_BYTES - 1] = 0;
      }
    }
    write(h, table, entries);
    h.refuses(EFAULT, () -> mapBlock(h, guest, 32));
    assertThat(mapBlock(h, guest, 16)).isZero();
    write(h, table + 16 * ENTRY_BYTES, new byte[(ENTRIES - 16) * ENTRY_BYTES]);
    assertThat(h.items("/v1/iommus/0/interrupt-entries?limit=100")).hasSize(16);
    h.daemon().delete("/v1/domains/" + guest);
    write(h, table, new byte[ENTRIES * ENTRY_BYTES]);
  }

  private static long mapBlock(AssignmentHost h, int guest, int messages) {
    return h.xen()
        .ret(
            "physdev_op",
            "map_pirq",
            "{'domid':%d,'type':4,'bus':3,'devfn':128,'entry_nr':%d}".formatted(guest, messages));
  }

  private static void write(AssignmentHost h, long maddr, byte[] bytes) {
    String hex = HexFormat.of().formatHex(bytes);
    assertThat(
            h.daemon()
                .put("/v1/memory?maddr=0x" + Long.toHexString(maddr), "{\"data\":\"" + hex + "\"}")
                .status())
        .isLessThan(300);
  }

  /** Where a unit's interrupt-remapping table is. */
  private static long table(AssignmentHost h, int unit) {
    return Long.decode(
            h.daemon()
                .post(
                    "/v1/iommus/" + unit + "/mmio",
                    "{\"offset\":\"0x%x\",\"size\":8}".formatted(IRTA))
                .at("/value"))
        & ~0xfffL;
  }
}
