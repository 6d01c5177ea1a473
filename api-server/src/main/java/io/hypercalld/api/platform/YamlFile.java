package io.hypercalld.api.platform;

import io.hypercalld.core.errno.MalformedInput;
import java.io.StringReader;
import org.yaml.snakeyaml.DumperOptions;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import org.yaml.snakeyaml.error.MarkedYAMLException;
import org.yaml.snakeyaml.error.YAMLException;
import org.yaml.snakeyaml.nodes.Node;
import org.yaml.snakeyaml.representer.Representer;

/** Reads YAML text into values that know where they are. Never instantiated. */
final class YamlFile {
  private static final int MOST_NESTING = 16;

  private YamlFile() {}

  /**
   * The one document in the text.
   *
   * @throws MalformedInput where it is not YAML, or more than plain values
   */
  static YamlValue parse(String text) {
    LoaderOptions options = new LoaderOptions();
    options.setNestingDepthLimit(MOST_NESTING);
    // An alias can make a small text a large document, or an endless one.
    options.setMaxAliasesForCollections(0);
    Yaml yaml =
        new Yaml(
            new SafeConstructor(options),
            new Representer(new DumperOptions()),
            new DumperOptions(),
            options);
    try {
      Node root = yaml.compose(new StringReader(text));
      if (root == null) {
        throw MalformedInput.at("line 1", "the document is empty");
      }
      return new YamlValue(root, "");
    } catch (MarkedYAMLException e) {
      throw MalformedInput.at(
          line(e), "this is not YAML: %s", oneLine(String.valueOf(e.getProblem())));
    } catch (YAMLException e) {
      throw MalformedInput.at(
          "the document", "this is not YAML: %s", oneLine(String.valueOf(e.getMessage())));
    }
  }

  private static String line(MarkedYAMLException e) {
    return e.getProblemMark() == null
        ? "the document"
        : "line " + (e.getProblemMark().getLine() + 1);
  }

  private static String oneLine(String text) {
    return text.replaceAll("\\s+", " ").strip();
  }
}
