package io.hypercalld.iommu.unit;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.OptionalInt;
import java.util.TreeMap;

/**
 * Numbers for the address spaces that translations are remembered under: the domain-ids themselves
 * for what second-level tables translate, and from there on one for each PASID of a domain-id that
 * was met. Confined to the machine thread.
 */
final class AddressSpaces implements Digestible {
  /** How many PASIDs a unit that knows PASIDs remembers at once. */
  static final int PASIDS = 4096;

  /** The number of no space that anything is remembered under. */
  static final int UNKNOWN = (1 << 17) - 1;

  private static final int PASID_BITS = 20;
  private static final long PASID_MASK = (1L << PASID_BITS) - 1;

  private static final int FIRST_ROOM = 16;

  private final int domainIds;
  private final int pasids;

  /** Domain-id and PASID by number, from the first number after the domain-ids on. */
  private long[] keys = {};

  private final TreeMap<Long, Integer> numbers = new TreeMap<>();

  /**
   * No PASID met yet.
   *
   * @param pasids how many may be met before {@link #isFull}
   */
  AddressSpaces(int domainIds, int pasids) {
    this.domainIds = domainIds;
    this.pasids = pasids;
  }

  /** One more than the largest number there can be. */
  int limit() {
    return domainIds + pasids;
  }

  boolean isFull() {
    return numbers.size() == pasids;
  }

  /** The number of a PASID in a domain, a new one where it is met for the first time. */
  int meet(int domainId, int pasid) {
    return numbers.computeIfAbsent(
        key(domainId, pasid),
        key -> {
          if (numbers.size() == keys.length) {
            keys = Arrays.copyOf(keys, Math.min(pasids, Math.max(FIRST_ROOM, 2 * keys.length)));
          }
          keys[numbers.size()] = key;
          return domainIds + numbers.size();
        });
  }

  /** The numbers of the PASIDs met in a domain. */
  Collection<Integer> ofDomain(int domainId) {
    return numbers.isEmpty()
        ? List.of()
        : numbers.subMap(key(domainId, 0), key(domainId + 1, 0)).values();
  }

  OptionalInt ofPasid(int domainId, int pasid) {
    Integer number = numbers.get(key(domainId, pasid));
    return number == null ? OptionalInt.empty() : OptionalInt.of(number);
  }

  /** Forgets the PASIDs, of which nothing may be remembered any more. */
  void clear() {
    numbers.clear();
    Arrays.fill(keys, 0);
  }

  int domainId(int space) {
    return space < domainIds ? space : (int) (keys[space - domainIds] >>> PASID_BITS);
  }

  /** The PASID of a space that is one's. */
  OptionalInt pasid(int space) {
    return space < domainIds
        ? OptionalInt.empty()
        : OptionalInt.of((int) (keys[space - domainIds] & PASID_MASK));
  }

  private static long key(int domainId, int pasid) {
    return (long) domainId << PASID_BITS | pasid;
  }

  @Override
  public void digest(StateDigest digest) {
    digest.section("address-spaces").put(numbers.size());
    for (int each = 0; each < numbers.size(); each++) {
      digest.put(keys[each]);
    }
  }
}
