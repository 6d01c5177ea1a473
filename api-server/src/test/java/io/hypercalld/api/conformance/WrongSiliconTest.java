package io.hypercalld.api.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.iommu.unit.DmaSegment;
import io.hypercalld.iommu.vtd.FaultReason;
import io.hypercalld.iommu.vtd.Habits;
import io.hypercalld.iommu.vtd.Register;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * One thing that is wrong, once: at the first place of a case where it makes a difference. The
 * judge fails every case in which there is such a place and the recording knows what is right.
 * {@code -Dwrong.every=1} tries all cases.
 */
final class WrongSiliconTest {
  private static final int EVERY = Integer.getInteger("wrong.every", 4);

  /**
   * Where no recording knows: whether a request was blocked that nobody could observe, and why one
   * was that FPD keeps from software, in the older scalable mode.
   */
  private static final List<String> UNKNOWN = List.of("FZ1-0200", "SCM015");

  /** What becomes of a request, but wrong. */
  enum Wrong {
    REASON(
        end ->
            end instanceof DmaSegment.Faulted(var reason, var recorded)
                ? new DmaSegment.Faulted(other(reason), recorded)
                : end),
    NO_FAULT(
        end -> end instanceof DmaSegment.Faulted ? new DmaSegment.MasterAbort(0x7fff_f000L) : end),
    ADDRESS(
        end ->
            end instanceof DmaSegment.Moved moved
                ? new DmaSegment.Moved(
                    moved.maddr() ^ 0x1000, moved.page(), moved.iotlbHit(), moved.contextHit())
                : end),
    BLOCKED(
        end ->
            end instanceof DmaSegment.Moved
                ? new DmaSegment.Faulted(FaultReason.PAGING_ENTRY_UNREADABLE, true)
                : end);

    @SuppressWarnings("ImmutableEnumChecker") // These functions keep nothing.
    private final UnaryOperator<DmaSegment.End> flaw;

    Wrong(UnaryOperator<DmaSegment.End> flaw) {
      this.flaw = flaw;
    }

    private static FaultReason other(FaultReason reason) {
      return reason == FaultReason.ROOT_NOT_PRESENT
          ? FaultReason.CONTEXT_NOT_PRESENT
          : FaultReason.ROOT_NOT_PRESENT;
    }
  }

  /** A sight with one error in it. */
  private static final class Once implements Instruments {
    private final UnaryOperator<DmaSegment.End> flaw;
    private final int offset;
    private final long bits;
    private boolean struck;

    Once(UnaryOperator<DmaSegment.End> flaw, int offset, long bits) {
      this.flaw = flaw;
      this.offset = offset;
      this.bits = bits;
    }

    @Override
    public DmaSegment.End end(DmaSegment.End there) {
      DmaSegment.End seen = struck ? there : flaw.apply(there);
      struck |= !seen.equals(there);
      return seen;
    }

    @Override
    public long word(int at, long there) {
      if (struck || at != offset) {
        return there;
      }
      struck = true;
      return there ^ bits;
    }
  }

  /** The cases that pass although something in them was wrong. */
  private static List<String> overlooked(
      UnaryOperator<DmaSegment.End> flaw, int offset, long bits) {
    List<String> overlooked = new ArrayList<>();
    int struck = 0;
    List<CorpusCase> cases = Corpus.cases();
    for (int at = 0; at < cases.size(); at += EVERY) {
      CorpusCase recorded = cases.get(at);
      Once once = new Once(flaw, offset, bits);
      Report report = Corpus.quiet();
      try (CaseMachine machine = CaseMachine.of(recorded, Habits.LENIENT)) {
        machine.seeThrough(once);
        CaseRun.run(recorded, machine, report);
      }
      struck += once.struck ? 1 : 0;
      if (once.struck && report.failed() == 0) {
        overlooked.add(recorded.id());
      }
    }
    assertThat(struck).isGreaterThan(200 / EVERY);
    return overlooked;
  }

  @ParameterizedTest
  @EnumSource
  void requestThatEndsWrong_isFoundInEveryCase(Wrong wrong) {
    assertThat(overlooked(wrong.flaw, -1, 0)).isSubsetOf(UNKNOWN);
  }

  @ParameterizedTest
  @CsvSource({
    "GSTS, 31",
    "GSTS, 30",
    "GSTS, 26",
    "FSTS, 0",
    "FSTS, 1",
    "FSTS, 4",
    "FECTL, 30",
    "FECTL, 31",
    "IQH, 4",
    "IQT, 4",
    "ICS, 0",
    "IECTL, 31"
  })
  void registerWithAWrongBit_isFoundInEveryCase(Register register, int bit) {
    assertThat(overlooked(end -> end, register.offset(), 1L << bit)).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "0x220, 12",
    "0x224, 0",
    "0x228, 0",
    "0x228, 5",
    "0x22c, 0",
    "0x22c, 30",
    "0x22c, 31"
  })
  void faultRecordWithAWrongBit_isFoundInEveryCase(int offset, int bit) {
    assertThat(overlooked(end -> end, offset, 1L << bit)).isEmpty();
  }
}
