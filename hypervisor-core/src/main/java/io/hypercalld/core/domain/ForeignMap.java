package io.hypercalld.core.domain;

import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.FrameTable;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mLookup;
import io.hypercalld.core.p2m.P2mRun;
import io.hypercalld.core.p2m.P2mTable;
import io.hypercalld.core.p2m.P2mType;
import io.hypercalld.core.p2m.SyncHook;
import java.util.Optional;

/**
 * Pages of other domains that a domain has mapped. Confined to the machine thread.
 *
 * <p>Where the mapper's pages are larger than 4 KiB, one mapping is of as many consecutive frames.
 * Each holds one reference to its frame, which keeps the frame, and with it the struct of a dead
 * owner, until it is unmapped. The frame says its owner's guest frame, never the mapper's.
 *
 * @see "xen/arch/x86/mm/p2m.c, p2m_add_foreign and set_foreign_p2m_entry; p2m_entry_modify"
 */
public final class ForeignMap {
  /** Mappings given back between two continuations. */
  private static final int MAPPINGS_PER_STEP = 256;

  private final Domain mapper;
  private final PhysicalMap map;
  private final FrameTable frames;
  private final DomainTable domains;
  private long count;

  ForeignMap(Domain mapper, PhysicalMap map, FrameTable frames, DomainTable domains) {
    this.mapper = mapper;
    this.map = map;
    this.frames = frames;
    this.domains = domains;
  }

  /** Frames mapped ({@code nr_foreign}). */
  public long count() {
    return count;
  }

  /**
   * Refuses a domain that has other views of its memory, which would not be told.
   *
   * @throws Refusal with the errno given
   */
  public static void requireOneView(Domain domain, Errno errno) {
    if (domain.settings().altp2m().mode() != 0 || domain.settings().has(DomainFlag.NESTED_VIRT)) {
      throw Refusal.of(errno, "%s has altp2m or nested_virt", domain.id());
    }
  }

  /**
   * Maps a page of another domain's memory in place of what is at the guest frame.
   *
   * @throws Refusal EINVAL where the other has no such page to give; EPERM, which crashes the
   *     mapper, over a device's page; ENXIO over another foreign page; EBUSY; as {@link
   *     PhysicalMap#removeAndRelease} and {@link P2mTable#set}
   */
  public void add(Domain owner, Gfn source, Gfn at) {
    Mfn mfn = page(owner, source);
    P2mLookup replaced = map.query(at);
    if (replaced.mfn().isValid() && frames.contains(replaced.mfn().value())) {
      if (frames.isSpecial(replaced.mfn().value())) {
        map.remove(at);
      } else {
        map.removeAndRelease(at, SyncHook.FOREIGN_MAP);
      }
    }
    map(mfn, at);
  }

  private Mfn page(Domain owner, Gfn source) {
    if (owner.physicalMap().isEmpty()) {
      return frameOf(owner, source);
    }
    P2mLookup found = owner.physicalMap().get().obtain(source);
    boolean shareable =
        P2mType.RAM.contains(found.type())
            && found.type() != P2mType.RAM_SHARED
            && !P2mType.HOLE.contains(found.type());
    return owner
        .physicalMap()
        .get()
        .page(found)
        .filter(mfn -> shareable)
        .orElseThrow(
            () ->
                Refusal.of(
                    Errno.EINVAL, "guest frame %s of %s is %s", source, owner.id(), found.type()));
  }

  /** A PV domain's guest frames are frames of the machine. */
  private Mfn frameOf(Domain owner, Gfn source) {
    if (!frames.contains(source.value()) || frames.owner(source.value()) != owner.id().value()) {
      throw Refusal.of(Errno.EINVAL, "frame %s is not %s's", source, owner.id());
    }
    return new Mfn(source.value());
  }

  /**
   * Maps a frame of another domain's. What is mapped there is made an orphan; the same once more is
   * no error.
   *
   * @throws Refusal EPERM over an entry that may not be replaced, which crashes the mapper; EBUSY
   *     where the frame can no longer be referred to; as {@link P2mTable#set}
   */
  public void map(Mfn mfn, Gfn at) {
    P2mLookup replaced = map.query(at);
    if (replaced.type() == P2mType.MAP_FOREIGN && replaced.mfn().equals(mfn)) {
      return;
    }
    takeReferences(mfn);
    try {
      map.displacement()
          .replacing(
              at,
              map.granule(),
              SyncHook.FOREIGN_MAP,
              () -> mapper.p2m().setPages(at, mfn, map.granule(), P2mType.MAP_FOREIGN));
    } catch (Refusal refusal) {
      putReferences(mfn, map.granule());
      throw refusal;
    }
    if (P2mType.RAM.contains(replaced.type())) {
      mapper.facets().mappingsLost();
    }
    count += map.granule();
  }

  private void takeReferences(Mfn mfn) {
    int owner = frames.owner(mfn.value());
    for (long taken = 0; taken < map.granule(); taken++) {
      long frame = mfn.value() + taken;
      if (!frames.contains(frame) || !frames.takeReference(frame, owner)) {
        putReferences(mfn, taken);
        throw Refusal.of(Errno.EBUSY, "frame 0x%x is about to be freed, or another's", frame);
      }
    }
  }

  private void putReferences(Mfn mfn, long references) {
    for (long given = 0; given < references; given++) {
      domains.putReference(mfn.plus(given));
    }
  }

  /** Unmaps a foreign page and gives its reference back. */
  void unmap(Gfn at) {
    Mfn mfn = map.query(at).mfn();
    mapper.p2m().during(SyncHook.FOREIGN_MAP, () -> map.clear(at));
    count -= map.granule();
    putReferences(mfn, map.granule());
  }

  /**
   * Unmaps some of the pages while the mapper is dying.
   *
   * @return whether none is left
   */
  boolean relinquish() {
    Gfn from = new Gfn(0);
    for (int done = 0; count > 0 && done < MAPPINGS_PER_STEP; done++) {
      Optional<Gfn> found = next(from);
      if (found.isEmpty()) {
        throw new IllegalStateException(
            "%s lost %d foreign mappings".formatted(mapper.id(), count));
      }
      unmap(found.get());
      from = new Gfn(found.get().value() + map.granule());
    }
    return count == 0;
  }

  private Optional<Gfn> next(Gfn from) {
    Optional<P2mRun> run = mapper.p2m().nextRun(from);
    while (run.isPresent() && run.get().type() != P2mType.MAP_FOREIGN) {
      P2mRun other = run.get();
      run = mapper.p2m().nextRun(new Gfn(other.gfn().value() + (other.count() << other.order())));
    }
    return run.map(P2mRun::gfn).map(gfn -> gfn.value() < from.value() ? from : gfn);
  }
}
