package io.hypercalld.core.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.hypercalld.core.SimulatedHost;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class MachineMemoryTest {
  private static final long GIB = 1L << 30;

  private final MachineMemory memory = new MachineMemory(MemoryMap.of(8 * GIB, 2 * GIB, List.of()));

  @AfterEach
  void release() {
    memory.close();
  }

  @Test
  void word_isLittleEndian() {
    byte[] bytes = new byte[8];

    memory.writeWord(0x20_0000, 0x1122_3344_5566_7788L);

    memory.read(0x20_0000, bytes, 0, 8);
    assertThat(bytes).containsExactly(0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11);
    assertThat(memory.readInt(0x20_0004)).isEqualTo(0x1122_3344);
  }

  @Test
  void write_acrossPages_touchesEachOfThem() {
    memory.write(0x20_0ffe, new byte[] {1, 2, 3, 4}, 0, 4);

    assertThat(memory.touchedFrames()).isEqualTo(2);
    assertThat(memory.readInt(0x20_1000)).isEqualTo(0x0403);
  }

  @Test
  void write_ofNothing_touchesNothing() {
    memory.write(0x20_1000, new byte[0], 0, 0);

    assertThat(memory.touchedFrames()).isZero();
  }

  @Test
  void scrub_zerosItsFramesAndNoOthers() {
    for (long frame = 0x200; frame < 0x210; frame++) {
      memory.writeWord(frame << 12, frame);
    }

    memory.scrub(new Mfn(0x202), 4);

    assertThat(memory.readWord(0x201_000)).isEqualTo(0x201);
    assertThat(memory.readWord(0x202_000)).isZero();
    assertThat(memory.readWord(0x205_000)).isZero();
    assertThat(memory.readWord(0x206_000)).isEqualTo(0x206);
    assertThat(memory.touchedFrames()).isEqualTo(12);
  }

  @Test
  void scrub_ofFramesWithGapsUpToTheEndOfMemory_endsThere() {
    long last = ((10 * GIB) >>> 12) - 1;
    memory.writeWord((last - 5) << 12, 1);
    memory.writeWord(last << 12, 1);

    memory.scrub(new Mfn(last - 9), 10);

    assertThat(memory.touchedFrames()).isZero();
    assertThat(memory.readWord(last << 12)).isZero();
  }

  @Test
  void digest_ofZerosWrittenOver_isThatOfUntouchedMemory() {
    String untouched = SimulatedHost.digest(memory);

    memory.writeWord(0x30_0000, 7);
    assertThat(SimulatedHost.digest(memory)).isNotEqualTo(untouched);
    memory.writeWord(0x30_0000, 0);

    assertThat(SimulatedHost.digest(memory)).isEqualTo(untouched);
  }

  @Test
  void digest_tellsTheSameBytesAtTwoPlacesApart() {
    memory.writeWord(0x30_0000, 7);
    String first = SimulatedHost.digest(memory);
    memory.writeWord(0x30_0000, 0);
    memory.writeWord(0x30_1000, 7);

    assertThat(SimulatedHost.digest(memory)).isNotEqualTo(first);
  }

  @Test
  void isRam_ofAnyNumber_isAnswered() {
    assertThat(memory.isRam(2 * GIB - 1)).isTrue();
    assertThat(memory.isRam(2 * GIB)).isFalse();
    assertThat(memory.isRam(4 * GIB)).isTrue();
    assertThat(memory.isRam(10 * GIB)).isFalse();
    assertThat(memory.isRam(-1)).isFalse();
    assertThat(memory.isRam(Long.MIN_VALUE)).isFalse();
  }

  @Test
  void access_beyondMemory_isAProgrammingError() {
    assertThatThrownBy(() -> memory.writeWord(10 * GIB, 1))
        .isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> memory.readWord(-8)).isInstanceOf(IndexOutOfBoundsException.class);
  }

  @Test
  void machine_ofSixteenTib_startsAndReachesItsLastByte() {
    long bytes = 16L << 40;
    try (MachineMemory huge = new MachineMemory(MemoryMap.of(bytes, 2 * GIB, List.of()))) {
      FrameTable frames = new FrameTable(huge);
      FrameAllocator allocator = new FrameAllocator(huge, frames);
      long last = bytes + 2 * GIB - 8;

      huge.writeWord(last, 42);

      assertThat(huge.readWord(last)).isEqualTo(42);
      assertThat(allocator.totalFrames()).isEqualTo((bytes >>> 12) - 0x60);
      assertThat(frames.use(last >>> 12)).isEqualTo(FrameUse.FREE);
    }
  }
}
