package io.hypercalld.api.openapi;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.yaml.snakeyaml.Yaml;

/** YAML that others read as it was meant. */
class YamlWriterTest {
  private static Object readBack(Map<String, Object> document) {
    return new Yaml().load(YamlWriter.write(document));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "plain",
        "two words",
        "/v1/domains/{d}",
        "$ref",
        "#/components/x",
        "",
        " ",
        "no",
        "Off",
        "null",
        "200",
        "0x1a",
        "1e3",
        "a: b",
        "- a",
        "it's",
        "say \"so\"",
        "back\\slash",
        "two\nlines",
        "*",
        "~",
        "^[0-9]+(KiB|)$",
        "{d}",
        "[a]",
        "trailing ",
        "y",
        "a #b",
        "% of",
        "@at",
        "`tick`",
        "!tag",
        "&a"
      })
  void text_whateverItIs_isReadAsThatText(String text) {
    Map<String, Object> document = Map.of("member", text, "key " + text, List.of(text));

    assertThat(readBack(document)).isEqualTo(document);
  }

  @Test
  void nesting_whateverItIs_isReadAsWritten() {
    Map<String, Object> document =
        Map.of(
            "empty",
            List.of(Map.of(), List.of()),
            "lists",
            List.of(List.of(1, 2), List.of(Map.of("a", List.of(Map.of("b", true))))),
            "map",
            Map.of("long", 9007199254740991L, "deep", Map.of("deeper", Map.of("x", -1))));

    assertThat(readBack(document)).isEqualTo(document);
  }

  @Test
  void list_ofMaps_beginsWithTheirFirstMember() {
    assertThat(YamlWriter.write(Map.of("tags", List.of(Map.of("name", "domctl")))))
        .isEqualTo(
            """
            tags:
              - name: domctl
            """);
  }
}
