package io.hypercalld.core.hypercall;

/**
 * What {@link Exchange} returns. Immutable.
 *
 * @param nrExchanged input extents exchanged so far
 * @param out the frames got so far
 */
public record Exchanged(long nrExchanged, ExtentList out) implements Written {
  @Override
  public Exchanged after(Written earlier) {
    return new Exchanged(nrExchanged, out.after(((Exchanged) earlier).out));
  }
}
