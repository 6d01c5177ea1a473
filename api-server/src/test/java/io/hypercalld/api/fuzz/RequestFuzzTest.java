package io.hypercalld.api.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.hypercalld.api.RunningDaemon;
import io.hypercalld.api.cli.StartOptions;
import io.hypercalld.api.fuzz.RawClient.Answer;
import io.hypercalld.api.platform.PlatformSource;
import java.io.IOException;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestReporter;

/**
 * Wrong requests by the thousand: each is answered, none with a 500, and none that is refused
 * changes anything. {@code -Dfuzz.requests=1000000 -Dfuzz.seed=7} for more and for others.
 *
 * <p>They come in rounds, each to a machine that was reset. What a round has left behind must be
 * what those of its requests leave that were accepted, on a machine that was reset again: any
 * refused one that changed something shows. A failure names its round, and {@code -Dfuzz.first=26}
 * begins with that.
 */
final class RequestFuzzTest {
  private static final int REQUESTS = Integer.getInteger("fuzz.requests", 10_000);
  private static final long SEED = Long.getLong("fuzz.seed", 1);
  private static final int FIRST = Integer.getInteger("fuzz.first", 0);
  private static final int ROUND = 500;
  private static final ObjectMapper JSON = new ObjectMapper();

  private static String get(String path) {
    return "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
  }

  private static String empty(String method, String path) {
    return method + " " + path + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n";
  }

  private static String digest(RawClient client) throws IOException {
    Answer answer = client.exchange(get("/_sim/digest"));
    assertThat(answer.status()).isEqualTo(200);
    return answer.body();
  }

  /** As if nothing had been asked. */
  private static void reset(RawClient client) throws IOException {
    for (JsonNode machine :
        JSON.readTree(client.exchange(get("/v1/machines")).body()).get("items")) {
      String name = machine.get("name").asText();
      if (!name.equals("default")) {
        client.exchange(empty("DELETE", "/v1/machines/" + name));
      }
    }
    for (JsonNode snapshot :
        JSON.readTree(client.exchange(get("/_sim/snapshots")).body()).get("items")) {
      client.exchange(empty("DELETE", "/_sim/snapshots/" + snapshot.get("name").asText()));
    }
    assertThat(client.exchange(empty("POST", "/_sim/reset")).isAccepted()).isTrue();
  }

  /** How often each status was answered. */
  private final Map<Integer, Integer> tally = new TreeMap<>();

  @Test
  void mutatedRequests_areAnswered_andChangeNothingWhereTheyAreRefused(TestReporter reporter)
      throws IOException {
    try (RunningDaemon daemon =
            RunningDaemon.start(
                StartOptions.parse(List.of("--port", "0", "--platform", "four-nics"), Map.of())
                    .settings(),
                PlatformSource.named("four-nics").load());
        RawClient client = new RawClient(URI.create(daemon.url()))) {
      List<Seed> seeds = Seed.all(client);
      int refused = 0;
      for (int round = 0; round * ROUND < REQUESTS; round++) {
        refused += tryRound(client, seeds, FIRST + round);
      }
      reporter.publishEntry("answers by status", tally.toString());
      // Otherwise nothing was tried.
      assertThat(refused).isBetween(REQUESTS / 3, REQUESTS * 99 / 100);
    }
  }

  /** How many requests of the round were refused. */
  private int tryRound(RawClient client, List<Seed> seeds, int round) throws IOException {
    Random random = new Random(SEED * 1_000_003 + round);
    Mutations mutations = new Mutations(random);
    List<Probe> probes =
        IntStream.range(0, ROUND)
            .mapToObj(_ -> mutations.of(seeds.get(random.nextInt(seeds.size()))))
            .toList();
    reset(client);
    List<List<Answer>> answers = client.exchange(probes);
    List<Probe> accepted = new ArrayList<>();
    List<List<Integer>> expected = new ArrayList<>();
    for (int i = 0; i < ROUND; i++) {
      assertAnswered(round, probes.get(i), answers.get(i));
      statuses(answers.get(i)).forEach(status -> tally.merge(status, 1, Integer::sum));
      if (probes.get(i).isChange() && answers.get(i).stream().anyMatch(Answer::isAccepted)) {
        accepted.add(probes.get(i));
        expected.add(statuses(answers.get(i)));
      }
    }
    String after = digest(client);

    reset(client);
    List<List<Answer>> again = client.exchange(accepted);
    for (int i = 0; i < accepted.size(); i++) {
      assertThat(statuses(again.get(i)))
          .as("round %d, again: %s%n%s", round, accepted.get(i), again.get(i))
          .isEqualTo(expected.get(i));
    }
    assertThat(digest(client)).as("round %d", round).isEqualTo(after);
    return (int)
        answers.stream().filter(answer -> answer.stream().noneMatch(Answer::isAccepted)).count();
  }

  private static List<Integer> statuses(List<Answer> answers) {
    return answers.stream().map(Answer::status).toList();
  }

  private static void assertAnswered(int round, Probe probe, List<Answer> answers) {
    for (Answer answer : answers) {
      assertThat(answer.status())
          .as("round %d: %s%n%s", round, probe.request(), answer.body())
          .isNotEqualTo(500)
          .isNotZero();
    }
  }
}
