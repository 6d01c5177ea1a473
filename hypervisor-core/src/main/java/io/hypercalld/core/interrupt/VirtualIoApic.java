package io.hypercalld.core.interrupt;

import io.hypercalld.core.bits.BitField;
import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntConsumer;

/**
 * The I/O APIC of a domain: 48 pins. Confined to the machine thread.
 *
 * @see "xen/arch/x86/hvm/vioapic.c"
 */
public final class VirtualIoApic implements Digestible {
  public static final int PINS = 48;

  /** Guest physical address of its registers; they fill one page. */
  public static final long ADDRESS = 0xfec0_0000L;

  private static final int SELECT = 0x00;
  private static final int WINDOW = 0x10;
  private static final int END_OF_INTERRUPT = 0x40;
  private static final int REGISTER_ID = 0;
  private static final int REGISTER_VERSION = 1;
  private static final int REGISTER_ARBITRATION = 2;
  private static final int FIRST_ENTRY = 0x10;
  private static final int VERSION = 0x20 | (PINS - 1) << 16;
  private static final int ID_MASK = 0xf << 24;
  private static final BitField LOW = BitField.bits("low", 31, 0);
  private static final BitField HIGH = BitField.bits("high", 63, 32);

  /** Delivery status and remote IRR are the hardware's. */
  private static final long READ_ONLY = 1L << 12 | RedirectionEntry.REMOTE_IRR.mask();

  private final LocalApics apics;
  private final ExtendedDestinations destinations;
  private final RedirectionEntry[] entries = new RedirectionEntry[PINS];
  private final boolean[] asserted = new boolean[PINS];
  private IntConsumer ended = _ -> {};
  private InterruptRouter router = InterruptRouter.NONE;
  private int selected;
  private int id;

  VirtualIoApic(LocalApics apics, ExtendedDestinations destinations) {
    this.destinations = destinations;
    this.apics = apics;
    Arrays.fill(entries, RedirectionEntry.MASKED);
  }

  public List<RedirectionEntry> entries() {
    return List.of(entries);
  }

  public boolean isAsserted(int pin) {
    return asserted[pin];
  }

  /** Software writes an entry; a pin that is asserted by level is sent again if it may be. */
  public void write(int pin, long value) {
    entries[pin] = new RedirectionEntry((value & ~READ_ONLY) | (entries[pin].value() & READ_ONLY));
    if (!entries[pin].isLevel()) {
      entries[pin] = entries[pin].withInService(false);
    } else if (asserted[pin]) {
      deliver(pin);
    }
  }

  /** Who is told of each pin whose level triggered interrupt a processor ended. */
  public void onEnd(IntConsumer listener) {
    ended = listener;
  }

  /** Has somebody find out from now on where pins' interrupts go. */
  public void routeBy(InterruptRouter by) {
    router = by;
  }

  /** The pin's line rose. */
  void raise(int pin) {
    asserted[pin] = true;
    deliver(pin);
  }

  /** The pin's line fell. */
  void lower(int pin) {
    asserted[pin] = false;
  }

  private void deliver(int pin) {
    RedirectionEntry entry = entries[pin];
    if (entry.isMasked() || (entry.isLevel() && entry.isInService())) {
      return;
    }
    boolean taken = !router.route(entry).orElseGet(() -> send(entry)).isEmpty();
    entries[pin] = entry.withInService(taken && entry.isLevel());
  }

  private List<Integer> send(RedirectionEntry entry) {
    return entry.interrupt(destinations.format()).map(apics::deliver).orElse(List.of());
  }

  /** A processor ended a level triggered vector: pins still asserted send it again. */
  void end(int vector) {
    for (int pin = 0; pin < PINS; pin++) {
      RedirectionEntry entry = entries[pin];
      if (entry.isInService() && router.vectorOf(entry).orElse(entry.vector()) == vector) {
        entries[pin] = entry.withInService(false);
        ended.accept(pin);
        if (asserted[pin]) {
          deliver(pin);
        }
      }
    }
  }

  /** Reads 4 bytes at an offset in its page. */
  public int load(long offset) {
    return switch ((int) offset) {
      case SELECT -> selected;
      case WINDOW -> readSelected();
      default -> 0;
    };
  }

  private int readSelected() {
    return switch (selected) {
      case REGISTER_ID, REGISTER_ARBITRATION -> id;
      case REGISTER_VERSION -> VERSION;
      default -> {
        int pin = (selected - FIRST_ENTRY) >> 1;
        if (pin < 0 || pin >= PINS) {
          yield -1;
        }
        yield (int) ((selected & 1) == 0 ? LOW : HIGH).get(entries[pin].value());
      }
    };
  }

  /** Writes 4 bytes at an offset in its page. */
  public void store(long offset, int value) {
    switch ((int) offset) {
      case SELECT -> selected = value & 0xff;
      case WINDOW -> writeSelected(value);
      case END_OF_INTERRUPT -> end(value & 0xff);
      default -> {}
    }
  }

  private void writeSelected(int value) {
    int pin = (selected - FIRST_ENTRY) >> 1;
    if (selected == REGISTER_ID) {
      id = value & ID_MASK;
    } else if (pin >= 0 && pin < PINS) {
      BitField half = (selected & 1) == 0 ? LOW : HIGH;
      write(pin, half.put(entries[pin].value(), Integer.toUnsignedLong(value)));
    }
  }

  @Override
  public void digest(StateDigest digest) {
    digest.section("io-apic").put(selected).put(id);
    for (int pin = 0; pin < PINS; pin++) {
      digest.put(entries[pin].value()).put(asserted[pin]);
    }
  }
}
