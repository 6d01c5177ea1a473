package io.hypercalld.core.domain;

import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.FrameTable;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mLookup;
import io.hypercalld.core.p2m.P2mType;
import io.hypercalld.core.p2m.SyncHook;
import io.hypercalld.core.transaction.Transaction;
import java.util.ArrayList;
import java.util.List;

/**
 * Puts other frames, in blocks of consecutive ones, under guest frames of a translated domain's, so
 * that a device which knows machine addresses can be told of one range. What was in the pages is
 * gone. Confined to the machine thread.
 *
 * <p>The order of one page: the new frame says where it is, the entry is swapped, so that devices
 * are told to forget the old frame, that says that it is nowhere, and only then is it freed.
 *
 * @see "spec/documents.md S3-D7, S3-D9; xen/arch/ia64/xen/mm.c, steal_page and guest_physmap_add"
 */
public final class PageExchange {
  private final Domain domain;
  private final PhysicalMap map;
  private final FrameTable frames;

  /** For a domain whose kernel drives devices. */
  public PageExchange(Domain domain, FrameTable frames) {
    this.domain = domain;
    this.map = domain.physicalMap().orElseThrow();
    this.frames = frames;
  }

  /**
   * Exchanges the frames under guest frames.
   *
   * @param given guest frames
   * @param order log2 of the frames of a block
   * @param starts guest frames that the blocks are to begin at; together the given ones
   * @param end first frame number too high
   * @return the first frame of each block
   * @throws Refusal EINVAL a guest frame that is not exclusively the domain's RAM, or that is not
   *     one of those given; EOPNOTSUPP pages of another size; ENOMEM. Nothing changed
   */
  public List<Long> exchange(List<Gfn> given, int order, List<Gfn> starts, long end) {
    requireSmallPages();
    List<Long> old = given.stream().map(this::exclusive).toList();
    List<Gfn> targets = new ArrayList<>();
    starts.forEach(
        start -> {
          for (long page = 0; page < 1L << order; page++) {
            targets.add(start.plus(page));
          }
        });
    if (!given.containsAll(targets) || targets.stream().distinct().count() != given.size()) {
      throw Refusal.of(Errno.EINVAL, "the blocks are not where the frames given are");
    }
    return domain
        .reservation()
        .exchange(old, order, end, (steps, blocks) -> swap(steps, targets, blocks, order));
  }

  /**
   * Refuses what {@link #exchange} of all would that can be known before it is begun, so that none
   * of many exchanges is made where not all can be; changes nothing.
   *
   * @param given guest frames of RAM
   * @param order log2 of the frames of a block
   * @param end first frame number too high
   * @throws Refusal EOPNOTSUPP pages of another size; EINVAL a guest frame that is not exclusively
   *     the domain's RAM; ENOMEM the machine has not so many blocks beside what is given for them
   */
  public void rehearse(List<Gfn> given, int order, long end) {
    requireSmallPages();
    given.forEach(gfn -> requireExclusive(gfn, map.query(gfn)));
    domain.reservation().requireBlocks(order, given.size() >>> order, end);
  }

  private void requireSmallPages() {
    if (map.granule() != 1) {
      throw Refusal.of(
          Errno.EOPNOTSUPP,
          "the P2M of %s has pages of %d KiB, and only frames of 4 KiB are exchanged",
          domain.id(),
          map.granule() * (PageSize.BYTES_4K >> 10));
    }
  }

  private long exclusive(Gfn gfn) {
    P2mLookup found = map.obtainUnshared(gfn);
    requireExclusive(gfn, found);
    return found.mfn().value();
  }

  private void requireExclusive(Gfn gfn, P2mLookup found) {
    long mfn = found.mfn().value();
    if (found.type() != P2mType.RAM_RW
        || !map.isOwn(found)
        || frames.references(mfn) != 1
        || frames.typeReferences(mfn) != 0) {
      throw Refusal.of(Errno.EINVAL, "guest frame %s is not exclusively %s's", gfn, domain.id());
    }
  }

  private void swap(Transaction steps, List<Gfn> targets, List<Long> blocks, int order) {
    for (int i = 0; i < targets.size(); i++) {
      long inBlock = i & ((1L << order) - 1);
      swap(steps, targets.get(i), new Mfn(blocks.get(i >>> order) + inBlock));
    }
  }

  private void swap(Transaction steps, Gfn gfn, Mfn replacement) {
    Mfn old = map.query(gfn).mfn();
    frames.setM2p(replacement.value(), 0, gfn.value());
    steps.onFailure(() -> frames.clearM2p(replacement.value(), 0));
    put(gfn, replacement);
    steps.onFailure(
        () -> {
          frames.setM2p(old.value(), 0, gfn.value());
          put(gfn, old);
        });
    frames.clearM2p(old.value(), 0);
    domain.logDirty().markDirty(gfn);
  }

  private void put(Gfn gfn, Mfn mfn) {
    domain
        .p2m()
        .during(
            SyncHook.EXCHANGE, () -> domain.p2m().set(gfn, mfn, PageSize.SIZE_4K, P2mType.RAM_RW));
  }
}
