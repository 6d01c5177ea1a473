package io.hypercalld.iommu.driver;

import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;

/**
 * The per-unit scheme for units with fewer ids than there are domains: a bitmap of the ids in use
 * and an array from id to owner; the lowest free id is taken first. Confined to the machine thread.
 *
 * @see "documents/004, VT-d: per-iommu domain-id"
 */
final class MappedDomainIds implements DomainIds {
  private final int unit;
  private final int size;
  private final int reserved;
  private final BitSet used = new BitSet();
  private final List<Optional<DomainId>> owners;
  private final Map<DomainId, Integer> byOwner = new HashMap<>();

  /**
   * @param unit index of the unit, for messages
   * @param size number of domain-ids that the unit distinguishes
   * @param cachingMode whether id 0 belongs to hardware, which tags not-present entries with it
   */
  MappedDomainIds(int unit, int size, boolean cachingMode) {
    this.unit = unit;
    this.size = size;
    this.reserved = cachingMode ? 1 : 0;
    this.owners = new ArrayList<>(Collections.nCopies(size, Optional.empty()));
    used.set(0, reserved);
  }

  @Override
  public int claim(DomainId owner) {
    Integer held = byOwner.get(owner);
    if (held != null) {
      return held;
    }
    int did = used.nextClearBit(0);
    if (did >= size) {
      throw Refusal.of(Errno.EBUSY, "all %d domain-ids of iommu %d are in use", capacity(), unit);
    }
    used.set(did);
    owners.set(did, Optional.of(owner));
    byOwner.put(owner, did);
    return did;
  }

  @Override
  public OptionalInt find(DomainId owner) {
    Integer did = byOwner.get(owner);
    return did == null ? OptionalInt.empty() : OptionalInt.of(did);
  }

  @Override
  public Optional<DomainId> ownerOf(int did) {
    return did < size ? owners.get(did) : Optional.empty();
  }

  @Override
  public void release(DomainId owner) {
    Integer did = byOwner.remove(owner);
    if (did != null) {
      // The owner goes before the bit: whoever finds the bit clear may fill the owner in.
      owners.set(did, Optional.empty());
      used.clear(did);
    }
  }

  @Override
  public int capacity() {
    return size - reserved;
  }

  @Override
  public Map<Integer, DomainId> inUse() {
    Map<Integer, DomainId> ids = new TreeMap<>();
    byOwner.forEach((owner, did) -> ids.put(did, owner));
    return ids;
  }

  @Override
  public void digest(StateDigest digest) {
    digest.section("domain-ids").put(used.cardinality());
    inUse().forEach((did, owner) -> digest.put(did).put(owner.value()));
  }
}
