package io.hypercalld.api.contract;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.hypercalld.api.contract.ServedMachine.Answer;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** From a device's message through a unit's table to a vCPU's local APIC. */
final class InterruptResourceTest {
  private static final String VF = "/v1/devices/0000:03:10.0";
  private static final String OTHER_VF = "/v1/devices/0000:03:10.1";
  private static final String BIND = "/v1/hypercalls/domctl/bind_pt_irq";
  private static final String UNBIND = "/v1/hypercalls/domctl/unbind_pt_irq";
  private static final String MAP = "/v1/hypercalls/physdev_op/map_pirq";
  private static final String UNMAP = "/v1/hypercalls/physdev_op/unmap_pirq";

  private ServedMachine machine;

  @BeforeEach
  void serve() {
    machine = new ServedMachine();
    machine.post("/v1/domains", "{\"memory\":\"64MiB\",\"vcpus\":4}");
    machine.put(VF + "/assignment", "{\"domain\":1}");
  }

  @AfterEach
  void stop() {
    machine.close();
  }

  private Answer call(String path, String body) {
    return machine.post(path, body.replace('\'', '"'));
  }

  /** Maps a message of a function (devfn of bus 3) to the domain; its number there. */
  private int map(int devfn) {
    Answer mapped = call(MAP, "{'domid':1,'type':0,'bus':3,'devfn':%d}".formatted(devfn));
    assertThat(mapped.status()).as(mapped.text()).isEqualTo(200);
    return mapped.json().at("/out/pirq").asInt();
  }

  private Answer bind(int pirq, int vector, int flags) {
    return call(
        BIND,
        "{'domain':1,'machine_irq':%d,'irq_type':2,'u':{'msi':{'gvec':%d,'gflags':%d}}}"
            .formatted(pirq, vector, flags));
  }

  private JsonNode message() {
    return machine.get(VF + "/msi").json().at("/items/0");
  }

  private Answer send(String device, JsonNode message) {
    return call(
        device + "/msi",
        "{'address':'%s','data':'%s'}"
            .formatted(message.at("/address").asText(), message.at("/data").asText()));
  }

  private JsonNode vcpu(int vcpu) {
    return machine.get("/v1/domains/1/vcpus/%d/interrupts".formatted(vcpu)).json();
  }

  private JsonNode entry() {
    return machine.get("/v1/iommus/0/interrupt-entries").json().at("/items/0");
  }

  @Test
  void msi_mappedAndBound_arrivesAtTheVcpuWithItsVector() {
    int pirq = map(0x80);
    assertThat(bind(pirq, 0x41, 0x10000 | 4).status()).isEqualTo(200);

    Answer sent = send(VF, message());

    assertThat(sent.at("/outcome")).isEqualTo("delivered");
    assertThat(sent.at("/domain")).isEqualTo("1");
    assertThat(sent.at("/vcpu")).isEqualTo("2");
    assertThat(sent.at("/vector")).isEqualTo("65");
    assertThat(vcpu(2).at("/apic/irr").toString()).isEqualTo("[65]");
    assertThat(vcpu(1).at("/apic/irr")).isEmpty();
  }

  @Test
  void entry_ofAMessage_letsOnlyItsFunctionThrough() {
    map(0x80);

    assertThat(entry().at("/sbdf").asText()).isEqualTo("0000:03:10.0");
    assertThat(entry().at("/sourceId").asText()).isEqualTo("0x380");
    assertThat(entry().at("/fields/SVT").asText()).isEqualTo("0x1");
    assertThat(entry().at("/domains")).isEmpty();
  }

  @Test
  void msi_ofAnotherFunctionsIndex_isBlockedAndToldInXensWords() {
    int pirq = map(0x80);
    bind(pirq, 0x41, 0x10000);

    Answer forged = send(OTHER_VF, message());

    assertThat(forged.at("/outcome")).isEqualTo("blocked");
    assertThat(forged.at("/fault/reason")).isEqualTo("0x26");
    assertThat(forged.at("/fault/recorded")).isEqualTo("true");
    assertThat(machine.get("/v1/console").json().findValuesAsText("text"))
        .contains(
            "(XEN) [VT-D]INTR-REMAP: Request device [0000:03:10.1] fault index 0",
            "(XEN) [VT-D]INTR-REMAP: reason 26 - Blocked an interrupt request due to source-id"
                + " verification failure on iommu:0");
  }

  @Test
  void msi_inCompatibilityFormat_isBlockedAndExplained() {
    Answer sent = call(VF + "/msi", "{'address':'0xfee00000','data':'0x41'}");
    Answer explained =
        machine.get("/v1/explain/interrupt?sbdf=03:10.0&address=0xfee00000&data=0x41");

    assertThat(sent.at("/fault/reason")).isEqualTo("0x25");
    assertThat(explained.at("/verdict")).isEqualTo("blocked");
    assertThat(explained.at("/reason")).isEqualTo("0x25");
  }

