package io.hypercalld.core.dma;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.FrameAllocator;
import io.hypercalld.core.memory.MachineMemory;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.p2m.DmaPermission;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mChange;
import io.hypercalld.core.p2m.P2mEntry;
import io.hypercalld.core.p2m.P2mLookup;
import io.hypercalld.core.p2m.P2mObserver;
import io.hypercalld.core.p2m.P2mTable;
import io.hypercalld.core.p2m.P2mType;
import io.hypercalld.core.transaction.Transaction;
import java.util.Arrays;

/**
 * A domain's P2M as its kernel may read it, without asking: one table of words in pages of the
 * hypervisor's that the guest maps read-only. Confined to the machine thread.
 *
 * <pre>
 *   63    52 51                               12 11   2  1   0
 *  +--------+-----------------------------------+------+---+---+
 *  |   0    |           machine frame           |  0   | W | R |
 *  +--------+-----------------------------------+------+---+---+
 * </pre>
 *
 * It follows every change of the P2M, whatever hooks are on.
 *
 * @see "spec/documents.md S3-D3, S3-D4"
 */
final class ExposedP2m implements P2mObserver, Digestible {
  static final int ENTRIES = PageSize.BYTES_4K / Long.BYTES;

  private static final int PAGE_ORDER = Integer.numberOfTrailingZeros(ENTRIES);
  private static final long READ = 1;
  private static final long WRITE = 2;

  private final MachineMemory memory;
  private final Range shown;
  private final Gfn at;
  private final long[] pages;

  /** Guest frames whose entries are shown. */
  record Range(Gfn first, long count) {}

  private ExposedP2m(MachineMemory memory, Range shown, Gfn at, long[] pages) {
    this.memory = memory;
    this.shown = shown;
    this.at = at;
    this.pages = pages;
  }

  /**
   * Shows a domain its P2M.
   *
   * @param shown multiples of {@link #ENTRIES}
   * @param at where its table begins
   * @throws Refusal EAGAIN something is mapped there; ENOMEM. Nothing changed
   */
  static ExposedP2m show(Domain domain, FrameAllocator allocator, Range shown, Gfn at) {
    P2mTable p2m = domain.p2m();
    long count = shown.count() >>> PAGE_ORDER;
    if (!p2m.isUnmapped(at, count)) {
      throw Refusal.of(Errno.EAGAIN, "%s has something mapped from %s on", domain.id(), at);
    }
    if (count > allocator.unclaimedFrames()) {
      throw Refusal.of(Errno.ENOMEM, "%d pages are wanted for the table", count);
    }
    return Transaction.run(
        steps -> {
          long[] pages = new long[(int) count];
          for (int i = 0; i < count; i++) {
            Mfn page = domain.memory().specialPages().allocate();
            steps.onFailure(() -> domain.memory().specialPages().release(page));
            pages[i] = page.maddr();
          }
          ExposedP2m exposed = new ExposedP2m(allocator.memory(), shown, at, pages);
          exposed.fill(p2m);
          p2m.announcements().follow(exposed);
          steps.onFailure(() -> p2m.announcements().forget(exposed));
          exposed.map(steps, p2m);
          return exposed;
        });
  }

  private void fill(P2mTable p2m) {
    long end = shown.first.value() + shown.count;
    for (long gfn = shown.first.value(); gfn < end; ) {
      P2mLookup found = p2m.lookup(new Gfn(gfn));
      long leaf = 1L << found.order();
      long next = Math.min(end, (gfn & -leaf) + leaf);
      if (found.mfn().isValid()) {
        write(gfn, next - gfn, found.mfn(), P2mEntry.dma(found.entry()));
      }
      gfn = next;
    }
  }

  private void map(Transaction steps, P2mTable p2m) {
    for (int i = 0; i < pages.length; i++) {
      Gfn gfn = at.plus(i);
      p2m.set(gfn, Mfn.containing(pages[i]), PageSize.SIZE_4K, P2mType.GRANT_MAP_RO);
      steps.onFailure(() -> p2m.set(gfn, Mfn.INVALID, PageSize.SIZE_4K, P2mType.INVALID));
    }
  }

  private void write(long gfn, long count, Mfn mfn, DmaPermission permission) {
    long bits = (permission.reads() ? READ : 0) | (permission.writes() ? WRITE : 0);
    for (long i = 0; i < count; i++) {
      memory.writeWord(place(gfn + i), bits == 0 ? 0 : mfn.plus(i).maddr() | bits);
    }
  }

  private long place(long gfn) {
    long entry = gfn - shown.first.value();
    return pages[(int) (entry >>> PAGE_ORDER)] + (entry & (ENTRIES - 1)) * Long.BYTES;
  }

  /**
   * The machine frame that the guest finds for one of its frames.
   *
   * @return {@link AddressMode#NO_FRAME} where it finds none that may be used so
   */
  long frame(long gfn, DmaPermission permission) {
    long entry = gfn - shown.first.value();
    if (entry < 0 || entry >= shown.count) {
      return AddressMode.NO_FRAME;
    }
    long word = memory.readWord(place(gfn));
    boolean permitted = (word & READ) != 0 && (!permission.writes() || (word & WRITE) != 0);
    return permitted ? word >>> PageSize.SHIFT_4K : AddressMode.NO_FRAME;
  }

  /** Whether a guest frame is one of the table's. */
  boolean isAt(Gfn gfn) {
    return gfn.value() >= at.value() && gfn.value() < at.value() + pages.length;
  }

  @Override
  public void changed(P2mChange change) {
    long from = Math.max(change.gfn().value(), shown.first.value());
    long to = Math.min(change.gfn().value() + change.frames(), shown.first.value() + shown.count);
    if (from < to) {
      Mfn first =
          change.permission() == DmaPermission.NONE
              ? change.mfn()
              : change.mfn().plus(from - change.gfn().value());
      write(from, to - from, first, change.permission());
    }
  }

  @Override
  public void digest(StateDigest digest) {
    digest.put(shown.first.value()).put(shown.count).put(at.value()).put(Arrays.hashCode(pages));
  }
}
