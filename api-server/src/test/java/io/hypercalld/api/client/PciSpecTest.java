package io.hypercalld.api.client;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class PciSpecTest {
  private static final OptionalInt NONE = OptionalInt.empty();

  @Test
  void address_withoutSegment_isOfSegment0() {
    assertThat(PciSpec.parse("3:1f.7"))
        .contains(new PciSpec("0000:03:1f", OptionalInt.of(7), NONE, false));
  }

  @Test
  void address_withEverything_isUnderstood() {
    assertThat(PciSpec.parse("A:83:0.*@1e,msitranslate=1,rdm_policy=relaxed,seize=0"))
        .contains(new PciSpec("000a:83:00", NONE, OptionalInt.of(0x1e), true));
  }

  @Test
  void policy_saidTwice_isTheLast() {
    assertThat(PciSpec.parse("03:10.0,rdm_policy=relaxed,rdm_policy=strict"))
        .contains(new PciSpec("0000:03:10", OptionalInt.of(0), NONE, false));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "03:10",
        "03:10.8",
        "03:20.0",
        "003:10.0",
        "10000:03:10.0",
        "03:10.0@",
        "03:10.0@20",
        "03:10.0@4.1",
        "03:10.0,",
        "03:10.0,permissive",
        "03:10.0,permissive=2",
        "03:10.0,rdm_policy=lax",
        "03:10.0,colour=red",
        "03:10.**",
        " 03:10.0"
      })
  void text_thatIsNoSpec_isNone(String text) {
    assertThat(PciSpec.parse(text)).isEmpty();
  }

  @Test
  void allFunctions_areThoseThatTheHostHas() {
    List<String> host = List.of("0000:03:10.0", "0000:03:10.3", "0000:03:11.0", "0001:03:10.0");

    assertThat(PciSpec.parse("03:10.*").orElseThrow().among(host))
        .containsExactly("0000:03:10.0", "0000:03:10.3");
    assertThat(PciSpec.parse("03:11.0").orElseThrow().among(host)).containsExactly("0000:03:11.0");
    assertThat(PciSpec.parse("03:10.1").orElseThrow().among(host)).isEmpty();
  }
}
