package io.hypercalld.core.kernel;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.dma.ContiguityMap;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.hypercall.DecreaseReservation;
import io.hypercalld.core.hypercall.Exchange;
import io.hypercalld.core.hypercall.GuestCalls;
import io.hypercalld.core.hypercall.GuestFrames;
import io.hypercalld.core.hypercall.Outcome;
import io.hypercalld.core.hypercall.PopulatePhysmap;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.p2m.Gfn;
import java.util.List;
import java.util.Optional;
import java.util.stream.LongStream;

/**
 * Has the hypervisor exchange the frames of a kernel's pages, so that they follow each other in the
 * machine, or do not. What was in the pages is lost. Confined to the machine thread.
 *
 * @see "Linux arch/ia64/xen/hypervisor.c, xen_create_contiguous_region; spec/documents.md S3-D9"
 */
public final class ContiguousRegions {
  /** log2 of the pages of the largest region (MAX_CONTIG_ORDER). */
  public static final int MAX_ORDER = 7;

  private final GuestCalls xen;
  private final ContiguityMap known;

  ContiguousRegions(GuestCalls xen, ContiguityMap known) {
    this.xen = xen;
    this.known = known;
  }

  /**
   * Makes a region contiguous.
   *
   * @param first a multiple of its size
   * @param order log2 of its pages
   * @param limit how long a machine address of it may be
   * @throws Refusal ENOMEM for more than {@link #MAX_ORDER}, or where there are no such frames; as
   *     {@code exchange}. Nothing changed
   */
  public void create(Gfn first, int order, AddressBits limit) {
    create(List.of(first), order, limit);
  }

  /** As for one, for many at once. */
  void create(List<Gfn> regions, int order, AddressBits limit) {
    requireOrder(order);
    GuestFrames blocks = new GuestFrames.Listed(regions);
    exchange(side(pagesOf(regions, order), 0, 0), side(blocks, order, limit.bits()));
    regions.forEach(region -> known.join(region, 1 << order));
  }

  /**
   * Gives frames that are contiguous back for others, one by one.
   *
   * @param first of a region that was made contiguous
   * @param order as it was made
   * @throws Refusal as when it was made
   */
  public void destroy(Gfn first, int order) {
    requireOrder(order);
    exchange(side(GuestFrames.of(first), order, 0), side(pagesOf(List.of(first), order), 0, 0));
    known.separate(first, 1 << order);
  }

  /** How long machine addresses may be; 0 where it does not matter. */
  public record AddressBits(int bits) {
    public static final AddressBits ANY = new AddressBits(0);

    /** First frame number too high. */
    long end() {
      int frameBits = bits - PageSize.SHIFT_4K;
      return bits == 0 || bits >= Long.SIZE ? Long.MAX_VALUE : 1L << frameBits;
    }
  }

  private static void requireOrder(int order) {
    if (order > MAX_ORDER) {
      throw Refusal.of(
          Errno.ENOMEM, "a contiguous region has at most 2^%d pages, not 2^%d", MAX_ORDER, order);
    }
  }

  private static GuestFrames pagesOf(List<Gfn> regions, int order) {
    if (regions.size() == 1) {
      return GuestFrames.consecutive(regions.getFirst(), 1L << order);
    }
    return new GuestFrames.Listed(
        regions.stream()
            .flatMap(region -> LongStream.range(0, 1L << order).mapToObj(region::plus))
            .toList());
  }

  private static Exchange.Reservation side(GuestFrames frames, int order, int bits) {
    return new Exchange.Reservation(DomainId.SELF, frames, Optional.empty(), order, new Word(bits));
  }

  private void exchange(Exchange.Reservation in, Exchange.Reservation out) {
    Outcome outcome = xen.call(new Exchange(in, out, 0, 0));
    if (outcome instanceof Outcome.Refused refused && refused.errno() == Errno.EOPNOTSUPP) {
      replace(in, out);
    } else if (outcome instanceof Outcome.Refused refused) {
      throw Refusal.of(refused.errno(), "%s", refused.detail());
    }
  }

  /**
   * Gives frames back and gets others, which may be as they were where there are no better ones.
   */
  private void replace(Exchange.Reservation in, Exchange.Reservation out) {
    decrease(in.extentStart(), in.extentOrder());
    long got = populate(out.extentStart(), out.extentOrder(), out.memFlags());
    if (got == out.extentStart().count()) {
      return;
    }
    decrease(firstOf(out.extentStart(), got), out.extentOrder());
    populate(in.extentStart(), in.extentOrder(), in.memFlags());
    throw Refusal.of(
        Errno.ENOMEM, "the machine has no 2^%d frames in a row for the kernel", out.extentOrder());
  }

  private static GuestFrames firstOf(GuestFrames all, long count) {
    return new GuestFrames.Listed(
        LongStream.range(0, count).mapToObj(i -> new Gfn(all.at(i))).toList());
  }

  private void decrease(GuestFrames extents, long order) {
    if (extents.count() > 0) {
      xen.require(
          new DecreaseReservation(DomainId.SELF, extents, Optional.empty(), order, new Word(0)));
    }
  }

  private long populate(GuestFrames extents, long order, Word flags) {
    return xen.require(new PopulatePhysmap(DomainId.SELF, extents, Optional.empty(), order, flags))
        .ret();
  }
}
