package io.hypercalld.api.conformance;

import java.util.OptionalLong;

/**
 * The upper half of CCMD or of the IOTLB register after a command that was given while the queue
 * was on. Confined to the thread that runs the case.
 *
 * @see "VT-d §6.5.1"
 */
final class CommandModel {
  private final Fields fields;
  private final Quirks quirks;
  private OptionalLong word = OptionalLong.empty();

  /**
   * Bits of the upper half.
   *
   * @param busy ICC or IVT
   * @param actual CAIG or IAIG
   * @param visible what a read gives back of what was written
   */
  record Fields(long busy, long actual, long visible) {}

  CommandModel(Fields fields, Quirks quirks) {
    this.fields = fields;
    this.quirks = quirks;
  }

  /** The half is written, and held {@code before} until now. */
  void write(long half, long before, boolean queued) {
    long held = half & fields.visible;
    if (!queued || (half & fields.busy) == 0) {
      word = OptionalLong.empty();
    } else if (quirks.leavesCommands()) {
      word = OptionalLong.of(held | (word.orElse(before) & fields.actual));
    } else {
      word = OptionalLong.of(held & ~fields.busy);
    }
  }

  /** What the half must hold; empty where that does not depend on the queue. */
  OptionalLong word() {
    return word;
  }
}