  @Test
  void dmaWrite_intoTheInterruptRange_isTheSameInterrupt() {
    int pirq = map(0x80);
    bind(pirq, 0x41, 0x10000);

    Answer dma =
        call(
            VF + "/dma",
            "{'op':'write','address':'%s','data':'00000000'}"
                .formatted(message().at("/address").asText()));

    assertThat(dma.at("/outcome")).isEqualTo("done");
    assertThat(vcpu(0).at("/apic/irr").toString()).isEqualTo("[65]");
  }

  @Test
  void retarget_ofABoundMessage_leavesTheDeviceAlone() {
    int pirq = map(0x80);
    bind(pirq, 0x41, 0x10000);
    JsonNode before = message();
    machine.put("/v1/domains/1/vcpus/3/placement", "{\"state\":\"running\",\"processor\":6}");

    bind(pirq, 0x52, 0x10000 | 6);

    assertThat(message().at("/processor").asInt()).isEqualTo(6);
    assertThat(message().at("/writes")).isEqualTo(before.at("/writes"));
    assertThat(message().at("/address")).isEqualTo(before.at("/address"));
    assertThat(entry().at("/fields/DST").asText()).isEqualTo("0x6");
    assertThat(send(VF, message()).at("/vector")).isEqualTo("82");
    assertThat(vcpu(3).at("/apic/irr").toString()).isEqualTo("[82]");
  }

  @Test
  void unmap_ofAMessage_freesItsEntry() {
    int pirq = map(0x80);
    JsonNode message = message();

    assertThat(call(UNMAP, "{'domid':1,'pirq':%d}".formatted(pirq)).status()).isEqualTo(200);

    assertThat(machine.get("/v1/iommus/0/interrupt-entries").json().at("/items")).isEmpty();
    assertThat(send(VF, message).at("/fault/reason")).isEqualTo("0x22");
    assertThat(call(UNMAP, "{'domid':1,'pirq':%d}".formatted(pirq)).at("/errno"))
        .isEqualTo("EINVAL");
  }

  @Test
  void destroyedDomain_leavesNoEntry() {
    bind(map(0x80), 0x41, 0x10000);

    machine.delete("/v1/domains/1");

    assertThat(machine.get("/v1/iommus/0/interrupt-entries").json().at("/items")).isEmpty();
    assertThat(machine.get("/_sim/invariants").json().at("/violations")).isEmpty();
  }

  @Test
  void block_ofMessages_isContiguousAndUnmappedAsAWhole() {
    Answer mapped = call(MAP, "{'domid':1,'type':4,'bus':3,'devfn':128,'entry_nr':3}");

    JsonNode entries = machine.get("/v1/iommus/0/interrupt-entries").json().at("/items");
    int first = mapped.json().at("/out/pirq").asInt();
    assertThat(mapped.json().at("/out/entry_nr").asInt()).isEqualTo(4);
    assertThat(entries.findValuesAsText("index")).containsExactly("0", "1", "2", "3");
    assertThat(call(UNMAP, "{'domid':1,'pirq':%d}".formatted(first + 1)).at("/errno"))
        .isEqualTo("EBUSY");
    assertThat(call(UNMAP, "{'domid':1,'pirq':%d}".formatted(first)).status()).isEqualTo(200);
    assertThat(machine.get("/v1/domains/1/pirqs").json().at("/items")).isEmpty();
  }

  @Test
  void map_mistakes_haveXensErrnos() {
    assertThat(call(MAP, "{'domid':9,'type':0}").at("/errno")).isEqualTo("ESRCH");
    assertThat(call(MAP, "{'domid':1,'type':2}").at("/errno")).isEqualTo("EINVAL");
    assertThat(call(MAP, "{'domid':1,'type':1,'index':4096}").at("/errno")).isEqualTo("EINVAL");
    assertThat(call(MAP, "{'domid':1,'type':0,'bus':3,'devfn':129}").at("/errno"))
        .as("a function of dom0's")
        .isEqualTo("ENODEV");
    assertThat(call(MAP, "{'domid':1,'type':4,'bus':3,'devfn':128}").at("/errno"))
        .isEqualTo("EDOM");
    assertThat(
            call(MAP, "{'domid':1,'type':4,'bus':3,'devfn':128,'entry_nr':2,'table_base':4096}")
                .at("/errno"))
        .isEqualTo("EINVAL");
    assertThat(machine.get("/v1/iommus/0/interrupt-entries").json().at("/items")).isEmpty();
  }

  @Test
  void map_refused_leavesTheMachineAsItWas() {
    String before = machine.get("/_sim/digest").text();

    call(MAP, "{'domid':1,'type':0,'bus':3,'devfn':129}");

    assertThat(machine.get("/_sim/digest").text()).isEqualTo(before);
  }

