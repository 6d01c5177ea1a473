package io.hypercalld.iommu.unit;

import io.hypercalld.core.bits.BitField;
import io.hypercalld.core.bits.WordLayout;
import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.iommu.vtd.BitKinds;
import io.hypercalld.iommu.vtd.Capabilities;
import io.hypercalld.iommu.vtd.Mmio;
import io.hypercalld.iommu.vtd.Register;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;

/**
 * The words behind a register window, what software may do to each of their bits, and what happens
 * when it does. Confined to the machine thread.
 *
 * <p>Software comes in through {@link Mmio} and meets the masks; hardware uses {@link #get} and
 * {@link #set} and does not. An effect belongs to the 32 bits that trigger it and runs after the
 * whole store has landed, so that a 64-bit store and two halves, the trigger last, do the same.
 *
 * @see "VT-d §11.1, §11.2"
 */
final class RegisterFile implements Mmio, Digestible {
  private static final BitField LOW = BitField.bits("low", 31, 0);
  private static final BitField HIGH = BitField.bits("high", 63, 32);
  private static final Effect NONE = _ -> {};

  /** What a store does beyond changing bits. */
  @FunctionalInterface
  interface Effect {
    /**
     * Runs after the store.
     *
     * @param written the 32 bits as software wrote them, before any mask
     */
    void written(int written);
  }

  private record Declared(String name, int bytes, WordLayout layout) {}

  private final Capabilities capabilities;
  private final long[] values;
  private final BitKinds[] lowKinds;
  private final BitKinds[] highKinds;
  private final Effect[] effects;
  private final Map<Integer, Declared> declared = new TreeMap<>();

  /** A window in which nothing is implemented yet. */
  RegisterFile(Capabilities capabilities, int windowBytes) {
    this.capabilities = capabilities;
    this.values = new long[windowBytes / Long.BYTES];
    this.lowKinds = new BitKinds[values.length];
    this.highKinds = new BitKinds[values.length];
    this.effects = new Effect[windowBytes / Integer.BYTES];
    Arrays.fill(lowKinds, BitKinds.READ_ONLY);
    Arrays.fill(highKinds, BitKinds.READ_ONLY);
    Arrays.fill(effects, NONE);
  }

  /** Puts a register into the window; its bits answer as {@code kinds} says. */
  void declare(Register register, BitKinds kinds) {
    int offset = register.offset(capabilities);
    declare(offset, new Declared(register.name(), register.bytes(), register.layout()));
    setKinds(register, kinds);
    set(register, kinds.reset());
  }

  /** Puts a 64-bit word into the window that is part of no named register. */
  void declare(int offset, String name, WordLayout layout, BitKinds kinds) {
    declare(offset, new Declared(name, Long.BYTES, layout));
    lowKinds[offset / Long.BYTES] = kinds;
    highKinds[offset / Long.BYTES] = kinds;
  }

  private void declare(int offset, Declared register) {
    declared.put(offset, register);
  }

  /** Changes how a register's bits answer and leaves its value. */
  void setKinds(Register register, BitKinds kinds) {
    int offset = register.offset(capabilities);
    int slot = offset / Long.BYTES;
    if (register.bytes() == Long.BYTES) {
      lowKinds[slot] = kinds;
      highKinds[slot] = kinds;
    } else if (offset % Long.BYTES == 0) {
      lowKinds[slot] = kinds;
    } else {
      highKinds[slot] = shifted(kinds);
    }
  }

  /** The kinds of a 32-bit register that lies in the upper half of a word. */
  private static BitKinds shifted(BitKinds kinds) {
    return new BitKinds(
        kinds.writable() << Integer.SIZE,
        kinds.clearedByOne() << Integer.SIZE,
        kinds.sticky() << Integer.SIZE,
        kinds.hidden() << Integer.SIZE,
        kinds.reset() << Integer.SIZE);
  }

  /** Makes stores to the 32 bits at {@code offset} have an effect. */
  void onWrite(int offset, Effect effect) {
    effects[offset / Integer.BYTES] = effect;
  }

  /** Makes stores to a 32-bit register have an effect. */
  void onWrite(Register register, Effect effect) {
    onWrite(register.offset(capabilities), effect);
  }

  /** Makes stores to the upper half of a 64-bit register have an effect. */
  void onWriteHigh(Register register, Effect effect) {
    onWrite(register.offset(capabilities) + Integer.BYTES, effect);
  }

