package io.hypercalld.api.json;

import com.fasterxml.jackson.core.JsonToken;
import io.hypercalld.core.bits.HexBytes;
import io.hypercalld.iommu.pci.Sbdf;
import io.hypercalld.iommu.pci.SourceId;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Function;

/** The shapes of what is spelled as a string, and of booleans. Immutable. */
final class Text {
  private static final String UUID_PATTERN = "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$";

  static final Shape<String> STRING =
      new Scalar<>(Text::readString, JsonWriter::string, Map.of("type", "string"));
  static final Shape<Boolean> BOOLEAN =
      new Scalar<>(Text::readBoolean, JsonWriter::bool, Map.of("type", "boolean"));
  static final Shape<UUID> ID =
      spelled(
          text ->
              text.matches(UUID_PATTERN) ? Optional.of(UUID.fromString(text)) : Optional.empty(),
          "a UUID",
          Map.of("type", "string", "format", "uuid"));
  static final Shape<HexBytes> BYTES =
      spelled(
          HexBytes::parse,
          "bytes in hexadecimal, two digits each",
          Map.of("type", "string", "pattern", "^([0-9a-fA-F]{2})*$"));

  static final Shape<Sbdf> SBDF =
      spelled(
          Text::parseSbdf,
          "a PCI function such as \"0000:03:00.0\" or \"03:00.0\"",
          Map.of("type", "string", "examples", List.of("0000:03:10.0")));
  static final Shape<SourceId> SOURCE_ID =
      spelled(
          text -> Optional.empty(),
          "a requester id",
          Map.of("type", "string", "examples", List.of("03:10.0")));

  static final Shape<Size> SIZE =
      new Scalar<>(
          Text::readSize,
          (out, size) -> out.string(size.toString()),
          Map.of(
              "oneOf",
              List.of(
                  Map.of("type", "string", "pattern", "^[0-9]+(KiB|MiB|GiB|TiB|)$"),
                  Map.of("type", "integer", "minimum", 0))));

  private Text() {}

  /**
   * The shape of a type whose {@code toString} is its spelling.
   *
   * @param due what a string that is none of these should have been
   */
  static <T> Shape<T> spelled(
      Function<String, Optional<T>> parse, String due, Map<String, Object> schema) {
    return new Scalar<>(
        in -> parse.apply(readString(in)).orElseThrow(() -> in.invalid("not %s", due)),
        (out, value) -> out.string(value.toString()),
        schema);
  }

  private static Optional<Sbdf> parseSbdf(String text) {
    try {
      return Optional.of(Sbdf.parse(text));
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
  }

  private static String readString(JsonReader in) {
    if (in.token() != JsonToken.VALUE_STRING) {
      throw in.expected("a string");
    }
    return in.text();
  }

  private static Size readSize(JsonReader in) {
    if (in.token() == JsonToken.VALUE_NUMBER_INT) {
      return new Size(Numbers.COUNT.read(in));
    }
    return Size.parse(readString(in))
        .orElseThrow(() -> in.invalid("not a size such as \"4GiB\", nor a number of bytes"));
  }

  private static boolean readBoolean(JsonReader in) {
    return switch (in.token()) {
      case VALUE_TRUE -> true;
      case VALUE_FALSE -> false;
      default -> throw in.expected("a boolean");
    };
  }
}
