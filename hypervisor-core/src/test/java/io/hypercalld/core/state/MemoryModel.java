package io.hypercalld.core.state;

import io.hypercalld.core.domain.DomainId;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * What several domains' memory should be, as plain maps: pages by guest frame, who else maps them,
 * and what was written while somebody watched.
 */
final class MemoryModel {
  final TreeMap<DomainId, Guest> guests = new TreeMap<>();

  /** Pages of guests that somebody else maps. */
  final TreeMap<Slot, Mapping> mappings = new TreeMap<>();

  /** What sets guests apart, chosen when they are made. */
  enum Role {
    /** Has a device, and may map what others grant. */
    BACKEND,
    /** Has a device and no P2M. */
    PARAVIRTUAL,
    ON_DEMAND,
    PAGED,
    SHARING,
    MONITORED,
    /** Has a display that its device model shows. */
    DISPLAYED,
    /** Has a device, and a server that claims pages. */
    SERVED;

    boolean hasDevice() {
      return this == BACKEND || this == PARAVIRTUAL || this == SERVED;
    }
  }

  /** A frame: mapped, an orphan, kept by those who map it, or shared and nobody's. */
  static final class Frame {
    private final Guest guest;
    private boolean isAllocated = true;

    /** What it holds in its first word. */
    long stamp;

    /** Those who map it besides its owner, by foreign mapping or grant. */
    int references;

    /** Guest frames that share it; none where it is its owner's. */
    int sharers;

    Frame(Guest owner, long stamp) {
      this.guest = owner;
      this.stamp = stamp;
      owner.frames++;
    }

    /** The guest gives it up; it is gone with the last who maps it. */
    void release() {
      isAllocated = false;
      guest.frames -= references == 0 ? 1 : 0;
    }

    void unreference() {
      references--;
      guest.frames -= references == 0 && !isAllocated ? 1 : 0;
    }
  }

  /** A guest frame of somebody's that maps a page of another's. */
  record Slot(DomainId mapper, long gfn) implements Comparable<Slot> {
    @Override
    public int compareTo(Slot other) {
      int byMapper = mapper.compareTo(other.mapper);
      return byMapper != 0 ? byMapper : Long.compare(gfn, other.gfn);
    }
  }

  /**
   * A page of another's.
   *
   * @param handle of a grant; -1 for a foreign page
   */
  record Mapping(Frame frame, DomainId owner, long ref, boolean readonly, long handle) {
    boolean isGrant() {
      return handle >= 0;
    }
  }

  /** How a page can be used. */
  enum Kind {
    RAM,
    READ_ONLY,
    NOMINATED,
    SHARED,
    /** A server has the writes to it. */
    CLAIMED,
    /** A page table of a guest without P2M, which no device may write, and so none sees. */
    PINNED
  }

  /** What is behind a guest frame. */
  record Page(Kind kind, Frame frame) {}

  /** One domain. */
  static final class Guest {
    final DomainId id;
    final Role role;

    /** By guest frame; of a paravirtual guest, by frame of the machine. */
    final TreeMap<Long, Page> pages = new TreeMap<>();

    /** Guest frames that wait to be populated. */
    final TreeSet<Long> waiting = new TreeSet<>();

    /** The highest guest frame that waited and was touched. */
    long highestDemanded;

    /** Guest frames written since the bitmap was cleaned; empty where nobody watches. */
    final TreeSet<Long> written = new TreeSet<>();

    /** Guest frames that were made writable unseen, until the bitmap is cleaned. */
    final TreeSet<Long> unseen = new TreeSet<>();

    /** What pages hold that were taken away, by guest frame. */
    final TreeMap<Long, Long> pagedOut = new TreeMap<>();

    /** Accesses other than all, by guest frame. */
    final Map<Long, Long> accesses = new HashMap<>();

    final long limit;
    boolean isWatched;

    /** What its device model shows, and which of its pages were not written since. */
    Displaying.Display display = Displaying.Display.NONE;