  @Test
  void bind_mistakes_haveXensErrnos() {
    int pirq = map(0x80);
    bind(pirq, 0x41, 0);
    String wire = "'u':{'pci':{'device':4,'intx':0}}}";

    assertThat(bind(7, 0x41, 0).at("/errno")).as("not mapped").isEqualTo("EPERM");
    assertThat(
            call(BIND, "{'domain':1,'machine_irq':%d,'irq_type':1}".formatted(pirq)).at("/errno"))
        .as("ISA")
        .isEqualTo("EOPNOTSUPP");
    assertThat(
            call(BIND, ("{'domain':1,'machine_irq':%d,'irq_type':0," + wire).formatted(pirq))
                .at("/errno"))
        .as("bound as a message")
        .isEqualTo("EBUSY");
    assertThat(
            call(UNBIND, ("{'domain':1,'machine_irq':%d,'irq_type':0," + wire).formatted(pirq))
                .at("/errno"))
        .as("no such wire")
        .isEqualTo("EINVAL");
  }

  @Test
  void gsi_boundToAWire_assertsThePinUntilTheGuestEndsIt() {
    Answer mapped = call(MAP, "{'domid':1,'type':1,'index':20,'pirq':20}");
    assertThat(mapped.at("/out/pirq")).isEqualTo("20");
    call(BIND, "{'domain':1,'machine_irq':20,'irq_type':0,'u':{'pci':{'device':4,'intx':0}}}");

    Answer asserted = machine.post("/v1/machine/gsis/20", "");

    assertThat(asserted.at("/outcome")).as(asserted.text()).isEqualTo("delivered");
    assertThat(asserted.at("/domain")).isEqualTo("1");
    assertThat(asserted.at("/vector")).isEqualTo("null");
    JsonNode entry = machine.get("/v1/iommus/3/interrupt-entries").json().at("/items/0");
    assertThat(entry.at("/gsi").asInt()).isEqualTo(20);
    assertThat(entry.at("/sourceId").asText()).isEqualTo("0xf0ff");
  }

  @Test
  void posted_messages_followTheVcpuThroughItsLife() {
    assertThat(
            machine
                .send("PATCH", "/v1/machine", "{\"policies\":{\"intpost\":\"on\"}}")
                .at("/policies/intpost"))
        .isEqualTo("on");
    bind(map(0x80), 0x41, 0x10000 | 2);
    String placement = "/v1/domains/1/vcpus/1/placement";

    machine.put(placement, "{\"state\":\"runnable\"}");
    Answer suppressed = send(VF, message());
    assertThat(suppressed.at("/outcome")).isEqualTo("posted");
    assertThat(suppressed.at("/vcpu")).isEqualTo("1");
    assertThat(suppressed.at("/processor")).as("SN: nobody is notified").isEqualTo("null");
    assertThat(vcpu(1).at("/apic/irr")).isEmpty();

    machine.put(placement, "{\"state\":\"running\"}");
    assertThat(vcpu(1).at("/apic/irr").toString()).as("taken over").isEqualTo("[65]");
    machine.post("/v1/domains/1/vcpus/1/interrupts", "{\"action\":\"acknowledge\"}");
    machine.post("/v1/domains/1/vcpus/1/interrupts", "{\"action\":\"end\"}");

    machine.put(placement, "{\"state\":\"blocked\"}");
    Answer waking = send(VF, message());
    assertThat(waking.at("/processor")).isNotEqualTo("null");
    assertThat(vcpu(1).at("/placement/state").asText()).as("woken").isEqualTo("runnable");
  }

  @Test
  void debugKeys_everyOne_printXensLayouts() {
    bind(map(0x80), 0x41, 0x10000);

    String units = String.join("\n", lines("V"));
    assertThat(units)
        .contains("iommu 0: nr_pt_levels = 4.")
        .contains("  Queued Invalidation: supported and enabled.")
        .contains("  Interrupt Remapping: supported and enabled.")
        .contains("R:       SVT  SQ   SID  V  AVL FPD      DST DLM TM RH DM P")
        .contains("P:       SVT  SQ   SID  V  AVL FPD              PDA  URG P")
        .contains("Redirection table of IOAPIC 0:")
        .contains("  #entry IDX FMT MASK TRIG IRR POL STAT DELI  VECTOR")
        .containsPattern("R:  0000:  1   0  0380 [0-9a-f]{2}    0   0 0000000[0-9]   0  0  0  0 1");
    assertThat(lines("Q"))
        .startsWith("==== PCI devices ====", "==== segment 0000 ====")
        .anyMatch(line -> line.matches("0000:03:10\\.0 - d1 - node -1  - MSIs < \\d+ >"));
    assertThat(lines("M"))
        .anyMatch(
            line ->
                line.matches(
                    " MSI {5}\\d+ vec=[0-9a-f]{2}  fixed  edge   assert phys  fixed"
                        + " dest=[0-9a-f]{8} mask=1/  /0"));
    assertThat(lines("o")).contains("d1 sharing page tables");
    assertThat(machine.post("/v1/debug-keys/z", "").status()).isEqualTo(404);
  }

  private List<String> lines(String keys) {
    List<String> lines = new ArrayList<>();
    machine
        .post("/v1/debug-keys/" + keys, "")
        .json()
        .at("/lines")
        .forEach(line -> lines.add(line.asText()));
    return lines;
  }
}
