package io.hypercalld.api.openapi;

import io.hypercalld.api.rest.Failure;
import io.hypercalld.api.rest.Problems;
import io.hypercalld.api.rest.Reply;
import io.hypercalld.api.rest.Request;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/** Swagger UI, out of the program's own archives: it needs no network. Immutable. */
final class DocumentPages {
  static final String HTML = "text/html; charset=utf-8";

  private static final String JAVASCRIPT = "text/javascript; charset=utf-8";
  private static final String WEBJAR = "META-INF/resources/webjars/swagger-ui/";
  private static final String START = "start.js";

  /** What the page needs of Swagger UI. */
  private static final Map<String, String> ASSETS =
      Map.of(
          "swagger-ui.css", "text/css; charset=utf-8",
          "swagger-ui-bundle.js", JAVASCRIPT,
          "favicon-32x32.png", "image/png");

  /** The browser itself sees to it that nothing comes from, or goes to, anywhere else. */
  private static final Map<String, String> OWN_ORIGIN_ONLY =
      Map.of(
          "Content-Security-Policy",
          "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:;"
              + " frame-ancestors 'none'; base-uri 'none'; form-action 'self'");

  private static final String PAGE =
      """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <title>hypercalld</title>
      <link rel="stylesheet" href="/docs/swagger-ui.css">
      <link rel="icon" href="/docs/favicon-32x32.png">
      </head>
      <body>
      <div id="swagger-ui"></div>
      <script src="/docs/swagger-ui-bundle.js"></script>
      <script src="/docs/start.js"></script>
      </body>
      </html>
      """;

  private static final String SCRIPT =
      """
      SwaggerUIBundle({
        url: "/openapi.yaml",
        dom_id: "#swagger-ui",
        deepLinking: true,
        docExpansion: "none",
        filter: true,
        defaultModelsExpandDepth: 0,
        validatorUrl: null
      });
      """;

  private final String version;

  /** The pages with a version of Swagger UI that is on the class path. */
  DocumentPages(String version) {
    this.version = version;
  }

  Reply page() {
    return reply(HTML, PAGE.getBytes(StandardCharsets.UTF_8));
  }

  /**
   * A file that the page refers to.
   *
   * @throws Failure 404 for any other
   */
  Reply asset(String name) {
    if (name.equals(START)) {
      return reply(JAVASCRIPT, SCRIPT.getBytes(StandardCharsets.UTF_8));
    }
    String mediaType = ASSETS.get(name);
    if (mediaType == null) {
      throw Failure.of(Problems.UNKNOWN_PATH, "/docs/%s does not exist", name);
    }
    return reply(mediaType, read(name));
  }

  private byte[] read(String name) {
    String resource = WEBJAR + version + "/" + name;
    try (InputStream file = DocumentPages.class.getClassLoader().getResourceAsStream(resource)) {
      if (file == null) {
        throw new IllegalStateException("Swagger UI " + version + " is not on the class path");
      }
      return file.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Reply reply(String mediaType, byte[] bytes) {
    return new Reply(200, new Reply.Document(mediaType, new Request.Body(bytes)), OWN_ORIGIN_ONLY);
  }
}
