package io.hypercalld.api.openapi;

import io.hypercalld.api.hypercall.HypercallCatalogue;
import io.hypercalld.api.json.Shapes;
import io.hypercalld.api.rest.Route;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * The OpenAPI 3.1 description of the routes. Thread-safe.
 *
 * <p>Made when it is first asked for, as it takes longer than the daemon may take to start. Each
 * hypercall is a path of its own there, with the schema of its arguments.
 */
final class OpenApiDocument {
  /** The path that all hypercalls come in by. */
  private static final String HYPERCALL = "/v1/hypercalls/{call}/{op}";

  private final String version;
  private final List<Route> routes;
  private final HypercallCatalogue catalogue;
  private final Once<Map<String, Object>> document = new Once<>(this::document);
  private final Once<byte[]> yaml =
      new Once<>(() -> YamlWriter.write(document.get()).getBytes(StandardCharsets.UTF_8));
  private final Once<byte[]> json = new Once<>(() -> Shapes.RESOURCES.encode(document.get()));

  /**
   * A description of these routes.
   *
   * @param version the daemon's
   * @param routes may grow until somebody asks
   */
  OpenApiDocument(String version, List<Route> routes, HypercallCatalogue catalogue) {
    this.version = version;
    this.routes = routes;
    this.catalogue = catalogue;
  }

  /** In UTF-8; not to be changed. */
  byte[] yaml() {
    return yaml.get();
  }

  /** In UTF-8; not to be changed. */
  byte[] json() {
    return json.get();
  }

  private Map<String, Object> document() {
    Components components = new Components();
    Map<String, Object> paths = paths(components);
    return new Described()
        .with("openapi", "3.1.0")
        .with("info", info())
        .with("servers", List.of(Map.of("url", "/")))
        .with("security", Components.security())
        .with("paths", Described.ordered(paths))
        .with("components", Described.ordered(components.done()))
        .done();
  }

  private Map<String, Object> info() {
    return new Described()
        .with("title", "hypercalld")
        .with("version", version)
        .with(
            "description",
            "A hypervisor's control plane you can curl: Xen's hypercalls and the machine below"
                + " them. What a platform file may say is in /schemas/platform.json. It is not"
                + " cycle accurate: time and costs are configuration. No guest's operating system"
                + " runs: how far one boots is told by declared models.")
        .with(
            "license",
            new Described().with("name", "Apache 2.0").with("identifier", "Apache-2.0").done())
        .done();
  }

  private Map<String, Object> paths(Components components) {
    Map<String, Map<String, Object>> paths = new LinkedHashMap<>();
    RouteDescriber describer = new RouteDescriber(components);
    for (Route route : routes) {
      put(paths, route, route.path().text(), describer.describe(route));
      if (route.path().text().equals(HYPERCALL)) {
        HypercallDescriber hypercalls = new HypercallDescriber(components, describer, route);
        catalogue
            .all()
            .forEach(
                operation ->
                    put(
                        paths,
                        route,
                        HypercallDescriber.path(operation),
                        hypercalls.describe(operation)));
      }
    }
    return new LinkedHashMap<>(paths);
  }

  private static void put(
      Map<String, Map<String, Object>> paths,
      Route route,
      String path,
      Map<String, Object> operation) {
    paths
        .computeIfAbsent(path, _ -> new LinkedHashMap<>())
        .put(route.method().name().toLowerCase(Locale.ROOT), operation);
  }
}
