package io.hypercalld.api.openapi;

import static java.util.stream.Collectors.toCollection;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.hypercalld.api.hypercall.Operation;
import io.swagger.v3.parser.OpenAPIV3Parser;
import io.swagger.v3.parser.core.models.ParseOptions;
import io.swagger.v3.parser.core.models.SwaggerParseResult;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.yaml.snakeyaml.Yaml;

/** The document says what the daemon does: no more, no less. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class OpenApiDocumentTest {
  private static final Pattern HYPERCALL_ROW =
      Pattern.compile("^\\| `([a-z0-9_]+)` \\| ([^|]+?) *\\|$", Pattern.MULTILINE);
  private static final Set<String> METHODS = Set.of("get", "post", "put", "patch", "delete");

  private final ServedDocument served = new ServedDocument();
  private JsonNode document = new ObjectMapper().createObjectNode();

  @BeforeAll
  void read() throws IOException {
    document = new ObjectMapper().readTree(served.get("/openapi.json").body());
  }

  @AfterAll
  void close() {
    served.close();
  }

  private Set<String> documented() {
    Set<String> operations = new TreeSet<>();
    document
        .path("paths")
        .properties()
        .forEach(
            path ->
                path.getValue()
                    .fieldNames()
                    .forEachRemaining(method -> operations.add(method + " " + path.getKey())));
    return operations;
  }

  @Test
  void paths_areTheRoutesAndTheHypercalls() {
    Set<String> answered =
        Stream.concat(
                served.routes().stream()
                    .map(
                        route ->
                            route.method().name().toLowerCase(Locale.ROOT)
                                + " "
                                + route.path().text()),
                served.machine().catalogue().all().stream()
                    .map(operation -> "post " + HypercallDescriber.path(operation)))
            .collect(toCollection(TreeSet::new));

    assertThat(documented()).isEqualTo(answered);
  }

  @Test
  void paths_haveEveryHypercallOfTheContract() throws IOException {
    List<String> promised = new ArrayList<>();
    Matcher row = HYPERCALL_ROW.matcher(Files.readString(contract()));
    while (row.find()) {
      for (String op : row.group(2).replaceAll(" *\\([^)]*\\)", "").split(" ", -1)) {
        promised.add("post /v1/hypercalls/" + row.group(1) + "/" + op);
      }
    }

    assertThat(promised).hasSizeGreaterThan(70);
    assertThat(documented()).containsAll(promised);
  }

  private static Path contract() {
    Path found =
        Stream.of("../shared/api.md", "../../shared/api.md", "../../../shared/api.md")
            .map(Path::of)
            .filter(Files::isRegularFile)
            .findFirst()
            .orElse(Path.of("absent"));
    assumeTrue(Files.isRegularFile(found), "the contract is not beside the repository");
    return found;
  }

  @Test
  void document_officialParser_hasNoMessages() {
    ParseOptions options = new ParseOptions();
    options.setResolve(true);

    SwaggerParseResult result =
        new OpenAPIV3Parser().readContents(served.text("/openapi.yaml"), null, options);

    assertThat(result.getMessages()).isNullOrEmpty();
    assertThat(result.getOpenAPI().getOpenapi()).isEqualTo("3.1.0");
    assertThat(result.getOpenAPI().getPaths()).hasSizeGreaterThan(100);
  }

  @Test
  void yamlAndJson_sayTheSame() throws IOException {
    Object yaml = new Yaml().load(served.text("/openapi.yaml"));

    assertThat(new ObjectMapper().<JsonNode>valueToTree(yaml)).isEqualTo(document);
  }

  @Test
  void operations_haveIdsOfTheirOwn() {
    List<String> ids = document.findValuesAsText("operationId");

    assertThat(ids).doesNotHaveDuplicates().hasSameSizeAs(documented());
    assertThat(ids).allMatch(id -> id.matches("[a-z0-9_]+"));
  }

  @Test
  void references_leadToParts() {
    Set<String> references = new HashSet<>(document.findValuesAsText("$ref"));

    assertThat(references)
        .contains("#/components/parameters/query.caller", "#/components/schemas/Problem")
        .allSatisfy(
            reference -> assertThat(document.at(reference.substring(1)).isMissingNode()).isFalse());
  }

  @Test
  void pathParameters_areAllDescribed() {
    document
        .path("components")
        .path("parameters")
        .forEach(
            parameter ->
                assertThat(parameter.path("description").asText())
                    .as(parameter.path("name").asText())
                    .isNotEmpty());
  }

  @Test
  void operations_mayFailWithAProblem() {
    document
        .path("paths")
        .forEach(
            path ->
                path.properties().stream()
                    .filter(member -> METHODS.contains(member.getKey()))
                    .forEach(
                        member ->
                            assertThat(member.getValue().at("/responses/default/$ref").asText())
                                .isEqualTo("#/components/responses/Problem")));
  }

  @Test
  void assignDevice_namesItsArgumentsAndErrnos() {
    JsonNode operation =
        document.path("paths").path("/v1/hypercalls/domctl/assign_device").path("post");

    assertThat(operation.at("/responses/409/description").asText()).contains("EBUSY");
    assertThat(operation.at("/responses/404/description").asText()).contains("ENODEV", "ESRCH");
    assertThat(operation.at("/requestBody/content/application~1json/schema/$ref").asText())
        .isEqualTo("#/components/schemas/domctl.assign_device");
    assertThat(document.at("/components/schemas/domctl.assign_device/properties").fieldNames())
        .toIterable()
        .contains("domain", "machine_sbdf");
  }

  @Test
  void unimplemented_isSaidToBe() {
    Operation<?> missing = served.machine().catalogue().find("domctl", "soft_reset").orElseThrow();

    JsonNode responses =
        document.path("paths").path(HypercallDescriber.path(missing)).at("/post/responses");

    assertThat(responses.has("501")).isTrue();
    assertThat(responses.has("200")).isFalse();
  }

  @Test
  void document_twoDaemons_isTheSame() {
    try (ServedDocument other = new ServedDocument()) {
      assertThat(other.text("/openapi.yaml")).isEqualTo(served.text("/openapi.yaml"));
    }
  }
}
