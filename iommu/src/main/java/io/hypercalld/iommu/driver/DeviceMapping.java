package io.hypercalld.iommu.driver;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.p2m.Gfn;

/**
 * A page that a domain had mapped for its devices. Immutable.
 *
 * @param owner in whose P2M it was found: the domain itself, or another
 * @param gfn where it was found
 * @param counted whether the mapping holds a reference to the frame
 * @param ioserver for whom it is mapped, a number of the caller's choice
 */
public record DeviceMapping(DomainId owner, Gfn gfn, Mfn mfn, boolean counted, int ioserver)
    implements Digestible {
  /** The same, mapped in another way. */
  public DeviceMapping with(boolean counting, int server) {
    return new DeviceMapping(owner, gfn, mfn, counting, server);
  }

  @Override
  public void digest(StateDigest digest) {
    digest.put(owner.value()).put(gfn.value()).put(mfn.value()).put(counted).put(ioserver);
  }
}
