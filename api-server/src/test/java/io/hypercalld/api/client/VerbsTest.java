package io.hypercalld.api.client;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** What verbs say of requests is what the served document says. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class VerbsTest {
  private final CommandedDaemon daemon = new CommandedDaemon();
  private JsonNode document = new ObjectMapper().createObjectNode();

  @BeforeAll
  void read() throws Exception {
    try (HttpClient client = HttpClient.newHttpClient()) {
      HttpRequest request =
          HttpRequest.newBuilder(URI.create(daemon.url() + "/openapi.json")).build();
      document = new ObjectMapper().readTree(client.send(request, BodyHandlers.ofString()).body());
    }
  }

  @AfterAll
  void close() {
    daemon.close();
  }

  private static String bare(String path) {
    return path.replaceAll("\\{[^}]*}", "{}").replaceAll("/(V|Vo)$", "/{}");
  }

  private JsonNode operation(Verb verb) {
    Map<String, JsonNode> paths =
        document.path("paths").properties().stream()
            .collect(
                Collectors.toMap(path -> bare(path.getKey()), Map.Entry::getValue, (a, b) -> a));
    String experiments = "/v1/experiments/{}";
    String path =
        bare(verb.path()).equals(experiments) ? "/v1/experiments/sync-hooks" : bare(verb.path());
    return paths
        .getOrDefault(path, new ObjectMapper().createObjectNode())
        .path(verb.method().toLowerCase(Locale.ROOT));
  }

  private JsonNode resolved(JsonNode node) {
    return node.has("$ref") ? document.at(node.path("$ref").asText().substring(1)) : node;
  }

  private Set<String> query(JsonNode operation) {
    Set<String> names = new TreeSet<>();
    operation
        .path("parameters")
        .forEach(parameter -> names.add(resolved(parameter).path("name").asText()));
    return names;
  }

  @Test
  void requests_ofAllVerbs_areDocumented() {
    Set<String> unknown = new TreeSet<>();
    for (Verb verb : Verbs.ALL) {
      JsonNode operation = operation(verb);
      if (verb.path().startsWith("/") && operation.isMissingNode()) {
        unknown.add(verb.name());
      }
    }
    assertThat(unknown).isEmpty();
  }

  @Test
  void fields_ofAllVerbs_areDocumented() {
    Set<String> unknown = new TreeSet<>();
    for (Verb verb : Verbs.ALL) {
      if (verb.path().startsWith("/")) {
        JsonNode operation = operation(verb);
        JsonNode body =
            resolved(operation.at("/requestBody/content/application~1json/schema"))
                .path("properties");
        for (Verb.Field field : verb.fields()) {
          boolean known =
              field.place() == Verb.Place.QUERY
                  ? query(operation).contains(field.member())
                  : body.has(field.member());
          if (!known) {
            unknown.add(verb.name() + " " + field.member());
          }
        }
      }
    }
    assertThat(unknown).isEmpty();
  }

  @Test
  void bodies_ofAllVerbs_areWhole() {
    Set<String> missing = new TreeSet<>();
    for (Verb verb : Verbs.ALL) {
      if (verb.path().startsWith("/") && !verb.pairs()) {
        Set<String> members =
            verb.fields().stream().map(Verb.Field::member).collect(Collectors.toSet());
        resolved(operation(verb).at("/requestBody/content/application~1json/schema"))
            .path("properties")
            .fieldNames()
            .forEachRemaining(
                member -> {
                  // Words of the specification that only raw hypercalls need, and bodies by query.
                  if (!members.contains(member) && !Set.of("pad", "gpa").contains(member)) {
                    missing.add(verb.name() + " " + member);
                  }
                });
      }
    }
    assertThat(missing).isEmpty();
  }

  @Test
  void names_ofAllVerbs_areDifferent() {
    assertThat(Verbs.ALL).extracting(Verb::name).doesNotHaveDuplicates();
    assertThat(Verbs.ALL).allMatch(verb -> !verb.description().isEmpty());
  }
}
