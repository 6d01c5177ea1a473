package io.hypercalld.core.digest;

/** Something whose state belongs to the machine's digest. */
public interface Digestible {
  /** Writes every word of state that a later command can depend on, in a fixed order. */
  void digest(StateDigest digest);
}
