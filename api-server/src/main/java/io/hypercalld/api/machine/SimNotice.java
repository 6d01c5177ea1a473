package io.hypercalld.api.machine;

import io.hypercalld.core.notice.NoticeKind;

/** What is done to a machine that no real one knows. */
public enum SimNotice implements NoticeKind {
  RESET,
  SNAPSHOT,
  RESTORED,
  FAULT_INJECTED,
  CLOCK_ADVANCED;

  /** The machine began anew. */
  public record Reset(String digest) {}

  /** A snapshot was taken, or the machine went on from it. */
  public record Kept(String name) {}

  /** A rule struck. */
  public record Injected(String rule, String effect, long hits) {}

  /** Time passed. */
  public record Advanced(long advancedNanos, long nowNanos) {}

  @Override
  public String type() {
    return NoticeKind.spell("sim", this);
  }
}
