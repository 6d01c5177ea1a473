package io.hypercalld.api.contract;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.hypercalld.api.contract.ServedMachine.Answer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Hypercalls by their names, and that they are the same as the resources. */
final class HypercallFaceTest {
  private ServedMachine machine;

  @BeforeEach
  void serve() {
    machine = new ServedMachine();
  }

  @AfterEach
  void stop() {
    machine.close();
  }

  @Test
  void success_hasRetAndTheMembersOfTheStruct() {
    JsonNode answer = machine.call("domctl/getdomaininfo", "{'domain':0}").json();

    assertThat(answer.at("/ret").asInt()).isZero();
    assertThat(answer.at("/out").fieldNames())
        .toIterable()
        .contains("domain", "flags", "tot_pages", "max_pages", "nr_online_vcpus", "handle");
  }

  @Test
  void count_isInRet() {
    machine.post("/v1/domains", "{\"memory\":\"64MiB\"}");
    machine.call("domctl/max_mem", "{'domain':1,'max_memkb':1048576}");

    Answer answer =
        machine.call(
            "memory_op/populate_physmap",
            "{'domid':1,'extent_start':{'first':'0x8000','count':64}}");

    assertThat(answer.at("/ret")).isEqualTo("64");
    assertThat(machine.get("/v1/domains/1/p2m/0x803f").at("/type")).isEqualTo("ram_rw");
  }

  @Test
  void refusal_inAnEnvelope_isTwoHundred() {
    Answer plain = machine.call("domctl/pausedomain", "{'domain':9}");
    Answer wrapped = machine.call("domctl/pausedomain?envelope=always", "{'domain':9}");

    assertThat(plain.status()).isEqualTo(404);
    assertThat(wrapped.status()).isEqualTo(200);
    assertThat(wrapped.text())
        .isEqualTo(
            "{\"ret\":-3,\"errno\":\"ESRCH\",\"detail\":\"%s\"}".formatted(plain.at("/detail")));
    assertThat(machine.call("domctl/pausedomain?envelope=never", "{'domain':9}").status())
        .isEqualTo(400);
  }

  @Test
  void caller_withoutPrivilege_isNotPermitted() {
    machine.post("/v1/domains", "{\"memory\":\"64MiB\"}");

    Answer answer = machine.call("domctl/destroydomain?caller=1", "{'domain':0}");
    Answer own = machine.call("memory_op/current_reservation?caller=1", "{'domid':32752}");

    assertThat(answer.status()).isEqualTo(403);
    assertThat(answer.at("/errno")).isEqualTo("EPERM");
    assertThat(own.at("/ret")).isEqualTo("16384");
  }

  @Test
  void caller_thatIsNobody_isRefused() {
    assertThat(machine.call("domctl/pausedomain?caller=77", "{'domain':0}").at("/errno"))
        .isEqualTo("ESRCH");
    assertThat(machine.call("domctl/pausedomain?caller=x", "{'domain':0}").status()).isEqualTo(400);
  }

  @Test
  void multicall_withARefusal_goesOnUnlessToldToStop() {
    String calls =
        "[{'call':'domctl','op':'max_vcpus','args':{'domain':0,'max':4}},"
            + "{'call':'domctl','op':'pausedomain','args':{'domain':9}},"
            + "{'call':'domctl','op':'getdomaininfo','args':{'domain':0}}]";

    JsonNode all = machine.call("multicall", calls).json().at("/results");
    JsonNode stopped = machine.call("multicall?stopOnError=true", calls).json().at("/results");

    assertThat(all).hasSize(3);
    assertThat(all.at("/1/errno").asText()).isEqualTo("ESRCH");
    assertThat(all.at("/1/ret").asInt()).isEqualTo(-3);
    assertThat(all.at("/2/ret").asInt()).isZero();
    assertThat(stopped.at("/0/errno").asText()).isEqualTo("EINVAL");
    assertThat(stopped).hasSize(1);
  }

  @Test
  void twoFaces_doTheSame() {
    try (ServedMachine other = new ServedMachine()) {
      machine.post("/v1/domains", "{\"memory\":\"64MiB\"}");
      other.post("/v1/domains", "{\"memory\":\"64MiB\"}");
      assertThat(machine.digest()).isEqualTo(other.digest());

      machine.put("/v1/devices/03:10.0/assignment", "{\"domain\":1}");
      other.call("domctl/assign_device", "{'domain':1,'machine_sbdf':'0000:03:10.0'}");
      assertThat(machine.digest()).isEqualTo(other.digest());

      machine.delete("/v1/devices/03:10.0/assignment");
      other.call("domctl/deassign_device", "{'domain':1,'machine_sbdf':'03:10.0'}");
      assertThat(machine.digest()).isEqualTo(other.digest());

      machine.delete("/v1/domains/1");
      other.call("domctl/destroydomain", "{'domain':1}");
      assertThat(machine.digest()).isEqualTo(other.digest());
    }
  }
}
