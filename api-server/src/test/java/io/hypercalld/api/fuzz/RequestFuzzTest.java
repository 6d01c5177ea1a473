package io.hypercalld.api.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.api.RunningDaemon;
import io.hypercalld.api.cli.StartOptions;
import io.hypercalld.api.fuzz.RawClient.Answer;
import io.hypercalld.api.platform.PlatformSource;
import java.io.IOException;
import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * Wrong requests by the thousand: each is answered, none with a 500, and none that is refused
 * changes anything. {@code -Dfuzz.requests=1000000 -Dfuzz.seed=7} for more and for others.
 */
final class RequestFuzzTest {
  private static final int REQUESTS = Integer.getInteger("fuzz.requests", 20_000);
  private static final long SEED = Long.getLong("fuzz.seed", 1);

  /** A digest takes as long as many requests. */
  private static final int LOOK_EVERY = 100;

  private static String digest(RawClient client) throws IOException {
    return client.exchange("GET /_sim/digest HTTP/1.1\r\nHost: localhost\r\n\r\n").body();
  }

  @Test
  void mutatedRequests_areAnswered_andChangeNothingWhereTheyAreRefused() throws IOException {
    try (RunningDaemon daemon =
            RunningDaemon.start(
                StartOptions.parse(List.of("--port", "0", "--platform", "four-nics"), Map.of())
                    .settings(),
                PlatformSource.named("four-nics").load());
        RawClient client = new RawClient(URI.create(daemon.url()))) {
      List<Seed> seeds = Seed.all(client);
      Random random = new Random(SEED);
      Mutations mutations = new Mutations(random);
      int refused = 0;
      boolean looked = false;
      String before = "";
      for (int i = 0; i < REQUESTS; i++) {
        if (i % LOOK_EVERY == 0) {
          before = digest(client);
          looked = true;
        }
        String request = mutations.of(seeds.get(random.nextInt(seeds.size())));
        Answer answer = client.exchange(request);

        assertThat(answer.status())
            .as("%s%n%s", request, answer.body())
            .isNotEqualTo(500)
            .isNotZero();
        boolean failed = answer.status() >= 400;
        if (looked && (failed || answer.status() == 304)) {
          assertThat(digest(client)).as(request).isEqualTo(before);
        }
        looked = false;
        refused += failed ? 1 : 0;
      }
      // Otherwise nothing was tried.
      assertThat(refused).isBetween(REQUESTS / 3, REQUESTS * 99 / 100);
    }
  }
}
