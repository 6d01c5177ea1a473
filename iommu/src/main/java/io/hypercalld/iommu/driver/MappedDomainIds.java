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

/**
 * The per-unit scheme of today, for units with fewer ids than there are domains: a bitmap of the
 * ids in use and an array from id to owner; the lowest free id is taken first. An index by owner
 * spares the search. Confined to the machine thread.
 *
 * @see "documents/004, VT-d: per-iommu domain-id"
 */
final class MappedDomainIds implements DomainIds, SteppedDomainIds {
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
    claimSteps(owner).forEach(Runnable::run);
    return find(owner).orElseThrow();
  }

  @Override
  public List<Runnable> claimSteps(DomainId owner) {
    int[] did = new int[1];
    return List.of(
        () -> {
          did[0] = firstFree();
          used.set(did[0]);
        },
        () -> {
          owners.set(did[0], Optional.of(owner));
          byOwner.put(owner, did[0]);
        });
  }

  private int firstFree() {
    int did = used.nextClearBit(0);
    if (did >= size) {
      throw Refusal.of(Errno.EBUSY, "all %d domain-ids of iommu %d are in use", capacity(), unit);
    }
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
    releaseSteps(owner).forEach(Runnable::run);
  }

  /** The owner goes before the bit: whoever finds the bit clear may fill an owner in. */
  @Override
  public List<Runnable> releaseSteps(DomainId owner) {
    Integer did = byOwner.get(owner);
    if (did == null) {
      return List.of();
    }
    return List.of(
        () -> {
          byOwner.remove(owner);
          owners.set(did, Optional.empty());
        },
        () -> used.clear(did));
  }

  @Override
  public int capacity() {
    return size - reserved;
  }

  @Override
  public int mapSlots() {
    return size;
  }

  @Override
  public int used() {
    return byOwner.size();
  }

  @Override
  public List<Use> inUse() {
    return used.stream()
        .boxed()
        .flatMap(did -> owners.get(did).stream().map(owner -> new Use(did, owner)))
        .toList();
  }

  @Override
  public void digest(StateDigest digest) {
    digest.section("domain-ids").put(used.cardinality());
    inUse().forEach(use -> digest.put(use.did()).put(use.owner().value()));
  }
}
