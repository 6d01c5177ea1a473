package io.hypercalld.core.domain;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.BooleanSupplier;

/**
 * A dying domain giving back what it holds, stage after stage, each in steps of bounded length.
 * Confined to the machine thread.
 *
 * @see "xen/arch/x86/domain.c, domain_relinquish_resources"
 */
final class Relinquishment implements Digestible {
  private final Deque<BooleanSupplier> stages = new ArrayDeque<>();

  /** Adds a stage behind those there are: it does one step and says whether nothing is left. */
  void then(BooleanSupplier stage) {
    stages.addLast(stage);
  }

  /**
   * One step.
   *
   * @return whether nothing is left
   */
  boolean step() {
    if (!stages.isEmpty() && stages.getFirst().getAsBoolean()) {
      stages.removeFirst();
    }
    return stages.isEmpty();
  }

  @Override
  public void digest(StateDigest digest) {
    digest.section("relinquishment").put(stages.size());
  }
}
