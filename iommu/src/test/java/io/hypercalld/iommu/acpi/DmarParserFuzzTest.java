package io.hypercalld.iommu.acpi;

import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.core.errno.MalformedInput;
import io.hypercalld.iommu.platform.RealPlatforms;
import java.util.Arrays;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Tables cut and changed in every way: a table or a refusal comes out, and nothing else. */
@Timeout(120)
class DmarParserFuzzTest {
  private final RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(4711);

  @Test
  void parse_truncatedAnywhere_isRefused() {
    RealPlatforms platforms = RealPlatforms.required();
    for (String name : platforms.names()) {
      byte[] bytes = platforms.table(name);
      for (int length = 0; length < bytes.length; length++) {
        assertThat(isTable(Arrays.copyOf(bytes, length))).isFalse();
      }
    }
  }

  @Test
  void parse_truncatedAnywhereWithLengthAndChecksumMadeRight_isATableOrRefused() {
    RealPlatforms platforms = RealPlatforms.required();
    for (String name : platforms.names()) {
      byte[] bytes = platforms.table(name);
      for (int length = DmarParser.HEADER_BYTES; length < bytes.length; length++) {
        byte[] cut = Arrays.copyOf(bytes, length);
        cut[4] = (byte) length;
        cut[5] = (byte) (length >>> 8);
        isTable(TableBuilder.resealed(cut));
      }
    }
  }

  @Test
  void parse_anyByteFlipped_isRefused() {
    RealPlatforms platforms = RealPlatforms.required();
    for (String name : platforms.names()) {
      byte[] bytes = platforms.table(name);
      for (int at = 0; at < bytes.length; at++) {
        byte[] changed = bytes.clone();
        changed[at] ^= (byte) 0xff;
        assertThat(isTable(changed)).isFalse();
      }
    }
  }

  @Test
  void parse_anyBitFlippedWithChecksumMadeRight_isATableOrRefused() {
    RealPlatforms platforms = RealPlatforms.required();
    for (String name : platforms.names()) {
      byte[] bytes = platforms.table(name);
      for (int bit = 0; bit < bytes.length * 8; bit++) {
        byte[] changed = bytes.clone();
        changed[bit / 8] ^= (byte) (1 << bit % 8);
        isTable(TableBuilder.resealed(changed));
      }
    }
  }

  @Test
  void parse_manyBytesChanged_isATableOrRefused() {
    byte[] bytes =
        TableBuilder.table(
                TableBuilder.unit(0xfed9_1000L, TableBuilder.endpoint("00:02.0")),
                TableBuilder.includeAll(0xfed9_0000L),
                new Andd(1, "NAME"))
            .encode();
    for (int round = 0; round < 200_000; round++) {
      byte[] changed = bytes.clone();
      for (int change = random.nextInt(1, 5); change > 0; change--) {
        changed[random.nextInt(changed.length)] = (byte) random.nextInt();
      }
      isTable(TableBuilder.resealed(changed));
    }
  }

  /** Whether the bytes are a table that survives being written and read again. */
  private static boolean isTable(byte[] bytes) {
    DmarTable table;
    try {
      table = DmarParser.parse(bytes);
    } catch (MalformedInput refused) {
      assertThat(refused.reason()).startsWith("offset 0x").doesNotContain("\n");
      return false;
    }
    assertThat(DmarParser.parse(table.encode()).structures()).isEqualTo(table.structures());
    return true;
  }
}
