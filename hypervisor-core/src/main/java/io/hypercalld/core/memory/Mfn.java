package io.hypercalld.core.memory;

/** A machine frame number: a machine address shifted right by 12. Immutable. */
public record Mfn(long value) {
  /** Xen's {@code INVALID_MFN}: all ones. */
  public static final Mfn INVALID = new Mfn(-1L);

  /** The frame that holds the machine address. */
  public static Mfn containing(long maddr) {
    return new Mfn(maddr >>> PageSize.SHIFT_4K);
  }

  /** Machine address of the frame's first byte. */
  public long maddr() {
    return value << PageSize.SHIFT_4K;
  }

  public boolean isValid() {
    return value != INVALID.value;
  }

  /** The frame {@code frames} further on. */
  public Mfn plus(long frames) {
    return new Mfn(value + frames);
  }

  @Override
  public String toString() {
    return "0x" + Long.toHexString(value);
  }
}
