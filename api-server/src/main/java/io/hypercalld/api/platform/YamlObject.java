package io.hypercalld.api.platform;

import io.hypercalld.api.json.Spelling;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.yaml.snakeyaml.nodes.MappingNode;
import org.yaml.snakeyaml.nodes.NodeTuple;

/** An object in a YAML file whose members are all known. Immutable. */
final class YamlObject {
  private final YamlValue whole;
  private final Map<String, YamlValue> members;

  private YamlObject(YamlValue whole, Map<String, YamlValue> members) {
    this.whole = whole;
    this.members = members;
  }

  static YamlObject of(YamlValue whole, MappingNode mapping, List<String> known) {
    Map<String, YamlValue> members = new LinkedHashMap<>();
    for (NodeTuple tuple : mapping.getValue()) {
      YamlValue key = new YamlValue(tuple.getKeyNode(), whole.pointer());
      String name = key.text();
      if (!known.contains(name)) {
        throw key.wrong("unknown key %s%s", name, Spelling.hint(name, known));
      }
      YamlValue value = new YamlValue(tuple.getValueNode(), whole.pointer() + "/" + name);
      if (members.putIfAbsent(name, value) != null) {
        throw key.wrong("key %s is there twice", name);
      }
    }
    return new YamlObject(whole, members);
  }

  YamlValue required(String name) {
    return optional(name).orElseThrow(() -> whole.wrong("key %s is missing", name));
  }

  Optional<YamlValue> optional(String name) {
    return Optional.ofNullable(members.get(name));
  }

  /** The elements of a list; none where the list is missing. */
  List<YamlValue> list(String name) {
    return optional(name).map(YamlValue::list).orElse(List.of());
  }

  int number(String name, int most, int otherwise) {
    return optional(name).map(value -> value.number(most)).orElse(otherwise);
  }

  boolean flag(String name, boolean otherwise) {
    return optional(name).map(YamlValue::flag).orElse(otherwise);
  }

  /** The object itself, to complain about. */
  YamlValue whole() {
    return whole;
  }
}
