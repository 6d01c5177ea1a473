package io.hypercalld.iommu.pci;

import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.core.errno.MalformedInput;
import io.hypercalld.iommu.platform.RealPlatforms;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Listings cut and changed: functions or a refusal come out, and nothing else. */
@Timeout(120)
class LspciListingFuzzTest {
  private static final int ROUNDS = 150;
  private static final String ALPHABET = "0123456789abcdef:.[]() \t\n+-=,xyzVF";

  private final RandomGenerator random =
      RandomGeneratorFactory.of("L64X128MixRandom").create(20260101);

  @Test
  void parse_truncatedAnywhere_isAListingOrRefused() {
    RealPlatforms platforms = RealPlatforms.required();
    for (String name : platforms.listed()) {
      String text = platforms.listing(name);
      for (int round = 0; round < ROUNDS; round++) {
        parse(text.substring(0, random.nextInt(text.length())));
      }
    }
  }

  @Test
  void parse_charactersChanged_isAListingOrRefused() {
    RealPlatforms platforms = RealPlatforms.required();
    for (String name : platforms.listed()) {
      String text = platforms.listing(name);
      for (int round = 0; round < ROUNDS; round++) {
        parse(mutate(text, random.nextInt(1, 20)));
      }
    }
  }

  @Test
  void parse_dumpOfAnything_isAListingOrRefused() {
    for (int round = 0; round < 2_000; round++) {
      HexDump dump = new HexDump(4096);
      for (int change = 0; change < 40; change++) {
        dump.u8(random.nextInt(256), random.nextInt(256));
      }
      dump.u32(0x100, random.nextInt());
      parse(dump.listing("03:00.0 Thing: Somebody"));
    }
  }

  @Test
  void parse_lineThatInvitesBacktracking_takesNoTime() {
    parse("00:00.0 " + "[0600]: ".repeat(500) + "[8086:12");
    parse("00:00.0 A [0600]: " + "x [8086:1234] (rev 01) ".repeat(170) + "!");
  }

  private String mutate(String text, int changes) {
    StringBuilder changed = new StringBuilder(text);
    for (int change = 0; change < changes; change++) {
      int at = random.nextInt(changed.length());
      changed.setCharAt(at, ALPHABET.charAt(random.nextInt(ALPHABET.length())));
    }
    return changed.toString();
  }

  private static void parse(String text) {
    try {
      // What was read is a machine that can be built.
      new PciTopology(VirtualFunctions.madeAvailable(LspciListing.parse(text)));
    } catch (MalformedInput refused) {
      assertThat(refused.reason()).startsWith("line ").doesNotContain("\n");
    }
  }
}
