package io.hypercalld.core.dma;

import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.memory.FrameRun;
import io.hypercalld.core.memory.FrameTable;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mType;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * A processor that inserts a translation of a guest frame while another swaps the frame behind it,
 * one step of either at a time. Confined to the machine thread.
 *
 * <p>Guest code runs on the inserting processor only once the insertion is done, so what counts is
 * what its TLB holds when both are.
 *
 * @see "spec/documents.md S3-D7; xen/arch/ia64/xen/mm.c, translate_domain_pte and p2m_entry_retry"
 */
public final class TlbInsertRace {
  /** Steps that both take at most, with one retry: more choices than these are never made. */
  public static final int MOST_CHOICES = 11;

  private static final long NOTHING = -1;

  /** What is done at once. */
  public enum Step {
    READ_ENTRY,
    INSERT,
    READ_AGAIN,
    NEW_M2P,
    SWAP_ENTRY,
    OLD_M2P,
    PURGE,
    FREE;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
  }

  /** When the swap has processors forget. */
  public enum Purge {
    AFTER_SWAP,
    BEFORE_SWAP,
    NEVER;

    private List<Step> steps() {
      return switch (this) {
        case AFTER_SWAP ->
            List.of(Step.NEW_M2P, Step.SWAP_ENTRY, Step.OLD_M2P, Step.PURGE, Step.FREE);
        case BEFORE_SWAP ->
            List.of(Step.NEW_M2P, Step.PURGE, Step.SWAP_ENTRY, Step.OLD_M2P, Step.FREE);
        case NEVER -> List.of(Step.NEW_M2P, Step.SWAP_ENTRY, Step.OLD_M2P, Step.FREE);
      };
    }

    /** As a question spells it: {@code after-swap}. */
    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
  }

  /**
   * What one order of steps came to.
   *
   * @param stale whether the TLB holds the frame that was swapped away
   */
  public record Run(List<Step> steps, boolean stale) {}

  private final List<Step> taken = new ArrayList<>();
  private final List<Step> inserting;
  private final List<Step> swapping;
  private final Domain domain;
  private final FrameTable frames;
  private final Gfn gfn;
  private final Mfn old;
  private final Mfn replacement;
  private long cached = NOTHING;
  private long seen = NOTHING;
  private int inserted;
  private int swapped;

  private TlbInsertRace(Domain domain, FrameTable frames, Gfn gfn, boolean recheck, Purge purge) {
    this.domain = domain;
    this.frames = frames;
    this.gfn = gfn;
    this.inserting =
        recheck
            ? List.of(Step.READ_ENTRY, Step.INSERT, Step.READ_AGAIN)
            : List.of(Step.READ_ENTRY, Step.INSERT);
    this.swapping = purge.steps();
    this.old = domain.p2m().lookup(gfn).mfn();
    this.replacement = new Mfn(domain.reservation().allocate(0, Long.MAX_VALUE));
  }

  /**
   * Runs both to their ends on a page of a domain's, which has another frame then.
   *
   * @param recheck whether the inserting processor looks at the entry again
   * @param choices bit by bit from the lowest: set where the swap is to take the next step
   */
  public static Run run(Page page, boolean recheck, Purge purge, int choices) {
    TlbInsertRace race = new TlbInsertRace(page.domain, page.frames, page.gfn, recheck, purge);
    int left = choices;
    while (race.inserted < race.inserting.size() || race.swapped < race.swapping.size()) {
      race.take((left & 1) != 0);
      left >>>= 1;
    }
    return new Run(List.copyOf(race.taken), race.cached == race.old.value());
  }

  /** Where it happens. */
  public record Page(Domain domain, FrameTable frames, Gfn gfn) {}

  private void take(boolean swapFirst) {
    boolean swaps = inserted == inserting.size() || (swapFirst && swapped < swapping.size());
    Step step = swaps ? swapping.get(swapped++) : inserting.get(inserted++);
    taken.add(step);
    act(step);
  }

  private void act(Step step) {
    switch (step) {
      case READ_ENTRY -> seen = frameNow();
      case INSERT -> cached = seen;
      case READ_AGAIN -> {
        if (frameNow() != seen) {
          cached = NOTHING;
          inserted = 0;
        }
      }
      case NEW_M2P -> frames.setM2p(replacement.value(), 0, gfn.value());
      case SWAP_ENTRY -> domain.p2m().set(gfn, replacement, PageSize.SIZE_4K, P2mType.RAM_RW);
      case OLD_M2P -> frames.clearM2p(old.value(), 0);
      case PURGE -> cached = NOTHING;
      case FREE -> domain.reservation().free(new FrameRun(old.value(), 1));
    }
  }

  private long frameNow() {
    return domain.p2m().lookup(gfn).mfn().value();
  }
}
