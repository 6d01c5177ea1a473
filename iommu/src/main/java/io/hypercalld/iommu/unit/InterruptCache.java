package io.hypercalld.iommu.unit;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.iommu.vtd.InterruptEntry;
import io.hypercalld.iommu.vtd.Invalidation;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The interrupt-remapping entries that a unit remembers, by index. Confined to the machine thread.
 *
 * <p>Holds as many as the table does: an entry goes by invalidation only.
 *
 * @see "VT-d §6.2.4, §6.5.2.8"
 */
final class InterruptCache implements Digestible {
  private final TreeMap<Integer, InterruptEntry> entries = new TreeMap<>();

  Optional<InterruptEntry> find(int index) {
    return Optional.ofNullable(entries.get(index));
  }

  void put(int index, InterruptEntry entry) {
    entries.put(index, entry);
  }

  void carryOut(Invalidation.OfInterrupts command) {
    switch (command) {
      case Invalidation.AllInterrupts _ -> clear();
      case Invalidation.Interrupts(int index, int ignoredBits) -> {
        int first = index & -1 << ignoredBits;
        entries.subMap(first, first + (1 << ignoredBits)).clear();
      }
    }
  }

  void clear() {
    entries.clear();
  }

  /** What is remembered, by ascending index. */
  Map<Integer, InterruptEntry> entries() {
    return Map.copyOf(entries);
  }

  @Override
  public void digest(StateDigest digest) {
    digest.section("interrupt-cache");
    entries.forEach((index, entry) -> digest.put(index).put(entry.lo()).put(entry.hi()));
  }
}
