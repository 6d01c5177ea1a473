package io.hypercalld.core.dma;

import com.google.errorprone.annotations.FormatMethod;

/** A kernel gives up rather than lose data. What it did before stays done. */
public final class KernelPanic extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private KernelPanic(String message) {
    super(message);
  }

  @FormatMethod
  static KernelPanic of(String format, Object... values) {
    return new KernelPanic(format.formatted(values));
  }

  /** What it says. */
  public String words() {
    return String.valueOf(getMessage());
  }
}
