package io.hypercalld.iommu.virtual;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mLookup;
import io.hypercalld.iommu.pci.Sbdf;
import io.hypercalld.iommu.unit.Explanation;
import java.util.Optional;

/**
 * What a guest's own unit makes of a physical device's request by the guest's tables as they are
 * now. Immutable.
 *
 * @param seenAs as which the guest knows the device
 * @param walk in guest-physical addresses
 * @param unsaid why the machine goes by what the tables said before; empty where it does not
 */
public record GuestJudgement(Domain guest, Sbdf seenAs, Explanation walk, Optional<String> unsaid) {
  /** Where the guest's tables send it; empty for nowhere. */
  public Optional<Word> gpa() {
    return walk.passes() ? Optional.of(new Word(walk.maddr())) : Optional.empty();
  }

  /** Where the P2M has that; empty for nowhere. */
  public Optional<Word> maddr() {
    return gpa().flatMap(gpa -> maddr(gpa.value()));
  }

  private Optional<Word> maddr(long gpa) {
    P2mLookup found = guest.p2m().lookup(new Gfn(Shadows.frame(gpa)));
    return found.mfn().isValid()
        ? Optional.of(new Word(found.mfn().maddr() + (gpa & (PageSize.BYTES_4K - 1))))
        : Optional.empty();
  }
}
