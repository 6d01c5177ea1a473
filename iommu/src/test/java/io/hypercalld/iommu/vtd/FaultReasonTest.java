package io.hypercalld.iommu.vtd;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

final class FaultReasonTest {
  @Test
  void qualification_ofEveryReason_isTheSpecificationsColumn() {
    Set<Integer> unqualified = new TreeSet<>();
    for (FaultReason reason : FaultReason.values()) {
      if (!reason.isQualified()) {
        unqualified.add(reason.code());
      }
    }

    assertThat(unqualified)
        .containsExactly(
            0x1, 0x8, 0x9, 0xa, 0x20, 0x21, 0x23, 0x25, 0x29, 0x30, 0x31, 0x32, 0x33, 0x38, 0x39,
            0x3a, 0x40);
  }

  @Test
  void numbers_ofDmaReasons_runFrom1ToE() {
    for (int code = 1; code <= 0xe; code++) {
      assertThat(FaultReason.of(code)).get().extracting(FaultReason::code).isEqualTo(code);
    }
    assertThat(FaultReason.of(0)).isEmpty();
    assertThat(FaultReason.of(0xf)).isEmpty();
  }

  @Test
  void numbers_ofScalableMode_areThoseOfTheSpecification() {
    Set<Integer> expected = new TreeSet<>(Set.of(0x90, 0x91));
    addRange(expected, 0x30, 0x33);
    addRange(expected, 0x38, 0x3a);
    addRange(expected, 0x40, 0x48);
    addRange(expected, 0x50, 0x52);
    addRange(expected, 0x58, 0x5d);
    addRange(expected, 0x70, 0x7d);
    addRange(expected, 0x80, 0x87);

    Set<Integer> known = new TreeSet<>();
    for (FaultReason reason : FaultReason.values()) {
      if (reason.code() >= 0x30) {
        assertThat(reason.kind()).isEqualTo(FaultReason.Kind.DMA);
        known.add(reason.code());
      }
    }

    assertThat(known).isEqualTo(expected);
  }

  private static void addRange(Set<Integer> codes, int first, int last) {
    for (int code = first; code <= last; code++) {
      codes.add(code);
    }
  }

  @Test
  void text_ofKnownReasons_isXens() {
    assertThat(FaultReason.CONTEXT_NOT_PRESENT.text())
        .isEqualTo("Present bit in context entry is clear");
    assertThat(FaultReason.WRITE_NOT_PERMITTED.text()).isEqualTo("PTE Write access is not set");
  }
}
