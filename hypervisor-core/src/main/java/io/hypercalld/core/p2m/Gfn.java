package io.hypercalld.core.p2m;

/** A guest frame number: a guest-physical address shifted right by 12. Immutable. */
public record Gfn(long value) {
  /** Xen's {@code INVALID_GFN}: all ones. */
  public static final Gfn INVALID = new Gfn(-1L);

  /** The frame {@code frames} further on. */
  public Gfn plus(long frames) {
    return new Gfn(value + frames);
  }

  @Override
  public String toString() {
    return "0x" + Long.toHexString(value);
  }
}
