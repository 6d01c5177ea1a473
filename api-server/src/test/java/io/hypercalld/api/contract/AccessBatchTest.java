package io.hypercalld.api.contract;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.hypercalld.api.contract.ServedMachine.Answer;
import java.net.http.HttpClient;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Programs of vCPUs, and instructions that repeat. */
final class AccessBatchTest {
  private static final String ACCESSES = "/v1/domains/guest/accesses";
  private static final String SERVER = "/v1/domains/guest/ioreq-servers/0";

  private static ServedMachine machine;
  private static HttpClient client;

  @BeforeAll
  static void serve() {
    machine = new ServedMachine();
    client = HttpClient.newHttpClient();
  }

  @AfterAll
  static void stop() {
    client.close();
    machine.close();
  }

  @BeforeEach
  void create() {
    machine.post("/v1/domains", "{\"name\":\"guest\",\"memory\":\"4MiB\",\"vcpus\":2}");
    machine.post(
        "/v1/domains/guest/ioreq-servers",
        "{\"ranges\":[{\"type\":\"memory\",\"start\":\"0xf0000000\",\"end\":\"0xf0001fff\"},"
            + "{\"type\":\"port\",\"start\":\"0x3f8\",\"end\":\"0x3ff\"}]}");
  }

  @AfterEach
  void destroy() {
    machine.delete("/v1/domains/guest");
  }

  @Test
  void accesses_ofMemory_endInTheirOrder() {
    JsonNode answer =
        run(
            "{'vcpu':0,'op':'write','gpa':'0x1000','size':4,'data':5},"
                + "{'vcpu':0,'op':'add','gpa':'0x1000','size':4,'data':2},"
                + "{'vcpu':1,'op':'read','gpa':'0x1000','size':4},"
                + "{'vcpu':1,'op':'in','port':'0x80','size':1},"
                + "{'vcpu':7,'op':'read','gpa':'0x1000','size':4}");

    assertThat(answer.get("finished").asInt()).isEqualTo(5);
    assertThat(answer.at("/results/1/data").asText()).isEqualTo("0x7");
    assertThat(answer.at("/results/2/data").asText()).isEqualTo("0x7");
    assertThat(answer.at("/results/3/data").asText()).isEqualTo("0xff");
    assertThat(answer.at("/results/4/errno").asText()).isEqualTo("ENOENT");
    assertThat(answer.at("/results/4/ret").asInt()).isEqualTo(-2);
  }

  @Test
  void accesses_behindOneThatWaits_areNotBegun_andGoOnWhenSentAgain() {
    String program =
        "{'vcpu':0,'op':'out','port':'0x3f8','size':1,'data':'0x41'},"
            + "{'vcpu':0,'op':'write','gpa':'0x1000','size':1,'data':1},"
            + "{'vcpu':1,'op':'write','gpa':'0x1001','size':1,'data':2}";

    JsonNode first = run(program);
    assertThat(first.get("finished").asInt()).isEqualTo(1);
    assertThat(first.at("/results/0/request").asLong()).isEqualTo(1);
    assertThat(first.at("/results/1/outcome").asText()).isEqualTo("pending");
    assertThat(first.at("/results/1/reason").asText()).contains("not begun");
    assertThat(first.at("/results/2/outcome").asText()).isEqualTo("done");
    assertThat(memory(0x1000, 2)).isEqualTo("0002");

    machine.post(SERVER + "/requests/1/response", "{}");
    JsonNode again = run(program);
    assertThat(again.get("finished").asInt()).isEqualTo(3);
    assertThat(again.at("/results/0/outcome").asText()).isEqualTo("emulated");
    assertThat(memory(0x1000, 2)).isEqualTo("0102");
  }

