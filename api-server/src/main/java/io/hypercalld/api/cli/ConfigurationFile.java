package io.hypercalld.api.cli;

import io.hypercalld.api.json.Spelling;
import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.Map;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import org.yaml.snakeyaml.error.MarkedYAMLException;
import org.yaml.snakeyaml.error.YAMLException;

/** A YAML file of settings: {@code port: 7780}. */
final class ConfigurationFile {
  private ConfigurationFile() {}

  /**
   * The settings of a file.
   *
   * @throws InvalidSetting where it cannot be read, or holds anything but settings
   */
  static Map<Setting, SettingValue> read(Path file) {
    Object root = load(file);
    Map<Setting, SettingValue> values = new EnumMap<>(Setting.class);
    if (root == null) {
      return values;
    }
    if (!(root instanceof Map<?, ?> members)) {
      throw InvalidSetting.of("%s: settings are due, such as \"port: 7780\"", file);
    }
    members.forEach((key, value) -> put(file, String.valueOf(key), value, values));
    return values;
  }

  private static void put(Path file, String key, Object value, Map<Setting, SettingValue> values) {
    Setting setting =
        Setting.ofKey(key)
            .orElseThrow(
                () ->
                    InvalidSetting.of(
                        "%s: unknown key %s%s", file, key, Spelling.hint(key, Setting.keys())));
    if (value == null || value instanceof Map || value instanceof Iterable) {
      throw InvalidSetting.of("%s: %s is not one value", file, key);
    }
    values.put(setting, new SettingValue(value.toString(), file + ": " + key));
  }

  private static @org.jspecify.annotations.Nullable Object load(Path file) {
    LoaderOptions options = new LoaderOptions();
    options.setAllowDuplicateKeys(false);
    try (Reader reader = Files.newBufferedReader(file)) {
      return new Yaml(new SafeConstructor(options)).load(reader);
    } catch (MarkedYAMLException e) {
      var mark = e.getProblemMark();
      throw InvalidSetting.of(
          "%s: %s is not YAML", file, mark == null ? "the text" : "line " + (mark.getLine() + 1));
    } catch (YAMLException e) {
      throw InvalidSetting.of("%s: the text is not YAML", file);
    } catch (IOException e) {
      throw InvalidSetting.of("%s: cannot be read", file);
    }
  }
}
