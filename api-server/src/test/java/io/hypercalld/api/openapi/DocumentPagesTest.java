package io.hypercalld.api.openapi;

import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.api.rest.Encoded;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The pages to read: they are there, and they need nothing that is not. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class DocumentPagesTest {
  private static final Pattern REFERENCE =
      Pattern.compile("(?:src|href|url):?\\s*=?\\s*\"([^\"]+)\"");
  private static final Pattern STYLE_REFERENCE =
      Pattern.compile("(?:@import\\s+|url\\(\\s*)[\"']?([^\"')\\s]+)");

  private final ServedDocument served = new ServedDocument();

  @AfterAll
  void close() {
    served.close();
  }

  private static List<String> references(Pattern pattern, String text) {
    return pattern.matcher(text).results().map((MatchResult found) -> found.group(1)).toList();
  }

  @Test
  void page_everythingItRefersTo_isServedHere() {
    String page = served.text("/docs");

    List<String> references = references(REFERENCE, page);

    assertThat(references).hasSize(4).allMatch(path -> path.startsWith("/docs/"));
    assertThat(references).allMatch(path -> served.get(path).status() == 200);
    assertThat(page).doesNotContain("http:", "https:", "//");
  }

  @Test
  void script_readsTheDocument_andNothingElse() {
    String script = served.text("/docs/start.js");

    assertThat(references(REFERENCE, script)).containsExactly("/openapi.yaml");
    assertThat(script).contains("validatorUrl: null");
    assertThat(script).doesNotContain("http:", "https:", "//");
    assertThat(served.get("/openapi.yaml").mediaType()).isEqualTo("application/yaml");
  }

  @Test
  void styles_loadNothingElse() {
    assertThat(references(STYLE_REFERENCE, served.text("/docs/swagger-ui.css")))
        .allMatch(reference -> reference.startsWith("data:"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"/docs", "/docs/start.js", "/docs/swagger-ui-bundle.js", "/docs/swagger-ui.css"})
  void answers_letTheBrowserAskNobodyElse(String path) {
    Encoded answer = served.get(path);

    assertThat(answer.status()).isEqualTo(200);
    assertThat(answer.headers().get("Content-Security-Policy"))
        .contains("default-src 'self'")
        .doesNotContain("http");
  }

  @Test
  void bundle_isWhole() {
    Encoded bundle = served.get("/docs/swagger-ui-bundle.js");

    assertThat(bundle.mediaType()).startsWith("text/javascript");
    assertThat(bundle.body()).hasSizeGreaterThan(1_000_000);
  }

  @ParameterizedTest
  @ValueSource(strings = {"/docs/index.html", "/docs/..", "/docs/swagger-ui.js.map"})
  void otherFiles_areNotServed(String path) {
    assertThat(served.get(path).status()).isEqualTo(404);
  }

  @Test
  void platformSchema_isServed() {
    assertThat(served.get("/schemas/platform.json").mediaType())
        .isEqualTo("application/schema+json");
    assertThat(served.text("/schemas/platform.json")).contains("\"hostAddressWidth\"");
  }
}
