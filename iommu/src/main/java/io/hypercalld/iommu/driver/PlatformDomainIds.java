package io.hypercalld.iommu.driver;

import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;

/**
 * The scheme from December 2007 to December 2009, as one unit sees it: one space of ids for the
 * whole platform, as large as the first unit's, without id 0; a domain keeps its id for life.
 * Confined to the machine thread.
 *
 * @see "documents/004; Xen 614f395bfd"
 */
final class PlatformDomainIds implements DomainIds {
  /** The ids that all units share. Confined to the machine thread. */
  static final class Space {
    private final int size;
    private final boolean checked;
    private final BitSet used = new BitSet();
    private final Map<DomainId, Integer> byOwner = new HashMap<>();
    private final Map<Integer, DomainId> byId = new TreeMap<>();

    /**
     * @param size ids of the first unit
     * @param checked whether it is noticed that there is none left, or none that fits the unit
     */
    Space(int size, boolean checked) {
      this.size = size;
      this.checked = checked;
      used.set(0);
    }

    private void free(DomainId owner) {
      Integer did = byOwner.remove(owner);
      if (did != null) {
        byId.remove(did);
        used.clear(did);
      }
    }
  }

  private final Space space;
  private final int unit;
  private final int size;

  /**
   * @param unit index of the unit, for messages
   * @param size number of domain-ids that the unit distinguishes
   */
  PlatformDomainIds(Space space, int unit, int size) {
    this.space = space;
    this.unit = unit;
    this.size = size;
  }

  @Override
  public int claim(DomainId owner) {
    Integer held = space.byOwner.get(owner);
    int did = held == null ? space.used.nextClearBit(0) : held;
    if (space.checked && did >= Math.min(size, space.size)) {
      throw Refusal.of(
          Errno.EBUSY,
          "the platform has %d domain-ids, iommu %d %d: there is none for %s",
          capacity(),
          unit,
          size - 1,
          owner);
    }
    space.used.set(did);
    space.byOwner.put(owner, did);
    space.byId.put(did, owner);
    return did;
  }

  @Override
  public OptionalInt find(DomainId owner) {
    Integer did = space.byOwner.get(owner);
    return did == null ? OptionalInt.empty() : OptionalInt.of(did);
  }

  @Override
  public Optional<DomainId> ownerOf(int did) {
    return Optional.ofNullable(space.byId.get(did));
  }

  /** Devices come and go, the id stays. */
  @Override
  public void release(DomainId owner) {}

  @Override
  public void forget(DomainId owner) {
    space.free(owner);
  }

  @Override
  public boolean outliveDevices() {
    return true;
  }

  @Override
  public int capacity() {
    return space.size - 1;
  }

  @Override
  public int used() {
    return space.byOwner.size();
  }

  @Override
  public List<Use> inUse() {
    return space.byId.entrySet().stream()
        .map(entry -> new Use(entry.getKey(), entry.getValue()))
        .toList();
  }

  @Override
  public void digest(StateDigest digest) {
    digest.section("domain-ids-of-platform");
    inUse().forEach(use -> digest.put(use.did()).put(use.owner().value()));
  }
}
