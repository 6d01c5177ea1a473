package io.hypercalld.iommu.driver;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.transaction.Transaction;
import io.hypercalld.iommu.pci.SourceId;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.SortedMap;
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
  /** What is left to do for a tag: its last device has gone, or it stands for nobody any more. */
  private enum Departure {
    OF_DEVICES,
    FOR_GOOD
  }

  private final Map<SourceId, SortedSet<Integer>> unforgotten = new TreeMap<>();
  private final SortedSet<DomainId> present = new TreeSet<>();

  /** Whose id would be free, had the unit forgotten all that it was told to. */
  private final SortedMap<DomainId, Departure> leaving = new TreeMap<>();

  private DomainIds ids;
  private long failures;
  private long withheldAfter = Long.MAX_VALUE;

  UnitDomainIds(DomainIds ids) {
    this.ids = ids;
  }

  /** Has ids chosen in another way; everybody's are claimed anew. */
  void replace(Transaction steps, DomainIds others) {
    DomainIds before = ids;
    List<DomainId> there = List.copyOf(present);
    steps.onFailure(
        () -> {
          ids = before;
          present.addAll(there);
        });
    ids = others;
    present.clear();
  }

  /**
   * Reserves the tag's domain-id.
   *
   * @throws Refusal EBUSY, of 2009 EFAULT: every domain-id is in use; nothing changed
   */
  int claim(Transaction steps, DomainId tag) {
    OptionalInt held = ids.find(tag);
    int did = held.isPresent() ? held.getAsInt() : claim(tag);
    DomainIds claimed = ids;
    Departure departure = leaving.remove(tag);
    if (departure != null) {
      steps.onFailure(() -> leaving.put(tag, departure));
    }
    if (present.add(tag)) {
      steps.onFailure(() -> undoClaim(claimed, tag, held.isPresent()));
    }
    return did;
  }

  private void undoClaim(DomainIds claimed, DomainId tag, boolean held) {
    if (mayFree(tag)) {
      present.remove(tag);
      if (!held) {
        claimed.undoClaim(tag);
      }
    } else if (!held) {
      leaving.put(tag, Departure.FOR_GOOD);
    }
  }

  private int claim(DomainId tag) {
    try {
      requireLeft(tag);
      int did = ids.claim(tag);
      withheldAfter -= withheldAfter == Long.MAX_VALUE ? 0 : 1;
      return did;
    } catch (Refusal exhausted) {
      failures++;
      throw exhausted;
    }
  }

  private void requireLeft(DomainId tag) {
    if (isRunOut()) {
      throw Refusal.of(Errno.EBUSY, "no domain-id is left for %s", tag);
    }
  }

  /** Has ids run out when so many more have been given out. */
  public void runOutAfter(long more) {
    withheldAfter = more;
  }

  /** Gives out ids again as long as there are any. */
  public void runOutNever() {
    withheldAfter = Long.MAX_VALUE;
  }

  /** Whether ids are withheld now. */
  public boolean isRunOut() {
    return withheldAfter == 0;
  }

  /** The tag's last context entry is gone. */
  void release(DomainId tag) {
    if (mayFree(tag)) {
      depart(tag, Departure.OF_DEVICES);
    } else {
      ids.releaseUnforgotten(tag);
      leaving.putIfAbsent(tag, Departure.OF_DEVICES);
    }
  }

  /** The tag stands for nobody any more. */
  void forget(DomainId tag) {
    if (mayFree(tag)) {
      depart(tag, Departure.FOR_GOOD);
    } else {
      leaving.put(tag, Departure.FOR_GOOD);
    }
  }

  private void depart(DomainId tag, Departure departure) {
    leaving.remove(tag);
    present.remove(tag);
    switch (departure) {
      case OF_DEVICES -> ids.release(tag);
      case FOR_GOOD -> ids.forget(tag);
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

  /**
   * The requesters whose old entries keep the id of somebody who had the tag before and is no more:
   * a domain's number may be given anew, and must not bring the other's translations along.
   */
  List<SourceId> heldByPredecessor(DomainId tag) {
    OptionalInt did = ids.find(tag);
    if (leaving.get(tag) != Departure.FOR_GOOD || did.isEmpty()) {
      return List.of();
    }
    return unforgotten.entrySet().stream()
        .filter(each -> each.getValue().contains(did.getAsInt()))
        .map(Map.Entry::getKey)
        .toList();
  }

  /** The unit has forgotten all old entries of a requester. */
  void forgotten(SourceId requester) {
    unforgotten.remove(requester);
    new TreeMap<>(leaving)
        .forEach(
            (tag, departure) -> {
              if (mayFree(tag)) {
                depart(tag, departure);
              }
            });
  }

  /** Whose id is in use only because the unit may remember it. */
  public List<DomainId> leaving() {
    return leaving.keySet().stream().filter(tag -> ids.find(tag).isPresent()).toList();
  }

  /**
   * The id under which the unit translates for the tag; empty, without a look at the ids, where the
   * tag has no context entry on the unit.
   */
  OptionalInt findPresent(DomainId tag) {
    return present.contains(tag) ? ids.find(tag) : OptionalInt.empty();
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

  /** Number of slots of the map from id to owner; 0 where there is no such map. */
  public int mapSlots() {
    return ids.mapSlots();
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
    digest.put(ids).put(withheldAfter).put(present.size());
    present.forEach(tag -> digest.put(tag.value()));
    digest.put(leaving.size());
    leaving.forEach((tag, departure) -> digest.put(tag.value()).put(departure.name()));
    digest.put(unforgotten.size());
    unforgotten.forEach(
        (requester, dids) -> {
          digest.put(requester.value());
          dids.forEach(digest::put);
        });
  }
}
