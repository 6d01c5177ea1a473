package io.hypercalld.core.domain;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.FrameAllocator;
import io.hypercalld.core.memory.FrameTable;
import io.hypercalld.core.memory.FrameType;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.p2m.Gfn;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * The machine's shared frames and the guest frames that map each. Confined to the machine thread.
 *
 * <p>A shared frame belongs to {@link DomainId#COW} and is charged to nobody. Besides the reference
 * of its allocation it has one, and one of its type, for each guest frame that maps it.
 *
 * @see "xen/arch/x86/mm/mem_sharing.c"
 */
public final class SharedFrames implements Digestible {
  private final TreeMap<Long, Share> shares = new TreeMap<>();
  private final FrameAllocator allocator;
  private final FrameTable frames;
  private long lastHandle;

  /** One guest frame that maps a shared frame. */
  record Sharer(DomainId domain, long gfn) implements Comparable<Sharer> {
    @Override
    public int compareTo(Sharer other) {
      int byDomain = domain.compareTo(other.domain);
      return byDomain != 0 ? byDomain : Long.compare(gfn, other.gfn);
    }
  }

  /** What is kept for one frame. */
  private static final class Share {
    final TreeSet<Sharer> sharers = new TreeSet<>();
    final long handle;

    Share(long handle) {
      this.handle = handle;
    }
  }

  SharedFrames(FrameAllocator allocator) {
    this.allocator = allocator;
    this.frames = allocator.frames();
  }

  /** Frames that are shared. */
  public long count() {
    return shares.size();
  }

  /** Frames that the machine would need more were each guest frame to have its own. */
  public long saved() {
    return shares.values().stream().mapToLong(share -> share.sharers.size() - 1L).sum();
  }

  /**
   * The number that names the frame's contents to those who share; empty where it is not shared.
   */
  Optional<Long> handle(Mfn mfn) {
    return Optional.ofNullable(shares.get(mfn.value())).map(share -> share.handle);
  }

  /** Makes a frame that one guest frame maps a shared one: nobody's, with a handle of its own. */
  long share(Mfn mfn, Sharer sharer) {
    lastHandle++;
    Share share = new Share(lastHandle);
    shares.put(mfn.value(), share);
    frames.transfer(mfn.value(), DomainId.COW.value());
    frames.setM2p(mfn.value(), 0, FrameTable.SHARED_M2P);
    join(mfn, sharer);
    return lastHandle;
  }

  /** One guest frame more maps a shared frame. */
  void join(Mfn mfn, Sharer sharer) {
    boolean referred = frames.takeReference(mfn.value(), DomainId.COW.value());
    boolean typed = frames.takeTypeReference(mfn.value(), FrameType.SHARED);
    if (!referred || !typed || !shareOf(mfn).sharers.add(sharer)) {
      throw new IllegalStateException("frame %s cannot be shared by %s".formatted(mfn, sharer));
    }
  }

  /** Whether nobody but the guest frame maps the frame. */
  boolean isOnly(Mfn mfn, Sharer sharer) {
    TreeSet<Sharer> sharers = shareOf(mfn).sharers;
    return sharers.size() == 1 && sharers.contains(sharer);
  }

  /**
   * How many guest frames share a frame.
   *
   * @throws Refusal EINVAL where it is not shared
   */
  public long sharersOf(Mfn mfn) {
    Share share = shares.get(mfn.value());
    if (share == null) {
      throw Refusal.of(Errno.EINVAL, "frame %s is not shared", mfn);
    }
    return share.sharers.size();
  }

  /** The guest frames that map the frame. */
  List<Sharer> sharers(Mfn mfn) {
    return List.copyOf(shareOf(mfn).sharers);
  }

  /** A guest frame maps the frame no more; a frame that none maps is freed. */
  void leave(Mfn mfn, Sharer sharer) {
    Share share = shareOf(mfn);
    if (!share.sharers.remove(sharer)) {
      throw new IllegalStateException("frame %s is not shared by %s".formatted(mfn, sharer));
    }
    frames.putTypeReference(mfn.value());
    frames.putReference(mfn.value());
    if (share.sharers.isEmpty()) {
      shares.remove(mfn.value());
      frames.clearM2p(mfn.value(), 0);
      if (frames.putAllocation(mfn.value()) == 0) {
        allocator.free(mfn.value());
      }
    }
  }

  /** The only guest frame that maps the frame gets it back, for its domain alone. */
  void makePrivate(Mfn mfn, Sharer only) {
    shares.remove(mfn.value());
    frames.putTypeReference(mfn.value());
    frames.putReference(mfn.value());
    frames.transfer(mfn.value(), only.domain.value());
  }

  private Share shareOf(Mfn mfn) {
    Share share = shares.get(mfn.value());
    if (share == null) {
      throw new IllegalStateException("frame %s is not shared".formatted(mfn));
    }
    return share;
  }

  /** What does not agree with the frame table or with the domains' P2Ms, in words. */
  public List<String> audit(DomainTable domains) {
    List<String> found = new ArrayList<>();
    shares.forEach((mfn, share) -> auditShare(new Mfn(mfn), share, domains, found));
    return found;
  }

  private void auditShare(Mfn mfn, Share share, DomainTable domains, List<String> found) {
    long sharers = share.sharers.size();
    boolean counted =
        frames.references(mfn.value()) > sharers
            && frames.typeReferences(mfn.value()) == sharers
            && frames.type(mfn.value()) == FrameType.SHARED;
    boolean nobodys =
        frames.owner(mfn.value()) == DomainId.COW.value()
            && frames.m2p(mfn.value()) == FrameTable.SHARED_M2P;
    if (!counted || !nobodys) {
      found.add("shared frame %s has %d sharers and other counts".formatted(mfn, sharers));
    }
    for (Sharer sharer : share.sharers) {
      boolean maps =
          domains
              .find(sharer.domain)
              .flatMap(Domain::findP2m)
              .filter(p2m -> p2m.lookup(new Gfn(sharer.gfn)).mfn().equals(mfn))
              .isPresent();
      if (!maps) {
        found.add("%s does not map shared frame %s".formatted(sharer, mfn));
      }
    }
  }

  @Override
  public void digest(StateDigest digest) {
    digest.section("shared-frames").put(lastHandle).put(shares.size());
    shares.forEach(
        (mfn, share) -> {
          digest.put(mfn).put(share.handle).put(share.sharers.size());
          share.sharers.forEach(sharer -> digest.put(sharer.domain.value()).put(sharer.gfn));
        });
  }
}
