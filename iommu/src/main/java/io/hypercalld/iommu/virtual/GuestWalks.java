package io.hypercalld.iommu.virtual;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mLookup;
import io.hypercalld.iommu.driver.PciDevice;
import io.hypercalld.iommu.unit.Explanation;
import io.hypercalld.iommu.unit.MemoryRequest;
import io.hypercalld.iommu.unit.RemappingUnit;
import io.hypercalld.iommu.vtd.DmaAccess;
import io.hypercalld.iommu.vtd.PasidPrefix;
import java.util.Optional;

/**
 * Where a guest's tables, and then the P2M, send a physical device's reads as they are now; changes
 * nothing. Immutable.
 */
record GuestWalks(Domain domain, RemappingUnit unit) {
  /** Where the guest's tables send a read; empty for nowhere. */
  Optional<Word> guestAddress(PciDevice device, PasidPrefix prefix, long iova) {
    return Shadows.seenAs(device)
        .map(seen -> unit.explain(new MemoryRequest(seen, prefix, iova, DmaAccess.READ)))
        .filter(Explanation::passes)
        .map(explained -> new Word(explained.maddr()));
  }

  /** Where the P2M sends that. */
  Optional<Word> machineAddress(PciDevice device, PasidPrefix prefix, long iova) {
    return guestAddress(device, prefix, iova).flatMap(gpa -> machineAddress(gpa.value()));
  }

  private Optional<Word> machineAddress(long gpa) {
    P2mLookup found = domain.p2m().lookup(new Gfn(Shadows.frame(gpa)));
    return found.mfn().isValid()
        ? Optional.of(new Word(found.mfn().maddr() + (gpa & (PageSize.BYTES_4K - 1))))
        : Optional.empty();
  }
}
