package io.hypercalld.core.state;

import io.hypercalld.core.Hypervisor;
import io.hypercalld.core.digest.StateDigest;
import java.util.function.Function;

/**
 * A machine whose dom0 runs, and what is around it.
 *
 * @param digest how its state is summed up
 */
public record Surroundings(
    Hypervisor hypervisor, Devices devices, Servers servers, Function<StateDigest, String> digest) {
  /** One where nobody is behind claims, and all state is the hypervisor's. */
  public static Surroundings of(Hypervisor hypervisor, Devices devices) {
    return new Surroundings(
        hypervisor,
        devices,
        new BareServers(hypervisor),
        digest -> digest.put(hypervisor).finish());
  }

  /** The state, told apart from others by chance. */
  String state() {
    return digest.apply(new StateDigest(new Checksum()));
  }
}
