package io.hypercalld.api.contract;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.hypercalld.api.contract.ServedMachine.Answer;
import java.net.http.HttpClient;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Device models on a WebSocket: requests out, answers in, and what is wrong with them. */
final class IoStreamTest {
  private static final String SERVERS = "/v1/domains/guest/ioreq-servers";
  private static final String STREAM = SERVERS + "/0/stream";
  private static final String READ = "{'gpa':'0xf0000000','op':'read','size':1}";

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
    machine.post("/v1/domains", "{\"name\":\"guest\",\"memory\":\"4MiB\",\"vcpus\":4}");
    assertThat(serving("memory", "0xf0000000", "0xf0000fff", "off").at("/id")).isEqualTo("0");
  }

  @AfterEach
  void destroy() {
    machine.delete("/v1/domains/guest");
  }

  @Test
  void stream_requestsOut_answersIn_perVcpuInOrder() throws Exception {
    try (StreamClient model = model(STREAM)) {
      access(0, READ);
      JsonNode first = model.next();
      assertThat(first.at("/items/0/id").asLong()).isEqualTo(1);
      assertThat(first.at("/items/0/address").asText()).isEqualTo("0xf0000000");
      assertThat(first.at("/items/0/dir").asText()).isEqualTo("read");
      model.say("{'responses':[{'rid':1,'data':'0x2a'}]}");

      assertThat(access(0, READ, "Prefer", "wait=30").at("/data")).isEqualTo("0x2a");
    }
  }

  @Test
  void stream_whatIsUnansweredWhenItBreaks_isToldTheNextOneAndAnswered() throws Exception {
    try (StreamClient model = model(STREAM)) {
      access(0, READ);
      access(1, READ);
      List<Long> told = new ArrayList<>();
      while (told.size() < 2) {
        model.next().get("items").forEach(item -> told.add(item.get("id").asLong()));
      }
      assertThat(told).containsExactly(1L, 2L);
    }

    try (StreamClient model = model(STREAM)) {
      JsonNode again = model.next();
      assertThat(again.at("/items/0/id").asLong()).isEqualTo(1);
      assertThat(again.at("/items/1/id").asLong()).isEqualTo(2);
      model.say("{'responses':[{'rid':2,'data':'0x2'},{'rid':1,'data':'0x1'}]}");
      assertThat(access(0, READ, "Prefer", "wait=30").at("/data")).isEqualTo("0x1");
      assertThat(access(1, READ, "Prefer", "wait=30").at("/data")).isEqualTo("0x2");
    }
  }

  @Test
  void stream_window_boundsWhatIsUnanswered() throws Exception {
    for (int vcpu = 0; vcpu < 3; vcpu++) {
      access(vcpu, READ);
    }
    try (StreamClient model = model(STREAM + "?window=2")) {
      assertThat(model.next().get("items")).hasSize(2);
      machine.digest();
      assertThat(model.isSilent()).isTrue();
      model.say("{'responses':[{'rid':1}]}");
      JsonNode third = model.next().get("items");
      assertThat(third).hasSize(1);
      assertThat(third.get(0).get("id").asLong()).isEqualTo(3);
    }
  }

  @Test
  void stream_nonsense_isSaidToBeWrong_andNothingIsLost() throws Exception {
    serving("port", "0x3f8", "0x3ff", "off");
    access(0, READ);
    machine.post("/v1/domains/guest/vcpus/1/io", "{\"port\":\"0x3f8\",\"op\":\"in\",\"size\":1}");
    String digest = machine.digest();
    try (StreamClient model = model(STREAM)) {
      model.next();
      expect(
          model, "{'responses':[{'rid':1,'data':'0x100'}]}", 1, "EINVAL", "has more than 1 bytes");
      expect(model, "{'responses':[{'rid':7,'data':'0x0'}]}", 7, "ENOENT", "no request 7 waits");
      expect(model, "{'responses':[{'rid':2}]}", 2, "ENOENT", "for ioreq server 0");
      expect(model, "{'taken':1}", 0, "ENOENT", "no buffered request");
      malformed(model, "{'responses':[{'rid':1,'data':0.5}]}", "/responses/0/data");
      malformed(model, "{'responses':[{'data':'0x1'}]}", "/responses/0");
      malformed(model, "{'response':[]}", "");
      malformed(model, "{'responses':[", "");
      malformed(model, "[]", "");
      assertThat(machine.digest()).isEqualTo(digest);

      model.say("{'responses':[{'rid':1,'data':'0x11'},{'rid':1,'data':'0x12'}]}");
      assertThat(model.next().at("/problem/errno").asText()).isEqualTo("ENOENT");
      assertThat(access(0, READ).at("/data")).isEqualTo("0x11");
    }
  }

  private static void expect(
      StreamClient model, String message, long rid, String errno, String detail) throws Exception {
    model.say(message);
    JsonNode answer = model.next();
    assertThat(answer.get("rid").asLong()).isEqualTo(rid);
    assertThat(answer.at("/problem/errno").asText()).isEqualTo(errno);
    assertThat(answer.at("/problem/detail").asText()).contains(detail);
  }

  private static void malformed(StreamClient model, String message, String pointer)
      throws Exception {
    model.say(message);
    JsonNode problem = model.next().get("problem");
    assertThat(problem.get("type").asText()).isEqualTo("/problems/malformed-body");
    assertThat(problem.get("pointer").asText()).startsWith(pointer);
  }

  @Test
  void stream_buffered_isToldUntilItIsTaken() throws Exception {
    machine.call(
        "domctl/createdomain",
        "{'domain':9,'flags':3,'max_vcpus':1,'max_evtchn_port':1023,'max_grant_frames':-1,"
            + "'max_maptrack_frames':-1,'grant_opts':2,'arch':{'emulation_flags':511}}");
    machine.call("domctl/max_vcpus", "{'domain':9,'max':1}");
    String display =
        "{\"bufioreq\":\"atomic\","
            + "\"ranges\":[{\"type\":\"memory\",\"start\":\"0xa0000\",\"end\":\"0xbffff\"}]}";
    assertThat(machine.post("/v1/domains/9/ioreq-servers", display).status()).isEqualTo(201);
    String pixel = "{\"gpa\":\"0xa0008\",\"op\":\"write\",\"size\":4,\"data\":\"0x7\"}";
    machine.post("/v1/domains/9/vcpus/0/access", pixel);
    machine.post("/v1/domains/9/vcpus/0/access", pixel);

    try (StreamClient model = model("/v1/domains/9/ioreq-servers/0/stream")) {
      assertThat(model.next().get("buffered")).hasSize(2);
      model.say("{'taken':1}");
      machine.post("/v1/domains/9/vcpus/0/access", pixel);
      assertThat(model.next().get("buffered")).hasSize(1);
    }
    try (StreamClient model = model("/v1/domains/9/ioreq-servers/0/stream")) {
      assertThat(model.next().get("buffered")).hasSize(2);
    }
    machine.delete("/v1/domains/9");
  }

  @Test
  void stream_ofAServerThatGoes_endsWithWhy() throws Exception {
    try (StreamClient model = model(STREAM)) {
      machine.delete(SERVERS + "/0");

      assertThat(model.next().at("/problem/errno").asText()).isEqualTo("ENOENT");
      assertThat(model.next().get("closed").asInt()).isEqualTo(1008);
    }
  }

  @Test
  void stream_withoutUpgrade_isRefusedLikeAnyRequest() {
    Answer plain = machine.get(STREAM);
    assertThat(plain.status()).isEqualTo(426);
    assertThat(plain.at("/type")).isEqualTo("/problems/upgrade-required");
    assertThat(plain.header("Upgrade")).isEqualTo("websocket");
    assertThat(machine.get(STREAM + "?windo=2").at("/detail")).contains("did you mean window");
    assertThat(machine.post(STREAM, "{}").status()).isEqualTo(405);
  }

  private static Answer serving(String type, String start, String end, String bufioreq) {
    return machine.post(
        SERVERS,
        "{\"bufioreq\":\"%s\",\"ranges\":[{\"type\":\"%s\",\"start\":\"%s\",\"end\":\"%s\"}]}"
            .formatted(bufioreq, type, start, end));
  }

  private static StreamClient model(String path) {
    return new StreamClient(client, machine.url(), path);
  }

  private static Answer access(int vcpu, String body, String... headers) {
    return machine.send(
        "POST",
        "/v1/domains/guest/vcpus/%d/access".formatted(vcpu),
        body.replace('\'', '"'),
        headers);
  }
}
