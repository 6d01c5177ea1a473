package io.hypercalld.core.memory;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class FrameRecordTest {
  @Test
  void countInfo_hasXensBits() {
    assertThat(FrameRecord.ALLOCATED.mask()).isEqualTo(1L << 63);
    assertThat(FrameRecord.XEN_HEAP.mask()).isEqualTo(1L << 62);
    assertThat(FrameRecord.EXTRA.mask()).isEqualTo(1L << 61);
    assertThat(FrameRecord.COUNT_INFO.reservedMask()).isZero();
  }

  @Test
  void ownership_namesEveryBit() {
    assertThat(FrameRecord.OWNERSHIP.reservedMask()).isEqualTo(0x0300_0000_ffc0_0000L);
  }

  @Test
  void record_isTwentyFourBytes() {
    assertThat(FrameRecords.BYTES).isEqualTo(24);
  }
}
