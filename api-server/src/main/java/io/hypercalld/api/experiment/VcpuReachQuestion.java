package io.hypercalld.api.experiment;

import io.hypercalld.api.json.InvalidBody;
import io.hypercalld.core.hypercall.OrElse;

/**
 * How many vCPUs a guest can have before interrupts do not reach one. Immutable.
 *
 * @param most vCPUs of the largest guest; one is made of each number from 1 on
 */
public record VcpuReachQuestion(@OrElse("288") int most) {
  private static final int LARGEST = 512;

  /**
   * Checks what would make no experiment.
   *
   * @throws InvalidBody where it would not
   */
  public VcpuReachQuestion {
    if (most < 1 || most > LARGEST) {
      throw InvalidBody.at("/most", "1 to %d vCPUs are tried", LARGEST);
    }
  }
}
