package io.hypercalld.api.platform;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.networknt.schema.JsonSchema;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SpecVersion;
import com.networknt.schema.ValidationMessage;
import io.hypercalld.core.errno.MalformedInput;
import io.hypercalld.iommu.pci.PciKind;
import java.util.Arrays;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;

/** The published schema says what the reader accepts. */
class PlatformSchemaTest {
  private final JsonSchema schema =
      JsonSchemaFactory.getInstance(SpecVersion.VersionFlag.V202012)
          .getSchema(EmbeddedPlatforms.schema());

  /** What any YAML tool makes of the text. */
  private static JsonNode json(String yaml) {
    Object value = new Yaml(new SafeConstructor(new LoaderOptions())).load(yaml);
    return new ObjectMapper().valueToTree(value);
  }

  private Set<ValidationMessage> validate(String yaml) {
    return schema.validate(json(yaml));
  }

  @Test
  void schema_embeddedPlatforms_areValid() {
    for (String name : EmbeddedPlatforms.names()) {
      assertThat(validate(EmbeddedPlatforms.find(name).orElseThrow())).isEmpty();
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "units: | unit:",
        "includeAll: true | includAll: true",
        "size: 64GiB | size: 64GB",
        "kind: pci | kind: isa",
        "class: 0x060000 | class: 0x1060000",
        "address: \"0000:00:00.0\" | address: \"0000:00:00.9\"",
        "hostAddressWidth: 46 | hostAddressWidth: 64",
        "totalVfs: 128, | totalVfs: many,",
        "limit: 0x7b470fff | limit: x",
        "includeAll: true | 'habits: {collapseFaults: true}'",
        "includeAll: true | version: 256",
      })
  void schema_mistakes_areRefusedByBoth(String from, String to) {
    String text = EmbeddedPlatforms.find("two-socket").orElseThrow().replace(from, to);

    assertThat(validate(text)).isNotEmpty();
    assertThat(refuses(text)).isTrue();
  }

  private static boolean refuses(String text) {
    try {
      PlatformReader.read(text);
      return false;
    } catch (MalformedInput refused) {
      return true;
    }
  }

  @Test
  void schema_kinds_areAllKinds() {
    JsonNode kinds = json(EmbeddedPlatforms.schema()).at("/$defs/device/properties/kind/enum");

    assertThat(kinds)
        .map(JsonNode::asText)
        .containsExactlyElementsOf(Arrays.stream(PciKind.values()).map(PciKind::toString).toList());
  }
}
