package io.hypercalld.api.experiment;

import io.hypercalld.api.json.InvalidBody;
import io.hypercalld.core.hypercall.OrElse;

/**
 * What it costs a guest to send a device's message to other vCPUs. Immutable.
 *
 * @param vcpus of the guest
 * @param retargets how often the message is sent to another vCPU, in each trial
 */
public record RetargetQuestion(@OrElse("288") int vcpus, @OrElse("1000") int retargets) {
  private static final int MOST_VCPUS = 288;
  private static final int MOST_RETARGETS = 100_000;

  /**
   * Checks what would make no experiment.
   *
   * @throws InvalidBody where it would not
   */
  public RetargetQuestion {
    if (vcpus < 2 || vcpus > MOST_VCPUS) {
      throw InvalidBody.at("/vcpus", "2 to %d vCPUs are tried", MOST_VCPUS);
    }
    if (retargets < 1 || retargets > MOST_RETARGETS) {
      throw InvalidBody.at("/retargets", "1 to %d are tried", MOST_RETARGETS);
    }
  }
}
