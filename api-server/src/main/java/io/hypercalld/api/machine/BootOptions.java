package io.hypercalld.api.machine;

import java.util.Optional;

/**
 * How a kernel is booted; what is left out is as usual. Immutable.
 *
 * @param slabs of the bounce pool
 * @param dmaBits how long the pool's machine addresses may be
 * @param batch whether it asks for all pages of a scatter list by one multicall
 */
public record BootOptions(Optional<Integer> slabs, Optional<Integer> dmaBits, boolean batch) {
  /** What a kernel does where nobody says otherwise. */
  public static final BootOptions USUAL = pool(Optional.empty(), Optional.empty());

  /** Another pool. */
  public static BootOptions pool(Optional<Integer> slabs, Optional<Integer> dmaBits) {
    return new BootOptions(slabs, dmaBits, false);
  }
}
