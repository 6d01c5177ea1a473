package io.hypercalld.ioreq.dispatch;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The MC146818 as its guest sees it. */
final class RealTimeClockTest {
  private static final long SECOND = 1_000_000_000L;

  /** 2026-11-21 18:05:09, a Saturday. */
  private static final long NOW = 1_795_284_309L * SECOND;

  private final RealTimeClock clock = new RealTimeClock();

  private int read(int register) {
    clock.write(RealTimeClock.INDEX_PORT, register, NOW);
    return clock.read(RealTimeClock.DATA_PORT, NOW);
  }

  private OptionalLong write(int register, int value) {
    clock.write(RealTimeClock.INDEX_PORT, register, NOW);
    return clock.write(RealTimeClock.DATA_PORT, value, NOW);
  }

  @ParameterizedTest
  @CsvSource({
    "0x02, 0x09, 0x05, 0x18, 0x07, 0x21, 0x11, 0x26",
    "0x06, 9, 5, 18, 7, 21, 11, 26",
    "0x00, 0x09, 0x05, 0x86, 0x07, 0x21, 0x11, 0x26"
  })
  void time_inEveryFormat_isTheMachines(
      String control,
      String second,
      String minute,
      String hour,
      String weekday,
      String day,
      String month,
      String year) {
    write(0xb, Integer.decode(control));

    assertThat(read(0)).isEqualTo(Integer.decode(second));
    assertThat(read(2)).isEqualTo(Integer.decode(minute));
    assertThat(read(4)).isEqualTo(Integer.decode(hour));
    assertThat(read(6)).isEqualTo(Integer.decode(weekday));
    assertThat(read(7)).isEqualTo(Integer.decode(day));
    assertThat(read(8)).isEqualTo(Integer.decode(month));
    assertThat(read(9)).isEqualTo(Integer.decode(year));
  }

  @Test
  void time_setBetweenSetAndNotSet_changesOnce() {
    assertThat(write(0xb, 0x82)).isEmpty();
    assertThat(write(4, 0x20)).isEmpty();
    assertThat(write(2, 0x06)).isEmpty();
    assertThat(read(4)).isEqualTo(0x20);

    assertThat(write(0xb, 0x02)).hasValue(2 * 3600 + 60);
    assertThat(clock.offset()).isEqualTo(2 * 3600 + 60);
    assertThat(read(2)).isEqualTo(0x06);
  }

  @Test
  void time_setAtOnce_changesAtOnce_andTheSameIsNoChange() {
    assertThat(write(0, 0x10)).hasValue(1);
    assertThat(write(0, 0x10)).isEmpty();
    assertThat(write(8, 0x02)).hasValue(-273 * 86_400L);
  }

  @Test
  void time_thatThereIsNot_goesOnAsBefore() {
    write(0xb, 0x82);
    write(8, 0x13);

    assertThat(write(0xb, 0x02)).isEmpty();
    assertThat(read(8)).isEqualTo(0x11);
    assertThat(clock.offset()).isZero();
  }

  @Test
  void memory_keepsWhatItIsGiven_andItsBatteryIsFull() {
    write(0x7f, 0x5a);

    assertThat(read(0x7f)).isEqualTo(0x5a);
    assertThat(read(0xd)).isEqualTo(0x80);
    assertThat(read(0xc)).isZero();
    assertThat(clock.read(RealTimeClock.INDEX_PORT, NOW)).isEqualTo(0xff);
  }
}
