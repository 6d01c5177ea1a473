package io.hypercalld.api.launch;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a daemon says on standard error of what it is asked, in both formats. */
final class LogIT {
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir private Path scratch;

  /** Asks a daemon twice, once in vain, and ends it; the lines that it logged. */
  private List<String> lines(String... options) throws Exception {
    Path log = scratch.resolve("log");
    try (LaunchedDaemon daemon = LaunchedDaemon.logging(log, options);
        HttpClient client = HttpClient.newHttpClient()) {
      for (String question : List.of("first 0", "second 99")) {
        String[] words = question.split(" ", -1);
        HttpRequest request =
            HttpRequest.newBuilder(URI.create(daemon.url() + "/v1/hypercalls/domctl/getdomaininfo"))
                .header("X-Request-Id", words[0])
                .POST(BodyPublishers.ofString("{\"domain\":%s}".formatted(words[1])))
                .build();
        client.send(request, BodyHandlers.discarding());
      }
      assertThat(daemon.stop(Duration.ofSeconds(10))).isZero();
    }
    return Files.readAllLines(log);
  }

  @Test
  void text_hasALineForEachRequest_withItsIdItsCallAndWhatCameOfIt() throws Exception {
    List<String> lines = lines("--log-level", "info");

    assertThat(lines)
        .anyMatch(
            line ->
                line.matches(
                    ".* INFO +\\[.*] requests requestId=first method=POST "
                        + "path=/v1/hypercalls/domctl/getdomaininfo status=200 micros=[0-9]+ "
                        + "call=domctl.getdomaininfo ret=0 answered"))
        .anyMatch(
            line ->
                line.matches(
                    ".* WARN +\\[.*] requests requestId=second .* status=404 .* "
                        + "call=domctl.getdomaininfo ret=-3 \\{\"type\":\"/problems/.*"
                        + "\"requestId\":\"second\"}"));
    assertThat(lines).noneMatch(line -> line.contains("[machine]"));
  }

  @Test
  void text_unlessAskedFor_hasFailuresOnly() throws Exception {
    List<String> lines = lines();

    assertThat(lines)
        .noneMatch(line -> line.contains("requestId=first"))
        .anyMatch(line -> line.contains("requestId=second"));
  }

  @Test
  void json_hasTheSameAsMembers_andNothingButJson() throws Exception {
    Map<String, JsonNode> logged = new HashMap<>();
    for (String line : lines("--log-level", "info", "--log-format", "json")) {
      JsonNode event = JSON.readTree(line);
      Map<String, String> members = new HashMap<>();
      for (JsonNode pair : event.path("kvpList")) {
        pair.properties().forEach(each -> members.put(each.getKey(), each.getValue().asText()));
      }
      if (members.containsKey("requestId")) {
        logged.put(members.get("requestId"), JSON.valueToTree(members));
        assertThat(event.path("level").asText()).isIn("INFO", "WARN");
        assertThat(event.path("timestamp").asLong()).isPositive();
      }
    }

    List<String> told = new ArrayList<>();
    for (String id : List.of("first", "second")) {
      JsonNode members = Optional.ofNullable(logged.get(id)).orElseThrow();
      told.add(members.at("/call").asText() + " " + members.at("/ret").asText());
    }
    assertThat(told).containsExactly("domctl.getdomaininfo 0", "domctl.getdomaininfo -3");
  }
}
