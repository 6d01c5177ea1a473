package io.hypercalld.api.contract;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.hypercalld.api.contract.ServedMachine.Answer;
import io.hypercalld.api.http.Limits;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.HexFormat;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Journal, replay, export and import. */
final class JournalTest {
  private static final int DAY = 10_000;
  private static final int BATCH = 50;

  private final ServedMachine machine = new ServedMachine();
  private final HttpClient client = HttpClient.newHttpClient();

  @AfterEach
  void stop() {
    client.close();
    machine.close();
  }

  private byte[] export(ServedMachine from) {
    return send(HttpRequest.newBuilder(URI.create(from.url() + "/_sim/export"))).body();
  }

  private HttpResponse<byte[]> importInto(ServedMachine to, byte[] file) {
    return send(
        HttpRequest.newBuilder(URI.create(to.url() + "/_sim/import"))
            .POST(BodyPublishers.ofByteArray(file)));
  }

  private HttpResponse<byte[]> send(HttpRequest.Builder request) {
    try {
      return client.send(request.build(), BodyHandlers.ofByteArray());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  /** What toolstacks, guests, devices and operators might do; much of it is refused. */
  private void live(ServedMachine in, long seed, int commands) {
    RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
    for (int done = 0; done < commands; ) {
      if (random.nextInt(4) == 0) {
        in.post("/v1/hypercalls/multicall", batch(random));
        done += BATCH;
      } else {
        act(in, random);
        done++;
      }
    }
  }

  private static String batch(RandomGenerator random) {
    StringBuilder calls = new StringBuilder("[");
    for (int i = 0; i < BATCH; i++) {
      String call = random.nextBoolean() ? "populate_physmap" : "decrease_reservation";
      calls
          .append(i == 0 ? "" : ",")
          .append("{\"call\":\"memory_op\",\"op\":\"%s\",".formatted(call))
          .append("\"args\":{\"domid\":%d,".formatted(1 + random.nextInt(4)))
          .append("\"extent_start\":[\"0x%x\"],".formatted(random.nextInt(4096)))
          .append("\"extent_order\":0}}");
    }
    return calls.append("]").toString();
  }

  private static void act(ServedMachine in, RandomGenerator random) {
    int domain = 1 + random.nextInt(4);
    String vf = "/v1/devices/03:10." + random.nextInt(8);
    String access =
        "{\"gpa\":\"0x%x\",\"op\":\"write\",\"size\":4,\"data\":\"0x%x\"}"
            .formatted(random.nextInt(1 << 24), random.nextInt(256));
    switch (random.nextInt(12)) {
      case 0 -> in.post("/v1/domains", "{\"memory\":\"%dMiB\"}".formatted(4 + random.nextInt(40)));
      case 1 -> in.delete("/v1/domains/" + domain);
      case 2 -> in.post("/v1/domains/" + domain + "/actions/unpause", "");
      case 3 -> in.post("/v1/domains/" + domain + "/actions/pause", "");
      case 4, 5 -> in.put(vf + "/assignment", "{\"domain\":" + domain + "}");
      case 6 -> in.delete(vf + "/assignment");
      case 7, 8 ->
          in.post(
              vf + "/dma",
              "{\"op\":\"write\",\"address\":\"0x%x\",\"data\":\"%02x\"}"
                  .formatted(random.nextInt(1 << 26), random.nextInt(256)));
      case 9 -> in.post("/v1/domains/" + domain + "/vcpus/0/access", access);
      case 10 -> in.post("/_sim/clock", "{\"advanceNanos\":%d}".formatted(random.nextInt(1000)));
      default -> in.post("/v1/domains?dryRun=true", "{\"memory\":\"4MiB\"}");
    }
  }

  @Test
  void dayInTheLife_replayedOnAFreshDaemon_endsInTheSameDigest() {
    live(machine, 1, DAY + DAY / 10);
    Answer journal = machine.get("/_sim/journal");
    try (ServedMachine fresh = new ServedMachine()) {
      assertThat(fresh.digest()).isNotEqualTo(machine.digest());

      Answer replayed = fresh.post("/_sim/replay", journal.text());

      assertThat(replayed.status()).isEqualTo(200);
      assertThat(replayed.json().at("/commands").asLong()).isGreaterThanOrEqualTo(DAY);
      assertThat(replayed.at("/digest")).isEqualTo(machine.digest());
      assertThat(fresh.digest()).isEqualTo(machine.digest());
      assertThat(fresh.get("/_sim/journal").text()).isEqualTo(journal.text());
    }
  }

  @Test
  void export_importedElsewhere_isTheSameMachine_andGoesOnAlike() {
    for (long seed = 2; seed < 5; seed++) {
      machine.post("/_sim/reset", "");
      live(machine, seed, 200);
      machine.post("/_sim/snapshots", "{\"name\":\"s%d\"}".formatted(seed));
      live(machine, seed + 100, 100);
      machine.post("/_sim/snapshots/s%d/restore".formatted(seed), "");
      byte[] file = export(machine);
      try (ServedMachine fresh = new ServedMachine()) {
        assertThat(importInto(fresh, file).statusCode()).isEqualTo(200);
        assertThat(fresh.digest()).isEqualTo(machine.digest());
        assertThat(fresh.get("/v1/domains").text()).isEqualTo(machine.get("/v1/domains").text());

        live(machine, seed + 200, 100);
        live(fresh, seed + 200, 100);

        assertThat(fresh.digest()).as("seed %d", seed).isEqualTo(machine.digest());
        assertThat(fresh.get("/_sim/invariants").json().at("/violations")).isEmpty();
      }
    }
  }

  /** Nothing in it can be packed. */
  private void fill(int mebibytes) {
    machine.post("/v1/domains", "{\"memory\":\"64MiB\"}");
    RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(21);
    byte[] content = new byte[1 << 20];
    for (int i = 0; i < mebibytes; i++) {
      random.nextBytes(content);
      Answer written =
          machine.put(
              "/v1/domains/1/memory?gpa=0x%x".formatted((long) i << 20),
              "{\"data\":\"" + HexFormat.of().formatHex(content) + "\"}");
      assertThat(written.status()).as(written.text()).isLessThan(300);
    }
  }

  @Test
  void file_largerThanABodyMayBe_isImportedWhileItComes() {
    fill(12);
    byte[] file = export(machine);
    assertThat(file.length).isGreaterThan(Limits.BODY_BYTES);
    String last = "/v1/domains/1/memory?gpa=0xbfff00&length=256";
    try (ServedMachine fresh = new ServedMachine()) {
      URI path = URI.create(fresh.url() + "/_sim/import");
      String untouched = fresh.digest();

      HttpResponse<byte[]> tried =
          send(
              HttpRequest.newBuilder(URI.create(path + "?dryRun=true"))
                  .POST(BodyPublishers.ofByteArray(file)));
      String stillUntouched = fresh.digest();
      HttpResponse<byte[]> made =
          send(
              HttpRequest.newBuilder(path)
                  .POST(BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(file))));
      HttpResponse<byte[]> keyed =
          send(
              HttpRequest.newBuilder(path)
                  .header("Idempotency-Key", "a")
                  .POST(BodyPublishers.ofByteArray(file)));

      assertThat(tried.statusCode()).isEqualTo(200);
      assertThat(new String(tried.body(), UTF_8)).contains("\"/v1/domains/1\"");
      assertThat(stillUntouched).isEqualTo(untouched);
      assertThat(made.statusCode()).as(new String(made.body(), UTF_8)).isEqualTo(200);
      assertThat(fresh.digest()).isEqualTo(machine.digest());
      assertThat(fresh.get(last).text()).isEqualTo(machine.get(last).text());
      assertThat(keyed.statusCode()).isEqualTo(400);
      assertThat(new String(keyed.body(), UTF_8)).contains("/problems/invalid-header");
    }
  }

  @Test
  void file_thatIsCutOff_orTooLarge_changesNothing() throws IOException {
    fill(10);
    byte[] file = export(machine);
    String digest = machine.digest();
    URI url = URI.create(machine.url());
    String start = "POST /_sim/import HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n";
    try (Socket cut = new Socket(url.getHost(), url.getPort())) {
      cut.getOutputStream().write(start.formatted(file.length).getBytes(UTF_8));
      cut.getOutputStream().write(file, 0, file.length - 1000);
    }
    try (Socket tooLarge = new Socket(url.getHost(), url.getPort())) {
      tooLarge.getOutputStream().write(start.formatted(Limits.FILE_BYTES + 1).getBytes(UTF_8));

      assertThat(new String(tooLarge.getInputStream().readNBytes(12), UTF_8))
          .isEqualTo("HTTP/1.1 413");
      assertThat(machine.digest()).isEqualTo(digest);
    }
  }

  @Test
  void file_thatIsNone_isRefused_andNothingIsLost() {
    live(machine, 9, 100);
    String digest = machine.digest();
    byte[] file = export(machine);
    String journal = machine.get("/_sim/journal").text();

    for (byte[] garbage :
        new byte[][] {
          {}, {0x1f, (byte) 0x8b, 1, 2, 3}, "{}".getBytes(UTF_8), java.util.Arrays.copyOf(file, 500)
        }) {
      HttpResponse<byte[]> answer = importInto(machine, garbage);
      assertThat(answer.statusCode()).isEqualTo(400);
      assertThat(new String(answer.body(), UTF_8)).contains("/problems/malformed-body");
    }
    Answer newer =
        machine.post("/_sim/replay", journal.replaceFirst("\"version\":1", "\"version\":9"));
    assertThat(newer.status()).isEqualTo(400);
    assertThat(newer.at("/detail")).contains("version 9").contains("version 1");
    assertThat(machine.digest()).isEqualTo(digest);
  }

  @Test
  void journal_afterAReset_beginsAnew() {
    String before = machine.get("/_sim/journal").text();
    live(machine, 11, 50);

    machine.post("/_sim/reset", "");

    assertThat(machine.get("/_sim/journal").text()).isEqualTo(before);
  }

  @Test
  void requests_afterAReset_beginWithIt() {
    machine.get("/v1/domains/77");

    machine.post("/_sim/reset", "");

    JsonNode items = machine.get("/_sim/requests").json().at("/items");
    assertThat(items).hasSize(1);
    assertThat(items.get(0).at("/path").asText()).isEqualTo("/_sim/reset");
    assertThat(items.get(0).at("/number").asLong()).isEqualTo(1);
  }

  @Test
  void requests_areKeptWithWhatCameOfThem() {
    machine.send("POST", "/v1/domains", "{\"memory\":\"4MiB\"}", "X-Request-Id", "first");
    machine.get("/v1/domains/77");

    JsonNode items = machine.get("/_sim/requests").json().at("/items");

    assertThat(items.get(0).at("/requestId").asText()).isEqualTo("first");
    assertThat(items.get(0).at("/status").asInt()).isEqualTo(201);
    assertThat(items.get(1).at("/path").asText()).isEqualTo("/v1/domains/77");
    assertThat(items.get(1).at("/status").asInt()).isEqualTo(404);
    JsonNode page = machine.get("/_sim/requests?limit=1").json();
    assertThat(
            machine
                .get("/_sim/requests?limit=1&cursor=" + page.at("/nextCursor").asText())
                .at("/items/0/path"))
        .isEqualTo("/v1/domains/77");
  }
}
