package io.hypercalld.iommu.interrupt;

import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.domain.DomainFacet;
import io.hypercalld.iommu.pci.Sbdf;
import java.util.Optional;
import java.util.TreeMap;

/** The MSI-X tables that a domain sees of its functions. Confined to the machine thread. */
final class MsixTables implements DomainFacet {
  private final TreeMap<Sbdf, MsixTable> tables = new TreeMap<>();

  /** Entries to unmask when the device model is done, by vCPU: addresses of control words. */
  private final TreeMap<Integer, Long> unmasking = new TreeMap<>();

  /** One more message of a function has its entry in the table there; only the first says where. */
  void register(Sbdf function, long base) {
    tables.computeIfAbsent(function, _ -> new MsixTable(function, base)).use();
  }

  /** One less. */
  void unregister(Sbdf function) {
    tables.computeIfPresent(function, (_, table) -> table.leave() ? table : null);
  }

  Optional<MsixTable> at(long gpa) {
    return tables.values().stream().filter(table -> table.covers(gpa)).findFirst();
  }

  void unmaskAfterwards(int vcpu, long control) {
    unmasking.put(vcpu, control);
  }

  Optional<Long> takeUnmasking(int vcpu) {
    return Optional.ofNullable(unmasking.remove(vcpu));
  }

  @Override
  public boolean relinquish() {
    tables.clear();
    unmasking.clear();
    return true;
  }

  @Override
  public void digest(StateDigest digest) {
    digest.section("msix-tables").put(unmasking.toString()).put(tables.size());
    tables.values().forEach(digest::put);
  }
}
