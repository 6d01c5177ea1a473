package io.hypercalld.ioreq.planted;

import org.assertj.core.api.Assertions;

/** Drags in a library that is not ours to use. */
public final class Borrower {
  private Borrower() {}

  static void judge(boolean verdict) {
    Assertions.assertThat(verdict).isTrue();
  }
}
