package io.hypercalld.core;

import io.hypercalld.core.domain.DomainId;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * What several domains' memory should be, as plain maps: pages by guest frame, who else maps them,
 * and what was written while somebody watched. Confined to the test's thread.
 */
final class MemoryModel {
  final TreeMap<DomainId, Guest> guests = new TreeMap<>();

  /** Pages of guests that dom0 maps, by its guest frame. */
  final TreeMap<Long, Mapping> mappings = new TreeMap<>();

  /** A frame of a guest's: mapped, an orphan, or kept by those who map it. */
  static final class Frame {
    final Guest owner;
    long stamp;
    int references;
    boolean isAllocated = true;

    Frame(Guest owner) {
      this.owner = owner;
      owner.frames++;
    }

    /** The guest gives it up; it is gone with the last who maps it. */
    void release() {
      isAllocated = false;
      owner.frames -= references == 0 ? 1 : 0;
    }

    void unreference() {
      references--;
      owner.frames -= references == 0 && !isAllocated ? 1 : 0;
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
    NOMINATED
  }

  /** What is behind a guest frame. */
  record Page(Kind kind, Frame frame) {}

  /** One domain. */
  static final class Guest {
    final TreeMap<Long, Page> pages = new TreeMap<>();

    /** Guest frames that wait to be populated. */
    final TreeSet<Long> waiting = new TreeSet<>();

    /** Guest frames written since the bitmap was cleaned; empty where nobody watches. */
    final TreeSet<Long> written = new TreeSet<>();

    /** What pages hold that were taken away, by guest frame. */
    final TreeMap<Long, Long> pagedOut = new TreeMap<>();

    boolean isWatched;
    boolean hasPager;
    long limit;
    long frames;

    boolean isMapped(long gfn) {
      return pages.containsKey(gfn) || waiting.contains(gfn) || pagedOut.containsKey(gfn);
    }

    /** A frame of zeros takes the place of what was there. */
    void populate(long gfn) {
      waiting.remove(gfn);
      pagedOut.remove(gfn);
      pages.put(gfn, new Page(Kind.RAM, new Frame(this)));
    }
  }
}
