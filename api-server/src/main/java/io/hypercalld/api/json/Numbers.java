package io.hypercalld.api.json;

import com.fasterxml.jackson.core.JsonToken;
import io.hypercalld.core.domain.DomainId;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongFunction;
import java.util.function.ToLongFunction;

/** The shapes of numbers. Immutable. */
final class Numbers {
  /** The largest integer that every JSON implementation reads exactly: 2^53-1. */
  static final long LARGEST_EXACT = (1L << 53) - 1;

  private static final int LARGEST_DOMAIN_ID = 0xffff;
  private static final String HEX_PATTERN = "^0[xX][0-9a-fA-F]{1,16}$";
  private static final int HEX_RADIX = 16;
  private static final int HEX_PREFIX = 2;
  private static final int LONGEST_HEX = HEX_PREFIX + 16;

  static final Shape<Integer> INT = ints(0);
  static final Shape<Integer> SIGNED_INT = ints(Integer.MIN_VALUE);
  static final Shape<Long> COUNT =
      new Scalar<>(Numbers::readCount, (out, value) -> out.number(value), schemaOfCounts());
  static final Shape<DomainId> DOMAIN_ID =
      new Scalar<>(
          in -> new DomainId((int) readInteger(in, 0, LARGEST_DOMAIN_ID)),
          (out, value) -> out.number(value.value()),
          integers(0, LARGEST_DOMAIN_ID));

  static final Shape<Double> FRACTION =
      new Scalar<>(
          Numbers::readFraction, (out, value) -> out.number(value), Map.of("type", "number"));

  private Numbers() {}

  /** The shape of a type that people read in hexadecimal. */
  static <T> Shape<T> hex(LongFunction<T> make, ToLongFunction<T> value) {
    return new Scalar<>(
        in -> make.apply(readWord(in)),
        (out, word) -> out.hex(value.applyAsLong(word)),
        schemaOfWords());
  }

  /**
   * The 64 bits that a hexadecimal spelling stands for, as a query parameter or a member has it.
   */
  static OptionalHex parseHex(String text) {
    return parseHex(text.toCharArray(), 0, text.length());
  }

  /** As {@link #parseHex(String)}, for some of the letters. */
  static OptionalHex parseHex(char[] letters, int from, int length) {
    if (length <= HEX_PREFIX
        || length > LONGEST_HEX
        || letters[from] != '0'
        || (letters[from + 1] | 0x20) != 'x') {
      return OptionalHex.NONE;
    }
    long value = 0;
    for (int at = from + HEX_PREFIX; at < from + length; at++) {
      char letter = letters[at];
      int digit = letter < 0x80 ? Character.digit(letter, HEX_RADIX) : -1;
      if (digit < 0) {
        return OptionalHex.NONE;
      }
      value = (value << 4) | digit;
    }
    return new OptionalHex(true, value);
  }

  /** A word, if the text was one. Immutable. */
  record OptionalHex(boolean isPresent, long value) {
    private static final OptionalHex NONE = new OptionalHex(false, 0);
  }

  private static Shape<Integer> ints(int least) {
    return new Scalar<>(
        in -> (int) readInteger(in, least, Integer.MAX_VALUE),
        (out, value) -> out.number(value),
        integers(least, Integer.MAX_VALUE));
  }

  private static long readWord(JsonReader in) {
    if (in.token() == JsonToken.VALUE_STRING) {
      OptionalHex word = in.hex();
      if (!word.isPresent()) {
        throw in.invalid("not a hexadecimal number of at most 64 bits, such as \"0x1a2b\"");
      }
      return word.value();
    }
    if (in.token() != JsonToken.VALUE_NUMBER_INT) {
      throw in.expected("a hexadecimal string or an integer");
    }
    return readInteger(in, 0, LARGEST_EXACT);
  }

  private static long readCount(JsonReader in) {
    if (in.token() != JsonToken.VALUE_STRING) {
      return readInteger(in, 0, LARGEST_EXACT);
    }
    OptionalHex count = in.hex();
    if (!count.isPresent() || count.value() < 0) {
      throw in.invalid("not an integer from 0 to 2^63-1");
    }
    return count.value();
  }

  private static long readInteger(JsonReader in, long least, long most) {
    if (in.token() != JsonToken.VALUE_NUMBER_INT) {
      throw in.expected("an integer");
    }
    var value = in.integer();
    if (value.isEmpty() || value.getAsLong() < least || value.getAsLong() > most) {
      throw in.invalid(
          most == LARGEST_EXACT
              ? "not an integer from %d to %d (larger ones are written in hexadecimal, as strings)"
              : "not an integer from %d to %d",
          least,
          most);
    }
    return value.getAsLong();
  }

  private static double readFraction(JsonReader in) {
    if (in.token() != JsonToken.VALUE_NUMBER_INT && in.token() != JsonToken.VALUE_NUMBER_FLOAT) {
      throw in.expected("a number");
    }
    double number = Double.parseDouble(in.text());
    if (!Double.isFinite(number)) {
      throw in.invalid("not a number that 64 bits hold");
    }
    return number;
  }

  private static Map<String, Object> integers(long least, long most) {
    Map<String, Object> schema = new LinkedHashMap<>();
    schema.put("type", "integer");
    schema.put("minimum", least);
    schema.put("maximum", most);
    return schema;
  }

  private static Map<String, Object> schemaOfCounts() {
    return integers(0, LARGEST_EXACT);
  }

  private static Map<String, Object> schemaOfWords() {
    return Map.of(
        "oneOf",
        List.of(Map.of("type", "string", "pattern", HEX_PATTERN), integers(0, LARGEST_EXACT)));
  }
}
