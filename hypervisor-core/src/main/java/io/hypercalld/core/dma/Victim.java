package io.hypercalld.core.dma;

import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.memory.FrameUse;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.p2m.Gfn;
import java.util.Locale;
import java.util.Optional;

/**
 * A frame that a device reached on behalf of a domain that has no business with it. Immutable.
 *
 * @param owner whose it is; {@link DomainId#XEN} for the hypervisor, empty where it is nobody's
 * @param gfn where its owner has it mapped
 */
public record Victim(Mfn mfn, Optional<DomainId> owner, Optional<Gfn> gfn, FrameUse use) {
  /** As messages name it: {@code frame 0x1234 of d1, at its guest frame 0x56}. */
  @Override
  public String toString() {
    String whose = owner.map(domain -> " of " + domain).orElse("");
    String where = gfn.map(at -> ", at its guest frame " + at).orElse("");
    String what = use == FrameUse.GUEST_RAM ? "" : " (" + what() + ")";
    return "frame " + mfn + whose + where + what;
  }

  private String what() {
    return use.name().toLowerCase(Locale.ROOT).replace('_', ' ');
  }
}
