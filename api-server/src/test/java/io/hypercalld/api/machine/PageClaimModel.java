package io.hypercalld.api.machine;

import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.p2m.P2mTable;
import io.hypercalld.core.p2m.P2mType;
import io.hypercalld.ioreq.server.ClaimPolicies;
import io.hypercalld.ioreq.server.ClaimPolicies.ClaimUpdate;
import io.hypercalld.ioreq.server.ClaimPolicies.Destroyed;
import io.hypercalld.ioreq.server.ClaimPolicies.Unclaimed;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.LongFunction;

/** What servers, claims and pages are to be, in the plainest way. */
final class PageClaimModel {
  /** Beyond every guest frame. */
  static final long ALL = Long.MAX_VALUE;

  private static final List<P2mType> TYPES = List.copyOf(P2mType.IOREQ);

  private final Map<Integer, BitSet> cells = new TreeMap<>();
  private final Map<Integer, Boolean> enabled = new TreeMap<>();
  private final Map<P2mType, Integer> owners = new TreeMap<>();
  private final Map<Long, P2mType> tags = new TreeMap<>();
  private final Map<Long, Long> memory = new TreeMap<>();

  /** Pages that a recalculation found claimed: settled by now or not, which nobody can tell. */
  private final Set<Long> unsettled = new TreeSet<>();

  /** Types whose entries store what look-ups do not say, until all were looked at. */
  private final Set<P2mType> sweeping = new TreeSet<>();

  private final ClaimPolicies policies;
  private boolean stale;
  private long lost;

  PageClaimModel(ClaimPolicies policies) {
    this.policies = policies;
  }

  ClaimPolicies policies() {
    return policies;
  }

  Set<Integer> servers() {
    return enabled.keySet();
  }

  Map<P2mType, Integer> owners() {
    return owners;
  }

  /** Pages of a type that servers claim. */
  Map<Long, P2mType> tags() {
    return tags;
  }

  void tagged(long gfn, P2mType type) {
    tags.put(gfn, type);
    unsettled.remove(gfn);
  }

  /**
   * What is unsettled when its owner goes is RAM from then on, as it is recalculated without one.
   *
   * @param types what look-ups say
   */
  void settle(LongFunction<P2mType> types) {
    for (long gfn : unsettled) {
      P2mType type = tags.get(gfn);
      if (type != null && owner(type).isEmpty() && !TYPES.contains(types.apply(gfn))) {
        tags.remove(gfn);
        stale = true;
      }
    }
  }

  /** The first word of each page that was written. */
  Map<Long, Long> memory() {
    return memory;
  }

  Optional<P2mType> tag(long gfn) {
    return Optional.ofNullable(tags.get(gfn));
  }

  Optional<Integer> owner(P2mType type) {
    return Optional.ofNullable(owners.get(type));
  }

  /** Whether entries may still store what look-ups do not say any more. */
  boolean hasStale() {
    return stale || !sweeping.isEmpty();
  }

  long lost() {
    return lost;
  }

  void countLost() {
    lost++;
  }

  void created(int server) {
    enabled.put(server, true);
    cells.put(server, new BitSet());
  }

  void enable(int server, boolean now) {
    enabled.put(server, now);
  }

  BitSet cells(int server) {
    return cells.getOrDefault(server, new BitSet());
  }

  Optional<Errno> mapping(int server, int first, int last) {
    if (!enabled.containsKey(server)) {
      return Optional.of(Errno.ENOENT);
    }
    int next = cells(server).nextSetBit(first);
    return next >= 0 && next <= last ? Optional.of(Errno.EEXIST) : Optional.empty();
  }

  Optional<Errno> unmapping(int server, int first, int last) {
    boolean all = enabled.containsKey(server) && cells(server).nextClearBit(first) > last;
    return all ? Optional.empty() : Optional.of(Errno.ENOENT);
  }

  /** Who is asked for a cell: the enabled server with the highest id that has it. */
  Optional<Integer> selected(int cell) {
    return enabled.entrySet().stream()
        .filter(server -> server.getValue() && cells(server.getKey()).get(cell))
        .map(Map.Entry::getKey)
        .max(Integer::compare);
  }

  Optional<Errno> claiming(int type, int server, P2mTable p2m) {
    if (type >= policies.types()) {
      return Optional.of(Errno.EINVAL);
    }
    if (!enabled.containsKey(server)) {
      return Optional.of(Errno.ENOENT);
    }
    boolean left = policies.unclaimed() == Unclaimed.REFUSE && p2m.entries(TYPES.get(type)) > 0;
    return owners.containsKey(TYPES.get(type)) || left
        ? Optional.of(Errno.EBUSY)
        : Optional.empty();
  }

  Optional<Errno> releasing(int type, int server) {
    if (type >= policies.types()) {
      return Optional.of(Errno.EINVAL);
    }
    if (!enabled.containsKey(server)) {
      return Optional.of(Errno.ENOENT);
    }
    return owner(TYPES.get(type)).filter(id -> id == server).isPresent()
        ? Optional.empty()
        : Optional.of(Errno.EINVAL);
  }

  Optional<Errno> tagging(int type) {
    return type >= policies.types() || !isKept(TYPES.get(type))
        ? Optional.of(Errno.EINVAL)
        : Optional.empty();
  }

  private boolean isKept(P2mType type) {
    return owners.containsKey(type) || policies.unclaimed() != Unclaimed.REFUSE;
  }

  /** A server has a type no more, and its pages are about to be looked at. */
  void releasing(P2mType type, boolean hadPages) {
    owners.remove(type);
    if (policies.unclaimed() == Unclaimed.REFUSE
        && hadPages
        && policies.update() == ClaimUpdate.LAZY) {
      tags.values().removeIf(type::equals);
      marked();
      sweeping.add(type);
    }
  }

  /** The pages before a guest frame were looked at. */
  void swept(P2mType type, long end) {
    if (end == ALL) {
      sweeping.remove(type);
    }
    if (policies.unclaimed() == Unclaimed.REFUSE) {
      tags.entrySet().removeIf(tag -> tag.getKey() < end && tag.getValue() == type);
    }
  }

  /** A server has a type no more; its pages are RAM unless they may wait for another. */
  void released(P2mType type, boolean hadPages) {
    releasing(type, hadPages);
    swept(type, ALL);
  }

  void destroyed(int server) {
    enabled.remove(server);
    cells.remove(server);
    for (P2mType type : TYPES) {
      if (owner(type).filter(id -> id == server).isPresent()) {
        if (policies.destroyed() == Destroyed.LEAVE) {
          owners.remove(type);
        } else {
          released(type, true);
        }
      }
    }
  }

  /** Everything is to be recalculated: pages of types that nobody has are RAM then. */
  void marked() {
    stale |= tags.values().removeIf(type -> !isKept(type));
    unsettled.addAll(tags.keySet());
  }
}
