package io.hypercalld.iommu.driver;

import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * The per-unit scheme as it was shipped in December 2009, defects included. Confined to the machine
 * thread.
 *
 * <ul>
 *   <li>a look-up reads the map at one id in use after the other
 *   <li>the map is zero-filled, and zero is Dom0: with caching mode, where id 0 is marked as in use
 *       for hardware's sake, Dom0 is found to have it
 *   <li>an id is free before its owner is struck out, who may be a new one by then (XSA-399)
 *   <li>an id that was claimed for an operation that failed stays claimed
 *   <li>an id is freed even where the unit was not brought to forget it
 * </ul>
 *
 * @see "documents/004; Xen b9c20c7878, mended by b111a41acd, 3265588005 and d9eca7bb6c"
 */
final class ScannedDomainIds implements DomainIds, SteppedDomainIds {
  private final int unit;
  private final int reserved;
  private final BitSet used = new BitSet();
  private final int[] owners;
  private long scans;

  /** As {@link MappedDomainIds}. */
  ScannedDomainIds(int unit, int size, boolean cachingMode) {
    this.unit = unit;
    this.reserved = cachingMode ? 1 : 0;
    this.owners = new int[size];
    used.set(0, reserved);
  }

  @Override
  public int claim(DomainId owner) {
    OptionalInt held = find(owner);
    if (held.isPresent()) {
      return held.getAsInt();
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
        () -> owners[did[0]] = owner.value());
  }

  private int firstFree() {
    int did = used.nextClearBit(0);
    if (did >= owners.length) {
      throw Refusal.of(Errno.EFAULT, "iommu %d has no free domain-id", unit);
    }
    return did;
  }

  @Override
  public OptionalInt find(DomainId owner) {
    for (int did = used.nextSetBit(0); did >= 0; did = used.nextSetBit(did + 1)) {
      scans++;
      if (owners[did] == owner.value()) {
        return OptionalInt.of(did);
      }
    }
    return OptionalInt.empty();
  }

  @Override
  public Optional<DomainId> ownerOf(int did) {
    return did < owners.length && used.get(did)
        ? Optional.of(new DomainId(owners[did]))
        : Optional.empty();
  }

  @Override
  public void release(DomainId owner) {
    releaseSteps(owner).forEach(Runnable::run);
  }

  @Override
  public List<Runnable> releaseSteps(DomainId owner) {
    OptionalInt found = find(owner);
    if (found.isEmpty()) {
      return List.of();
    }
    int did = found.getAsInt();
    return List.of(() -> used.clear(did), () -> owners[did] = 0);
  }

  @Override
  public void releaseUnforgotten(DomainId owner) {
    release(owner);
  }

  /** Nobody thought of it. */
  @Override
  public void undoClaim(DomainId owner) {}

  @Override
  public int capacity() {
    return owners.length - reserved;
  }

  @Override
  public int mapSlots() {
    return owners.length;
  }

  @Override
  public int used() {
    return used.cardinality();
  }

  @Override
  public List<Use> inUse() {
    return used.stream().mapToObj(did -> new Use(did, new DomainId(owners[did]))).toList();
  }

  @Override
  public long scans() {
    return scans;
  }

  @Override
  public void digest(StateDigest digest) {
    digest.section("domain-ids-2009");
    inUse().forEach(use -> digest.put(use.did()).put(use.owner().value()));
  }
}