  /** A register's value as hardware sees it, write-only bits included. */
  long get(Register register) {
    int offset = register.offset(capabilities);
    long word = getWord(offset - offset % Long.BYTES);
    return register.bytes() == Long.BYTES ? word : half(offset).get(word);
  }

  /** Stores a register's value as hardware does, past every mask. */
  void set(Register register, long value) {
    int offset = register.offset(capabilities);
    int wordOffset = offset - offset % Long.BYTES;
    setWord(
        wordOffset,
        register.bytes() == Long.BYTES ? value : half(offset).put(getWord(wordOffset), value));
  }

  /** The 64 bits at {@code offset} as hardware sees them. */
  long getWord(int offset) {
    return values[offset / Long.BYTES];
  }

  /** Stores the 64 bits at {@code offset} as hardware does. */
  void setWord(int offset, long value) {
    values[offset / Long.BYTES] = value;
  }

  /** The window's first words, 32 bits each, as hardware sees them. */
  List<Integer> words(int count) {
    return IntStream.range(0, count)
        .map(word -> (int) half(word * Integer.BYTES).get(values[word / 2]))
        .boxed()
        .toList();
  }

  /** Stores the window's first words as hardware does; their number is even. */
  void setWords(UnitState state) {
    for (int offset = 0; offset < state.words().size() * Integer.BYTES; offset += Long.BYTES) {
      setWord(offset, state.doubleWord(offset));
    }
  }

  private static BitField half(int offset) {
    return offset % Long.BYTES == 0 ? LOW : HIGH;
  }

  @Override
  public int read32(int offset) {
    return inWindow(offset, Integer.BYTES)
        ? (int) half(offset).get(visible(offset / Long.BYTES))
        : 0;
  }

  @Override
  public long read64(int offset) {
    return inWindow(offset, Long.BYTES) ? visible(offset / Long.BYTES) : 0;
  }

  @Override
  public void write32(int offset, int value) {
    if (inWindow(offset, Integer.BYTES)) {
      store(offset / Long.BYTES, half(offset).of(Integer.toUnsignedLong(value)), half(offset));
      effects[offset / Integer.BYTES].written(value);
    }
  }

  @Override
  public void write64(int offset, long value) {
    if (inWindow(offset, Long.BYTES)) {
      int slot = offset / Long.BYTES;
      store(slot, value, LOW);
      store(slot, value, HIGH);
      effects[offset / Integer.BYTES].written((int) LOW.get(value));
      effects[offset / Integer.BYTES + 1].written((int) HIGH.get(value));
    }
  }

  private boolean inWindow(int offset, int bytes) {
    return offset >= 0 && offset < values.length * Long.BYTES && offset % bytes == 0;
  }

  private long visible(int slot) {
    return values[slot]
        & ~(LOW.inPlace(lowKinds[slot].hidden()) | HIGH.inPlace(highKinds[slot].hidden()));
  }

  private void store(int slot, long written, BitField half) {
    BitKinds kinds = half.equals(LOW) ? lowKinds[slot] : highKinds[slot];
    long writable = half.inPlace(kinds.writable());
    long cleared = half.inPlace(kinds.clearedByOne()) & written;
    values[slot] = ((values[slot] & ~writable) | (written & writable)) & ~cleared;
  }

  /** A reset: sticky bits stay, every other bit takes its reset value. */
  void reset() {
    for (int slot = 0; slot < values.length; slot++) {
      BitKinds low = lowKinds[slot];
      BitKinds high = highKinds[slot];
      long sticky = LOW.inPlace(low.sticky()) | HIGH.inPlace(high.sticky());
      long reset = LOW.inPlace(low.reset()) | HIGH.inPlace(high.reset());
      values[slot] = (values[slot] & sticky) | reset;
    }
  }

  /** Power comes on: every bit takes its reset value. */
  void powerOn() {
    Arrays.fill(values, 0);
    reset();
  }

  /** Every implemented register as software reads it, by ascending offset. */
  List<RegisterReading> readings() {
    List<RegisterReading> readings = new ArrayList<>();
    declared.forEach(
        (offset, register) -> {
          boolean wide = register.bytes == Long.BYTES;
          long value = wide ? read64(offset) : Integer.toUnsignedLong(read32(offset));
          readings.add(
              new RegisterReading(
                  register.name, offset, register.bytes, value, register.layout.decode(value)));
        });
    return readings;
  }

  @Override
  public void digest(StateDigest digest) {
    digest.section("registers");
    declared.keySet().forEach(offset -> digest.put(getWord(offset - offset % Long.BYTES)));
  }
}
