package io.hypercalld.api.machine;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.memory.MachineMemory;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.iommu.driver.DomainIommu;
import io.hypercalld.iommu.driver.Mirror;
import io.hypercalld.iommu.vtd.SecondStageEntry;
import java.util.Optional;

/**
 * Bits that turn over in the table entry through which devices reach a guest frame. Immutable.
 *
 * @param mask the bits
 */
record Corruption(DomainId domain, Gfn gfn, long mask) {
  /** Of an address, and above what machines have: hardware finds it reserved. */
  private static final long RESERVED = 1L << 51;

  private static final int LEVELS = 4;

  static Corruption of(FaultRule rule) {
    return new Corruption(
        rule.match().domid().orElseThrow(),
        rule.effect().gfn().orElseThrow(),
        rule.effect().mask().map(Word::value).orElse(RESERVED));
  }

  /** Turns them over in memory, where caches do not notice; nothing where nothing is mapped. */
  void apply(Machine machine) {
    Optional<Domain> owner = machine.hypervisor().domains().find(domain);
    owner
        .flatMap(found -> found.findFacet(DomainIommu.class))
        .ifPresent(iommu -> apply(machine.hypervisor().memory(), owner.get(), iommu));
  }

  private void apply(MachineMemory memory, Domain owner, DomainIommu iommu) {
    Optional<Mirror> separate = iommu.mirror();
    if (separate.isEmpty() && owner.findP2m().isEmpty()) {
      return;
    }
    long table = separate.map(Mirror::root).orElseGet(() -> owner.p2m().root());
    int level = separate.map(Mirror::levels).orElse(LEVELS);
    while (true) {
      long at = table + SecondStageEntry.offset(gfn.value() << 12, level);
      long entry = memory.readWord(at);
      if (!SecondStageEntry.isPresent(entry)) {
        return;
      }
      if (SecondStageEntry.isLeaf(entry, level)) {
        memory.writeWord(at, entry ^ mask);
        return;
      }
      table = SecondStageEntry.target(entry);
      level--;
    }
  }
}
