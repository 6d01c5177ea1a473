package io.hypercalld.api.experiment;

import io.hypercalld.core.Hypervisor;
import io.hypercalld.core.HypervisorSettings;
import io.hypercalld.core.dma.TlbInsertRace;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.hypercall.OrElse;
import io.hypercalld.core.memory.MemoryMap;
import io.hypercalld.core.p2m.Gfn;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Whether a processor's TLB can keep a frame that was swapped away under it, in every order of the
 * steps of both. Immutable.
 *
 * @param recheck whether the processor looks at the P2M's entry again once it has inserted it
 * @param purge when the swap has processors forget
 * @see "documents/003, spec/documents.md S3-D7"
 */
public record TlbInsertQuestion(
    @OrElse("true") boolean recheck, @OrElse("\"after-swap\"") TlbInsertRace.Purge purge) {
  private static final long MEMORY = 64L << 20;
  private static final long DOM0 = 16L << 20;
  private static final Gfn PAGE = new Gfn(0x10);

  /**
   * What was found.
   *
   * @param interleavings orders that differ
   * @param stale those after which the TLB holds the old frame
   * @param inverse whether M2P and P2M are each other's inverse after every one of them
   * @param example the first of the stale
   */
  public record Answer(
      long interleavings, long stale, boolean inverse, List<TlbInsertRace.Step> example)
      implements Findings {
    public Answer {
      example = List.copyOf(example);
    }

    @Override
    public String toText() {
      TextTable table = new TextTable("orders", "stale afterwards", "M2P inverse");
      table.add(interleavings, stale, inverse ? "always" : "not always");
      return stale == 0 ? table.toString() : table + "stale after: %s%n".formatted(sequence());
    }

    private String sequence() {
      return example.stream().map(Object::toString).collect(Collectors.joining(", "));
    }
  }

  /** Tries them all on a small machine of its own. */
  public Answer answer() {
    HypervisorSettings settings =
        new HypervisorSettings(MemoryMap.of(MEMORY, MEMORY, List.of()), DOM0, 1, false, true, 36);
    try (Hypervisor hypervisor = new Hypervisor(settings)) {
      return answer(hypervisor, hypervisor.bootDom0());
    }
  }

  private Answer answer(Hypervisor hypervisor, Domain domain) {
    var page = new TlbInsertRace.Page(domain, hypervisor.frames(), PAGE);
    Set<List<TlbInsertRace.Step>> seen = new HashSet<>();
    List<List<TlbInsertRace.Step>> stale = new ArrayList<>();
    boolean inverse = true;
    for (int choices = 0; choices < 1 << TlbInsertRace.MOST_CHOICES; choices++) {
      TlbInsertRace.Run run = TlbInsertRace.run(page, recheck, purge, choices);
      long mfn = domain.p2m().lookup(PAGE).mfn().value();
      inverse &= hypervisor.frames().m2p(mfn) == PAGE.value();
      if (seen.add(run.steps()) && run.stale()) {
        stale.add(run.steps());
      }
    }
    return new Answer(
        seen.size(), stale.size(), inverse, stale.isEmpty() ? List.of() : stale.getFirst());
  }
}
