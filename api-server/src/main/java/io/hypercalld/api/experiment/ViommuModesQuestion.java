package io.hypercalld.api.experiment;

import io.hypercalld.api.json.InvalidBody;
import io.hypercalld.api.json.Size;
import io.hypercalld.core.hypercall.OrElse;

/**
 * What tables there are, and whose, however a guest has its unit translate. Immutable.
 *
 * @param memory of the guest, from 16 MiB on
 */
public record ViommuModesQuestion(@OrElse("\"64MiB\"") Size memory) {
  private static final long LEAST = 16L << 20;
  private static final long MOST = 1L << 30;

  /**
   * Checks what would make no experiment.
   *
   * @throws InvalidBody where it would not
   */
  public ViommuModesQuestion {
    if (memory.bytes() < LEAST || memory.bytes() > MOST || memory.bytes() % (2 << 20) != 0) {
      throw InvalidBody.at("/memory", "a multiple of 2MiB from 16MiB to 1GiB is needed");
    }
  }
}