  @Test
  void accesses_waitingForAnEmulator_goOnAsItAnswers() throws Exception {
    try (StreamClient model = new StreamClient(client, machine.url(), SERVER + "/stream")) {
      Thread emulator = Thread.ofVirtual().start(() -> answer(model, 6));
      StringBuilder program = new StringBuilder();
      for (int i = 0; i < 6; i++) {
        program.append(i == 0 ? "" : ",");
        program.append(
            "{'vcpu':%d,'op':'read','gpa':'0xf00000%02x','size':4}".formatted(i % 2, i * 4));
      }
      JsonNode answer = run(program.toString(), "Prefer", "wait=60");

      emulator.join();
      assertThat(answer.get("finished").asInt()).isEqualTo(6);
      for (int i = 0; i < 6; i++) {
        assertThat(answer.at("/results/%d/data".formatted(i)).asText())
            .isEqualTo("0xf00000%02x".formatted(i * 4));
      }
    }
  }

  /** Reads answer with where they are. */
  private static void answer(StreamClient model, int requests) {
    try {
      for (int answered = 0; answered < requests; ) {
        for (JsonNode item : model.next().get("items")) {
          model.say(
              "{'responses':[{'rid':%d,'data':'%s'}]}"
                  .formatted(item.get("id").asLong(), item.get("address").asText()));
          answered++;
        }
      }
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void repeated_storesToADevice_areARequestForEachPage() {
    String stos = "{'gpa':'0xf0000ff8','op':'write','size':4,'data':'0x7','count':5}";

    assertThat(access(stos).at("/outcome")).isEqualTo("pending");
    JsonNode first = request();
    assertThat(first.get("count").asInt()).isEqualTo(2);
    assertThat(first.get("size").asInt()).isEqualTo(4);
    assertThat(first.get("dataIsPtr").asBoolean()).isFalse();
    assertThat(first.get("data").asText()).isEqualTo("0x7");
    respond(1);
    JsonNode second = request();
    assertThat(second.get("address").asText()).isEqualTo("0xf0001000");
    assertThat(second.get("count").asInt()).isEqualTo(3);
    respond(2);
    assertThat(access(stos).at("/outcome")).isEqualTo("emulated");
  }

  @Test
  void repeated_copyToADeviceDownwards_namesWhereTheDataIs() {
    String movs = "{'gpa':'0xf0000010','op':'write','size':8,'count':3,'df':true,'ram':'0x2010'}";

    assertThat(access(movs).at("/outcome")).isEqualTo("pending");
    JsonNode request = request();
    assertThat(request.get("address").asText()).isEqualTo("0xf0000010");
    assertThat(request.get("df").asBoolean()).isTrue();
    assertThat(request.get("dataIsPtr").asBoolean()).isTrue();
    assertThat(request.get("data").asText()).isEqualTo("0x2010");
    assertThat(request.get("count").asInt()).isEqualTo(3);
    respond(1);
    assertThat(access(movs).at("/outcome")).isEqualTo("emulated");
  }

  @Test
  void repeated_input_namesWhereItGoes_andTheEmulatorPutsItThere() {
    String ins = "{'port':'0x3f8','op':'in','size':1,'count':4,'ram':'0x3000'}";

    assertThat(port(ins).at("/outcome")).isEqualTo("pending");
    JsonNode request = request();
    assertThat(request.get("type").asText()).isEqualTo("pio");
    assertThat(request.get("address").asText()).isEqualTo("0x3f8");
    assertThat(request.get("count").asInt()).isEqualTo(4);
    assertThat(request.get("data").asText()).isEqualTo("0x3000");
    machine.put("/v1/domains/guest/memory?gpa=0x3000", "{\"data\":\"01020304\"}");
    respond(1);
    assertThat(port(ins).at("/outcome")).isEqualTo("emulated");
    assertThat(memory(0x3000, 4)).isEqualTo("01020304");
  }

  @Test
  void repeated_whereNobodyIs_readsOnesIntoMemory_andLosesWrites() {
    port("{'port':'0x80','op':'in','size':2,'count':2,'ram':'0x3ffe'}");
    assertThat(memory(0x3ffe, 4)).isEqualTo("ffffffff");

    port("{'port':'0x80','op':'out','size':2,'count':3,'ram':'0x3ffe'}");
    Answer counters = machine.get("/v1/domains/guest/counters");
    assertThat(counters.at("/lostWrites")).isEqualTo("1");
    assertThat(counters.at("/lostBytes")).isEqualTo("6");
    assertThat(counters.at("/lastLostWrite/type")).isEqualTo("pio");
    assertThat(counters.at("/lastLostWrite/gpa")).isEqualTo("0x80");
  }

  @Test
  void repeated_inMemory_movesEveryElement() {
    machine.put("/v1/domains/guest/memory?gpa=0x3000", "{\"data\":\"0102030405060708\"}");

    Answer moved =
        access("{'gpa':'0x5006','op':'write','size':2,'count':4,'df':true,'ram':'0x3006'}");
    access("{'gpa':'0x6000','op':'write','size':1,'count':3,'data':'0xaa'}");
    access("{'gpa':'0x3000','op':'read','size':4,'count':2,'ram':'0x7000'}");

    assertThat(moved.at("/outcome")).isEqualTo("done");
    assertThat(memory(0x5000, 8)).isEqualTo("0102030405060708");
    assertThat(memory(0x6000, 4)).isEqualTo("aaaaaa00");
    assertThat(memory(0x7000, 8)).isEqualTo("0102030405060708");
  }

  @Test
  void repeated_thatNoInstructionIs_isRefused() {
    assertThat(access("{'gpa':0,'op':'add','size':1,'data':1,'count':2}").at("/pointer"))
        .isEqualTo("/count");
    assertThat(access("{'gpa':0,'op':'read','size':1,'count':2}").at("/pointer")).isEqualTo("/ram");
    assertThat(access("{'gpa':0,'op':'write','size':1,'count':0,'data':1}").at("/errno"))
        .isEqualTo("EINVAL");
    assertThat(access("{'gpa':0,'op':'write','size':4,'count':2,'df':true,'data':1}").at("/errno"))
        .isEqualTo("EINVAL");
    assertThat(port("{'port':'0x3f8','op':'out','size':8,'count':2,'ram':0}").at("/errno"))
        .isEqualTo("EINVAL");
    assertThat(port("{'port':'0x3f8','op':'out','size':1,'count':2,'data':0}").at("/errno"))
        .isEqualTo("EINVAL");
    Answer both = machine.post(ACCESSES, "{\"accesses\":[{\"vcpu\":0,\"op\":\"in\",\"size\":1}]}");
    assertThat(both.status()).isEqualTo(400);
    assertThat(both.at("/pointer")).isEqualTo("/accesses");
  }

  private static JsonNode run(String accesses, String... headers) {
    String body = "{'accesses':[%s]}".formatted(accesses).replace('\'', '"');
    Answer answer = machine.send("POST", ACCESSES, body, headers);
    assertThat(answer.status()).as(answer.text()).isEqualTo(200);
    return answer.json();
  }

  private static Answer access(String body) {
    return machine.post("/v1/domains/guest/vcpus/0/access", body.replace('\'', '"'));
  }

  private static Answer port(String body) {
    return machine.post("/v1/domains/guest/vcpus/0/io", body.replace('\'', '"'));
  }

  private static JsonNode request() {
    JsonNode items = machine.get(SERVER + "/requests").json().get("items");
    assertThat(items).hasSize(1);
    return items.get(0);
  }

  private static void respond(long rid) {
    assertThat(machine.post(SERVER + "/requests/%d/response".formatted(rid), "{}").status())
        .isEqualTo(204);
  }

  private static String memory(long gpa, int length) {
    return machine
        .get("/v1/domains/guest/memory?gpa=0x%x&length=%d".formatted(gpa, length))
        .at("/data");
  }
}