    final TreeSet<Long> protectedPages = new TreeSet<>();

    /** Whether a server claims pages. */
    boolean hasClaim;

    /** Whose device model it is; empty of most. */
    Optional<DomainId> target = Optional.empty();

    /** Frames charged. */
    long frames;

    Guest(DomainId id, Role role, long limit) {
      this.id = id;
      this.role = role;
      this.limit = limit;
    }

    boolean has(long gfn, Kind kind) {
      Page page = pages.get(gfn);
      return page != null && page.kind == kind;
    }

    /** Whether the guest would have to wait for a pager. */
    boolean isAway(long gfn) {
      return pagedOut.containsKey(gfn) || has(gfn, Kind.NOMINATED);
    }

    /** A frame of zeros takes the place of what was there. */
    void populate(long gfn) {
      waiting.remove(gfn);
      pagedOut.remove(gfn);
      put(gfn, new Page(Kind.RAM, new Frame(this, 0)));
    }

    /** Somebody begins to watch, ends, or has seen what was written. */
    void watch(boolean on) {
      isWatched = on;
      written.clear();
      unseen.clear();
    }

    /** A page is mapped anew, which counts as written. */
    void put(long gfn, Page page) {
      pages.put(gfn, page);
      accesses.remove(gfn);
      protectedPages.remove(gfn);
      unseen.remove(gfn);
      noteWritten(gfn);
    }

    void noteWritten(long gfn) {
      protectedPages.remove(gfn);
      if (isWatched && !unseen.contains(gfn)) {
        written.add(gfn);
      }
    }

    /** What was there is no more, and its frame stays. */
    Page unmap(long gfn) {
      written.remove(gfn);
      accesses.remove(gfn);
      protectedPages.remove(gfn);
      return Objects.requireNonNull(pages.remove(gfn));
    }

    /** Whether a shared page could be made the guest's own, with so many frames left to take. */
    boolean mayUnshare(long gfn, long room) {
      return !has(gfn, Kind.SHARED)
          || room > 0
          || Objects.requireNonNull(pages.get(gfn)).frame.sharers == 1;
    }

    /** Gives the guest a frame of its own where it has a shared one. */
    void unshare(long gfn) {
      if (has(gfn, Kind.SHARED)) {
        Frame shared = Objects.requireNonNull(pages.get(gfn)).frame;
        shared.sharers--;
        put(gfn, new Page(Kind.RAM, new Frame(this, shared.stamp)));
      }
    }

    /** The page becomes one that others may share; its frame is nobody's. */
    Frame share(long gfn) {
      Frame own = Objects.requireNonNull(pages.get(gfn)).frame;
      if (!has(gfn, Kind.SHARED)) {
        frames--;
        own.sharers = 1;
        pages.put(gfn, new Page(Kind.SHARED, own));
        accesses.remove(gfn);
      }
      return own;
    }
  }

  /** Whether a domain that was destroyed is still somebody's target. */
  boolean isTarget(DomainId id) {
    return guests.values().stream().anyMatch(guest -> guest.target.equals(Optional.of(id)));
  }

  Guest guest(DomainId id) {
    return Objects.requireNonNull(guests.get(id));
  }

  /** Every guest frame that has the page, whoever's. */
  List<Map.Entry<Guest, Long>> sharersOf(Frame frame) {
    return guests.values().stream()
        .flatMap(
            guest ->
                guest.pages.entrySet().stream()
                    .filter(entry -> entry.getValue().frame == frame)
                    .map(entry -> Map.entry(guest, entry.getKey())))
        .toList();
  }

  List<Slot> slotsOf(DomainId mapper) {
    return mappings.keySet().stream().filter(slot -> slot.mapper.equals(mapper)).toList();
  }

  List<Slot> slotsInto(DomainId owner) {
    return mappings.entrySet().stream()
        .filter(entry -> entry.getValue().owner.equals(owner))
        .map(Map.Entry::getKey)
        .toList();
  }
}
