package io.hypercalld.iommu.driver;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.transaction.Transaction;
import io.hypercalld.iommu.pci.SourceId;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * The domain-ids of one unit, whichever way they are chosen. Confined to the machine thread.
 *
 * <p>An id that the unit may still remember, because a flush failed, is freed only once a later
 * flush has succeeded.
 */
public final class UnitDomainIds implements Digestible {
  private final Map<SourceId, SortedSet<Integer>> unforgotten = new TreeMap<>();
  private DomainIds ids;
  private long failures;

  UnitDomainIds(DomainIds ids) {
    this.ids = ids;
  }

  /** Has ids chosen in another way; everybody's are claimed anew. */
  void replace(Transaction steps, DomainIds others) {
    DomainIds before = ids;
    steps.onFailure(() -> ids = before);
    ids = others;
  }

  /**
   * Reserves the tag's domain-id.
   *
   * @throws Refusal EBUSY, of 2009 EFAULT: every domain-id is in use; nothing changed
   */
  int claim(Transaction steps, DomainId tag) {
    OptionalInt held = ids.find(tag);
    if (held.isPresent()) {
      return held.getAsInt();
    }
    int did = claim(tag);
    DomainIds claimed = ids;
    steps.onFailure(
        () -> {
          if (!remembers(did)) {
            claimed.undoClaim(tag);
          }
        });
    return did;
  }

  private int claim(DomainId tag) {
    try {
      return ids.claim(tag);
    } catch (Refusal exhausted) {
      failures++;
      throw exhausted;
    }
  }

  /** The tag's last context entry is gone. */
  void release(DomainId tag) {
    if (mayFree(tag)) {
      ids.release(tag);
    } else {
      ids.releaseUnforgotten(tag);
    }
  }

  /** The tag stands for nobody any more. */
  void forget(DomainId tag) {
    if (mayFree(tag)) {
      ids.forget(tag);
    }
  }

  private boolean mayFree(DomainId tag) {
    OptionalInt did = ids.find(tag);
    return did.isEmpty() || !remembers(did.getAsInt());
  }

  private boolean remembers(int did) {
    return unforgotten.values().stream().anyMatch(dids -> dids.contains(did));
  }

  /** A flush failed: the unit may go on using a requester's entry with this id. */
  void unforgotten(SourceId requester, int did) {
    unforgotten.computeIfAbsent(requester, _ -> new TreeSet<>()).add(did);
  }

  /** The ids under which the unit may remember entries of a requester that are gone. */
  List<Integer> unforgotten(SourceId requester) {
    SortedSet<Integer> dids = unforgotten.get(requester);
    return dids == null ? List.of() : List.copyOf(dids);
  }

  /** The unit has forgotten all old entries of a requester. */
  void forgotten(SourceId requester) {
    unforgotten.remove(requester);
  }

  /** The tag's id, empty where it has none. */
  public OptionalInt find(DomainId tag) {
    return ids.find(tag);
  }

  /** Whom an id stands for, empty where it is free or reserved. */
  public Optional<DomainId> ownerOf(int did) {
    return ids.ownerOf(did);
  }

  /** The ids in use and whom they stand for, ascending. */
  public List<DomainIds.Use> inUse() {
    return ids.inUse();
  }

  /** Number of ids in use. */
  public int used() {
    return ids.used();
  }

  /** Number of ids that can be in use at once. */
  public int capacity() {
    return ids.capacity();
  }

  /** Whether an id stays with its owner when its last device leaves. */
  public boolean outliveDevices() {
    return ids.outliveDevices();
  }

  /** How often no id was free. */
  public long failures() {
    return failures;
  }

  /** How many slots look-ups by owner have read, one after the other. */
  public long scans() {
    return ids.scans();
  }

  @Override
  public void digest(StateDigest digest) {
    digest.put(ids).put(unforgotten.size());
    unforgotten.forEach(
        (requester, dids) -> {
          digest.put(requester.value());
          dids.forEach(digest::put);
        });
  }
}
