package io.hypercalld.api.openapi;

import io.hypercalld.api.hypercall.HypercallCatalogue;
import io.hypercalld.api.platform.EmbeddedPlatforms;
import io.hypercalld.api.rest.Encoded;
import io.hypercalld.api.rest.Reply;
import io.hypercalld.api.rest.Request;
import io.hypercalld.api.rest.Route;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** The OpenAPI document, the schema of platforms, and pages to read and to try. Immutable. */
public final class DocumentRoutes {
  private static final String YAML = "application/yaml";
  private static final String SCHEMA = "application/schema+json";

  private final OpenApiDocument document;
  private final DocumentPages pages;

  private DocumentRoutes(OpenApiDocument document, DocumentPages pages) {
    this.document = document;
    this.pages = pages;
  }

  /**
   * The routes, followed by those of their documentation, which documents itself, too.
   *
   * @param version the daemon's
   * @param swaggerUi version of Swagger UI on the class path
   */
  public static List<Route> documented(
      List<Route> routes, HypercallCatalogue catalogue, String version, String swaggerUi) {
    List<Route> all = new ArrayList<>(routes);
    OpenApiDocument document = new OpenApiDocument(version, all, catalogue);
    all.addAll(new DocumentRoutes(document, new DocumentPages(swaggerUi)).routes());
    return List.copyOf(all);
  }

  private List<Route> routes() {
    return List.of(
        Route.get("/openapi.yaml", "This interface as an OpenAPI document")
            .answering(YAML)
            .by(request -> Reply.document(YAML, document.yaml())),
        Route.get("/openapi.json", "The same as JSON")
            .answering(Encoded.JSON)
            .by(request -> Reply.document(Encoded.JSON, document.json())),
        Route.get("/schemas/platform.json", "The JSON Schema of platform files")
            .answering(SCHEMA)
            .by(DocumentRoutes::platformSchema),
        Route.get("/docs", "This interface as pages to read and to try")
            .answering(DocumentPages.HTML)
            .by(request -> pages.page()),
        Route.get("/docs/{asset}", "What those pages are made of")
            .answering("*/*")
            .by(request -> pages.asset(request.place("asset"))));
  }

  private static Reply platformSchema(Request request) {
    byte[] text = EmbeddedPlatforms.schema().getBytes(StandardCharsets.UTF_8);
    return Reply.document(SCHEMA, text);
  }
}
