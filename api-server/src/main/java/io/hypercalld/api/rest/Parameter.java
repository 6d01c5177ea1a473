package io.hypercalld.api.rest;

import io.hypercalld.api.json.Shapes;
import java.util.Map;

/**
 * A query parameter. Immutable.
 *
 * @param schema its JSON Schema
 */
public record Parameter(
    String name, String description, boolean required, Map<String, Object> schema) {
  /** One that may be left out. */
  public static Parameter optional(String name, String description, Class<?> type) {
    return new Parameter(name, description, false, schemaOf(type));
  }

  /** One that must be there. */
  public static Parameter required(String name, String description, Class<?> type) {
    return new Parameter(name, description, true, schemaOf(type));
  }

  private static Map<String, Object> schemaOf(Class<?> type) {
    return Shapes.RESOURCES.of(type).schema();
  }
}
