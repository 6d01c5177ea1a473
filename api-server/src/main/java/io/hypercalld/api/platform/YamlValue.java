package io.hypercalld.api.platform;

import com.google.errorprone.annotations.FormatMethod;
import com.google.errorprone.annotations.FormatString;
import io.hypercalld.api.json.Size;
import io.hypercalld.core.errno.MalformedInput;
import io.hypercalld.iommu.pci.Sbdf;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.yaml.snakeyaml.nodes.MappingNode;
import org.yaml.snakeyaml.nodes.Node;
import org.yaml.snakeyaml.nodes.ScalarNode;
import org.yaml.snakeyaml.nodes.SequenceNode;

/**
 * A value in a YAML file, and where it is. Immutable.
 *
 * <p>Scalars are read as the text that is written, never as what YAML makes of it: to YAML 1.1 the
 * address {@code 03:10.0} is a number in base 60.
 *
 * @param pointer the way to it from the root, as in RFC 6901
 */
record YamlValue(Node node, String pointer) {
  private static final Pattern DECIMAL = Pattern.compile("[0-9]{1,18}");
  private static final Pattern HEXADECIMAL = Pattern.compile("0x[0-9a-fA-F]{1,16}");

  /** A complaint about this value. */
  @FormatMethod
  MalformedInput wrong(@FormatString String why, Object... values) {
    String place = pointer.isEmpty() ? "the document" : pointer;
    // What the file says is quoted in complaints, and may itself have several lines.
    String quoted = why.formatted(values).replaceAll("\\p{Cntrl}+", " ");
    return MalformedInput.at(
        "line %d, %s".formatted(node.getStartMark().getLine() + 1, place), "%s", quoted);
  }

  /** The value as an object that has no other members than these. */
  YamlObject object(String... members) {
    if (node instanceof MappingNode mapping) {
      return YamlObject.of(this, mapping, List.of(members));
    }
    throw wrong("an object is due here");
  }

  List<YamlValue> list() {
    if (node instanceof SequenceNode sequence) {
      List<YamlValue> values = new ArrayList<>();
      for (Node element : sequence.getValue()) {
        values.add(new YamlValue(element, pointer + "/" + values.size()));
      }
      return values;
    }
    throw wrong("a list is due here");
  }

  String text() {
    if (node instanceof ScalarNode scalar && !scalar.getValue().isBlank()) {
      return scalar.getValue();
    }
    throw wrong("a text is due here");
  }

  boolean flag() {
    return switch (text()) {
      case "true" -> true;
      case "false" -> false;
      default -> throw wrong("%s is neither true nor false", text());
    };
  }

  /** A word of 64 bits: decimal, or hexadecimal with 0x. */
  long word() {
    String text = text();
    if (DECIMAL.matcher(text).matches()) {
      return Long.parseLong(text);
    }
    if (HEXADECIMAL.matcher(text).matches()) {
      return Long.parseUnsignedLong(text.substring(2), 16);
    }
    throw wrong("%s is not a number such as 12 or 0xfed90000", text);
  }

  /** A number from 0 to {@code most}. */
  int number(int most) {
    long value = word();
    if (value < 0 || value > most) {
      throw wrong("%s is not between 0 and %d", text(), most);
    }
    return (int) value;
  }

  /** An amount of memory. */
  long bytes() {
    return Size.parse(text())
        .orElseThrow(() -> wrong("%s is not an amount of memory such as 64GiB", text()))
        .bytes();
  }

  /** The address of a PCI function. */
  Sbdf sbdf() {
    return checked(() -> Sbdf.parse(text()));
  }

  /** What is made of this value, where its maker refuses some values. */
  <T> T checked(Maker<T> maker) {
    try {
      return maker.make();
    } catch (IllegalArgumentException refused) {
      throw wrong("%s", String.valueOf(refused.getMessage()));
    }
  }

  /** Makes something, or says with an {@link IllegalArgumentException} why not. */
  interface Maker<T> {
    T make();
  }
}
