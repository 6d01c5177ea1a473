package io.hypercalld.api.cli;

import io.hypercalld.api.json.Spelling;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * What every source says, the strongest first: command line, environment, file. Immutable.
 *
 * @param layers one map a source
 */
record SettingSources(List<Map<Setting, SettingValue>> layers) {
  private static final String PREFIX = "HV_";

  /** The variable that names the file; it has no place in the file itself. */
  static final String FILE_VARIABLE = "HV_CONFIG";

  /** Variables that others read: the launcher and the client. */
  private static final Set<String> OTHERS =
      Set.of(
          FILE_VARIABLE,
          "HV_URL",
          "HV_OUTPUT",
          "HV_TOKEN",
          "HV_CACERT",
          "HV_MACHINE",
          "HV_JAVA_HOME",
          "HV_JAVA_OPTS");

  /**
   * The settings of an environment.
   *
   * @throws InvalidSetting where a variable begins with {@code HV_} and means nothing
   */
  static Map<Setting, SettingValue> ofEnvironment(Map<String, String> environment) {
    Map<Setting, SettingValue> values = new EnumMap<>(Setting.class);
    Map<String, Setting> known =
        Arrays.stream(Setting.values())
            .collect(Collectors.toMap(Setting::variable, Function.identity()));
    environment.forEach(
        (name, value) -> {
          Setting setting = known.get(name);
          if (setting != null) {
            values.put(setting, new SettingValue(value, name));
          } else if (name.startsWith(PREFIX) && !OTHERS.contains(name)) {
            throw InvalidSetting.of(
                "unknown environment variable %s%s", name, Spelling.hint(name, known.keySet()));
          }
        });
    return values;
  }

  Optional<SettingValue> find(Setting setting) {
    return layers.stream()
        .filter(layer -> layer.containsKey(setting))
        .findFirst()
        .map(layer -> layer.get(setting))
        .or(() -> setting.fallback().map(text -> new SettingValue(text, setting.flag())));
  }

  /** Whether any source sets it, defaults aside. */
  boolean sets(Setting setting) {
    return layers.stream().anyMatch(layer -> layer.containsKey(setting));
  }
}
