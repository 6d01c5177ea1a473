package io.hypercalld.core.p2m;

import io.hypercalld.core.memory.Mfn;

/**
 * What a look-up of a guest frame finds. Immutable.
 *
 * <p>It is the entry as it was found, decoded when asked, so that a look-up costs little more than
 * the walk.
 *
 * @param entry the entry where the walk ended
 * @param inside how many frames the guest frame lies behind the first that the entry covers
 * @param order log2 of the frames of 4 KiB that the entry covers: for a mapping 0, 9 or 18 with
 *     x86's tables; up to 27 for the empty region around an unmapped frame
 */
public record P2mLookup(long entry, long inside, int order) {
  /** Whether anything is mapped, be it without a frame. */
  public boolean isMapped() {
    return P2mEntry.isValid(entry);
  }

  /** The machine frame of exactly this guest frame, or {@link Mfn#INVALID}. */
  public Mfn mfn() {
    // What is present has a frame; the other question is for types like those that are paged out.
    return P2mEntry.isPresent(entry)
            || (isMapped() && P2mEntry.hasFrame(entry) && type() != P2mType.RAM_BROKEN)
        ? new Mfn(P2mEntry.mfn(entry) + inside)
        : Mfn.INVALID;
  }

  /** As {@link #mfn}, and of a broken page the frame that is not to be used any more. */
  public Mfn storedMfn() {
    return isMapped() && P2mEntry.hasFrame(entry)
        ? new Mfn(P2mEntry.mfn(entry) + inside)
        : Mfn.INVALID;
  }

  /** {@link P2mType#MMIO_DM} where nothing is mapped. */
  public P2mType type() {
    return isMapped() ? P2mEntry.type(entry) : P2mType.MMIO_DM;
  }

  /** {@link P2mAccess#N} where nothing is mapped. */
  public P2mAccess access() {
    return isMapped() ? P2mEntry.access(entry) : P2mAccess.N;
  }
}
