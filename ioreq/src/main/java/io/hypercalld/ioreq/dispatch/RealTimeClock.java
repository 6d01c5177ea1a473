package io.hypercalld.ioreq.dispatch;

import static io.hypercalld.core.bits.BitField.bit;
import static io.hypercalld.core.bits.BitField.bits;
import static io.hypercalld.core.bits.BitField.ignored;

import io.hypercalld.core.bits.BitField;
import io.hypercalld.core.bits.WordLayout;
import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import java.time.DateTimeException;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.OptionalLong;

/**
 * A domain's battery-backed clock, an MC146818, at ports 0x70 and 0x71: the time of day and 114
 * bytes of memory; it raises no interrupts. Confined to the machine thread.
 *
 * <p>Its time is the machine's, which begins at 1970, and the offset that the guest chose. A guest
 * that sets the time sets bit {@code SET} first, stores, and clears it again.
 *
 * <pre>
 *   register B:  SET[7] PIE AIE UIE SQWE DM[2] 24/12[1] DSE[0]
 * </pre>
 *
 * @see "xen/arch/x86/hvm/rtc.c, rtc_set_time and send_timeoffset_req"
 */
final class RealTimeClock implements Digestible {
  static final int INDEX_PORT = 0x70;
  static final int DATA_PORT = 0x71;

  static final BitField SET = bit("SET", 7);
  static final BitField BINARY = bit("DM", 2);
  static final BitField HOURS_24 = bit("24/12", 1);
  static final WordLayout REGISTER_B =
      WordLayout.covering(
          "rtc.b", ignored(0, 0), HOURS_24, BINARY, ignored(6, 3), SET, ignored(63, 8));
  static final BitField INDEX = bits("index", 6, 0);
  static final WordLayout SELECT = WordLayout.covering("rtc.index", INDEX, ignored(63, 7));

  private static final int SIZE = 128;
  private static final int SECONDS = 0;
  private static final int MINUTES = 2;
  private static final int HOURS = 4;
  private static final int WEEKDAY = 6;
  private static final int DAY = 7;
  private static final int MONTH = 8;
  private static final int YEAR = 9;
  private static final int CONTROL_B = 0xb;
  private static final int STATUS_C = 0xc;
  private static final int STATUS_D = 0xd;

  /** The memory is valid: the battery is not empty. */
  private static final int VALID = 0x80;

  private static final int AFTERNOON = 0x80;
  private static final int NOON = 12;
  private static final int PIVOT = 70;
  private static final int CENTURY = 100;
  private static final int NINETEEN_HUNDREDS = 1900;
  private static final int BCD = 10;
  private static final long NANOS = 1_000_000_000L;

  private final int[] memory = new int[SIZE];
  private int selected;
  private long offset;

  RealTimeClock() {
    memory[CONTROL_B] = (int) HOURS_24.mask();
  }

  /** Seconds by which the guest's time is ahead of the machine's. */
  long offset() {
    return offset;
  }

  /** Reads the byte at a port; the one that selects is not to be read. */
  int read(int port, long now) {
    return port == INDEX_PORT
        ? 0xff
        : switch (selected) {
          case SECONDS, MINUTES, HOURS, WEEKDAY, DAY, MONTH, YEAR -> time(selected, now);
          case STATUS_C -> 0;
          case STATUS_D -> VALID;
          default -> memory[selected];
        };
  }

  /**
   * Writes the byte at a port.
   *
   * @return by how many seconds the guest changed the time; empty where it did not
   */
  OptionalLong write(int port, int value, long now) {
    if (port == INDEX_PORT) {
      selected = (int) INDEX.get(value);
      return OptionalLong.empty();
    }
    boolean timekeeping = isSetting();
    switch (selected) {
      case SECONDS, MINUTES, HOURS, WEEKDAY, DAY, MONTH, YEAR -> {
        if (!timekeeping) {
          hold(now);
        }
        memory[selected] = value;
        return timekeeping ? OptionalLong.empty() : settle(now);
      }
      case CONTROL_B -> {
        if (!timekeeping && SET.isSet(value)) {
          hold(now);
        }
        memory[CONTROL_B] = value;
        return timekeeping && !SET.isSet(value) ? settle(now) : OptionalLong.empty();
      }
      case STATUS_C, STATUS_D -> {
        return OptionalLong.empty();
      }
      default -> {
        memory[selected] = value;
        return OptionalLong.empty();
      }
    }
  }

  private boolean isSetting() {
    return SET.isSet(memory[CONTROL_B]);
  }

  private int time(int register, long now) {
    return isSetting() ? memory[register] : register(register, date(now));
  }

  /** The registers stand still from now on. */
  private void hold(long now) {
    LocalDateTime date = date(now);
    for (int register : new int[] {SECONDS, MINUTES, HOURS, WEEKDAY, DAY, MONTH, YEAR}) {
      memory[register] = register(register, date);
    }
  }

  private LocalDateTime date(long now) {
    return LocalDateTime.ofEpochSecond(now / NANOS + offset, 0, ZoneOffset.UTC);
  }

  private int register(int register, LocalDateTime date) {
    return switch (register) {
      case SECONDS -> encode(date.getSecond());
      case MINUTES -> encode(date.getMinute());
      case HOURS -> encodeHour(date.getHour());
      case WEEKDAY -> encode(date.getDayOfWeek().getValue() % 7 + 1);
      case DAY -> encode(date.getDayOfMonth());
      case MONTH -> encode(date.getMonthValue());
      default -> encode(date.getYear() % CENTURY);
    };
  }

  private int encodeHour(int hour) {
    if (HOURS_24.isSet(memory[CONTROL_B])) {
      return encode(hour);
    }
    return encode(hour % NOON == 0 ? NOON : hour % NOON) | (hour >= NOON ? AFTERNOON : 0);
  }

  private int encode(int number) {
    return BINARY.isSet(memory[CONTROL_B]) ? number : ((number / BCD) << 4) | (number % BCD);
  }

  private int decode(int stored) {
    return BINARY.isSet(memory[CONTROL_B]) ? stored : (stored >> 4) * BCD + (stored & 0xf);
  }

  private int decodeHour() {
    int stored = memory[HOURS];
    if (HOURS_24.isSet(memory[CONTROL_B])) {
      return decode(stored);
    }
    return decode(stored & ~AFTERNOON) % NOON + ((stored & AFTERNOON) == 0 ? 0 : NOON);
  }

  /** The time goes on from what the registers say; where they say nonsense, as before. */
  private OptionalLong settle(long now) {
    int year = decode(memory[YEAR]);
    try {
      LocalDateTime date =
          LocalDateTime.of(
              NINETEEN_HUNDREDS + year + (year < PIVOT ? CENTURY : 0),
              decode(memory[MONTH]),
              decode(memory[DAY]),
              decodeHour(),
              decode(memory[MINUTES]),
              decode(memory[SECONDS]));
      long change = date.toEpochSecond(ZoneOffset.UTC) - now / NANOS - offset;
      offset += change;
      return change == 0 ? OptionalLong.empty() : OptionalLong.of(change);
    } catch (DateTimeException _) {
      return OptionalLong.empty();
    }
  }

  @Override
  public void digest(StateDigest digest) {
    digest.put(selected).put(offset);
    for (int octet : memory) {
      digest.put(octet);
    }
  }
}
