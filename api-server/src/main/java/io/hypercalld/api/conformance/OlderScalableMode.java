package io.hypercalld.api.conformance;

import io.hypercalld.api.conformance.CorpusCase.Segment;
import io.hypercalld.iommu.pci.SourceId;
import io.hypercalld.iommu.vtd.FaultReason;
import io.hypercalld.iommu.vtd.PasidDirectoryEntry;
import io.hypercalld.iommu.vtd.PasidEntry;
import io.hypercalld.iommu.vtd.Register;
import io.hypercalld.iommu.vtd.RootTableAddress;
import io.hypercalld.iommu.vtd.ScalableContextEntry;
import io.hypercalld.iommu.vtd.ScalableRootEntry;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What this silicon makes of a request in scalable mode where the older recording, which does not
 * say what the specification wants, has something else: each way by the deviation that accounts for
 * it, and only where the tables are of that kind. Immutable.
 */
final class OlderScalableMode {
  /** The scalable-mode reasons of each legacy reason, and of the one for all of PASID tables. */
  private static final Map<Integer, Set<Integer>> REASONS =
      Map.ofEntries(
          Map.entry(0x1, Set.of(0x39)),
          Map.entry(0x2, Set.of(0x41)),
          Map.entry(0x3, Set.of(0x5b, 0x7b)),
          Map.entry(0x4, Set.of(0x84)),
          Map.entry(0x5, Set.of(0x79)),
          Map.entry(0x6, Set.of(0x79)),
          Map.entry(0x7, Set.of(0x78)),
          Map.entry(0x8, Set.of(0x38)),
          Map.entry(0x9, Set.of(0x40)),
          Map.entry(0xa, Set.of(0x3a)),
          Map.entry(0xb, Set.of(0x42)),
          Map.entry(0xc, Set.of(0x7a)),
          Map.entry(0xe, Set.of(0x87)),
          Map.entry(0x58, Set.of(0x50, 0x51, 0x52, 0x58, 0x59, 0x5a, 0x5b)));

  private final CaseMachine machine;
  private final ScalableContextEntry context;

  OlderScalableMode(CaseMachine machine, SourceId requester) {
    this.machine = machine;
    long root = machine.unit().read64(Register.RTADDR.offset());
    long contexts =
        new ScalableRootEntry(
                machine.word(RootTableAddress.table(root) + ScalableRootEntry.offset(requester)))
            .contextTable();
    long at = contexts + ScalableContextEntry.offset(requester);
    this.context = new ScalableContextEntry(machine.word(at), machine.word(at + Long.BYTES), 0, 0);
  }

  /** What the requester's context entry says; 0 outside of scalable mode. */
  int requestPasid() {
    return isScalable() ? ScalableContextEntry.requestPasid(context.q1()) : 0;
  }

  private boolean isScalable() {
    return RootTableAddress.mode(machine.unit().read64(Register.RTADDR.offset()))
        == RootTableAddress.Mode.SCALABLE;
  }

  /** The freedom that lets {@code got} pass; empty where none does. */
  Optional<Freedom> of(Segment segment, Outcome got) {
    if (!isScalable()
        || Recorder.isNewer(machine.unit().capabilities())
        || segment.observed().isEmpty()
        || !(got instanceof Outcome.Faulted(int reason))) {
      return Optional.empty();
    }
    return usesOtherPasid(reason)
        ? Optional.of(Freedom.REQUEST_PASID)
        : walksFirstStage(reason)
            ? Optional.of(Freedom.FIRST_STAGE_AS_SECOND)
            : byReason(segment.observed().get(), reason);
  }

  /** It takes RID_PASID; without ECAP.RPS it is PASID 0 that requests use. */
  private boolean usesOtherPasid(int reason) {
    PasidDirectoryEntry directory = directory();
    int due =
        directory.isPresent()
            ? FaultReason.PASID_ENTRY_NOT_PRESENT.code()
            : FaultReason.PASID_DIRECTORY_NOT_PRESENT.code();
    return ScalableContextEntry.requestPasid(context.q1()) != 0
        && !machine.unit().capabilities().requestPasids()
        && !entry().isPresent()
        && reason == due;
  }

  /** PGTT 1 and 3 are walked with the second-stage pointer; a unit without either refuses them. */
  private boolean walksFirstStage(int reason) {
    int granularity = entry().granularityEncoding();
    return entry().isPresent()
        && (granularity == PasidEntry.Granularity.FIRST_LEVEL.encoding()
            || granularity == PasidEntry.Granularity.NESTED.encoding())
        && reason == FaultReason.PASID_ENTRY_INVALID.code();
  }

  private Optional<Freedom> byReason(Outcome observed, int reason) {
    if (observed instanceof Outcome.Faulted(int theirs)) {
      return Optional.of(Freedom.SCALABLE_REASON)
          .filter(_ -> REASONS.getOrDefault(theirs, Set.of()).contains(reason));
    }
    return Optional.of(Freedom.SNOOP_IN_SCALABLE_MODE)
        .filter(_ -> reason == 0x7a && !machine.unit().capabilities().snoopControl())
        .filter(_ -> observed instanceof Outcome.Passed);
  }

  private PasidDirectoryEntry directory() {
    return new PasidDirectoryEntry(machine.word(context.directory()));
  }

  /** PASID 0. */
  private PasidEntry entry() {
    PasidDirectoryEntry directory = directory();
    return directory.isPresent()
        ? new PasidEntry(machine.word(directory.table()), 0, 0, 0)
        : PasidEntry.ABSENT;
  }
}
