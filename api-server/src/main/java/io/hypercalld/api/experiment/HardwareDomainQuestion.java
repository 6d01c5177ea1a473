package io.hypercalld.api.experiment;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.hypercall.OrElse;
import io.hypercalld.core.memory.FrameRun;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.iommu.driver.HardwareDomainTable;
import io.hypercalld.iommu.driver.Profile;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * Whether dom0's table of all RAM gets done. Immutable.
 *
 * @param ram what firmware reports
 * @param xen what the hypervisor keeps of it
 */
public record HardwareDomainQuestion(
    @OrElse("\"as-shipped\"") Profile profile, List<Range> ram, List<Range> xen) {
  private static final long MOST_FRAMES = 1L << 24;

  /**
   * Addresses from the first to the last.
   *
   * @param limit inclusive
   */
  public record Range(Word base, Word limit) {
    private FrameRun frames() {
      long first = base.value() >>> PageSize.SHIFT_4K;
      long end = (limit.value() >>> PageSize.SHIFT_4K) + 1;
      if (base.value() < 0 || limit.value() < base.value() || end - first > MOST_FRAMES) {
        throw Refusal.of(
            Errno.EINVAL, "%s to %s are not up to %d frames", base, limit, MOST_FRAMES);
      }
      return new FrameRun(first, end - first);
    }
  }

  /** How far it came. */
  public enum Verdict {
    BUILT,
    STUCK
  }

  /**
   * The answer.
   *
   * @param mapped frames mapped
   * @param at address at which there is no progress
   */
  public record Answer(Verdict outcome, long mapped, Optional<Word> at) implements Findings {
    @Override
    public String toText() {
      TextTable table = new TextTable("outcome", "frames mapped", "stuck at");
      table.add(
          outcome.name().toLowerCase(Locale.ROOT), mapped, at.map(Word::toString).orElse("-"));
      return table.toString();
    }
  }

  /**
   * Tries it.
   *
   * @throws Refusal EINVAL a range that is none
   */
  public Answer answer() {
    List<FrameRun> all = ram.stream().map(Range::frames).toList();
    List<FrameRun> kept = xen.stream().map(Range::frames).toList();
    return switch (HardwareDomainTable.build(all, kept, profile, _ -> {})) {
      case HardwareDomainTable.Built(var mapped) ->
          new Answer(Verdict.BUILT, mapped, Optional.empty());
      case HardwareDomainTable.Stuck(var at, var mapped) ->
          new Answer(Verdict.STUCK, mapped, Optional.of(new Word(at.maddr())));
    };
  }
}
