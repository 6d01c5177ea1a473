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

/**
 * What this silicon makes of a request in scalable mode where the older recording, which does not
 * say what the specification wants, has something else: each way by the deviation that accounts for
 * it, and only where the tables are of that kind. Immutable.
 */
final class OlderScalableMode {
  /** The scalable-mode reason of each legacy reason that has one. */
  private static final Map<Integer, FaultReason> REASONS =
      Map.ofEntries(
          Map.entry(0x1, FaultReason.SCALABLE_ROOT_NOT_PRESENT),
          Map.entry(0x2, FaultReason.SCALABLE_CONTEXT_NOT_PRESENT),
          Map.entry(0x4, FaultReason.INPUT_BEYOND_SECOND_LEVEL),
          Map.entry(0x5, FaultReason.SECOND_LEVEL_NOT_PERMITTED),
          Map.entry(0x6, FaultReason.SECOND_LEVEL_NOT_PERMITTED),
          Map.entry(0x7, FaultReason.SECOND_LEVEL_UNREADABLE),
          Map.entry(0x8, FaultReason.SCALABLE_ROOT_UNREADABLE),
          Map.entry(0x9, FaultReason.SCALABLE_CONTEXT_UNREADABLE),
          Map.entry(0xa, FaultReason.SCALABLE_ROOT_RESERVED),
          Map.entry(0xb, FaultReason.SCALABLE_CONTEXT_RESERVED),
          Map.entry(0xc, FaultReason.SECOND_LEVEL_RESERVED),
          Map.entry(0xe, FaultReason.SCALABLE_OUTPUT_IN_INTERRUPT_RANGE));

  private static final int CONTEXT_INVALID = 0x3;
  private static final int PASID_TABLE = 0x58;

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
          .filter(_ -> due(theirs).filter(each -> each.code() == reason).isPresent());
    }
    return Optional.of(Freedom.SNOOP_IN_SCALABLE_MODE)
        .filter(_ -> reason == 0x7a && !machine.unit().capabilities().snoopControl())
        .filter(_ -> observed instanceof Outcome.Passed);
  }

  /** What the tables come to where the recording has this. */
  private Optional<FaultReason> due(int theirs) {
    return switch (theirs) {
      case PASID_TABLE -> Optional.of(ofPasidTables());
      case CONTEXT_INVALID ->
          Optional.of(
              machine.isRam(entry().secondLevelRoot(), Long.BYTES)
                  ? FaultReason.PASID_ENTRY_INVALID
                  : FaultReason.SECOND_LEVEL_TOP_UNREADABLE);
      default -> Optional.ofNullable(REASONS.get(theirs));
    };
  }

  private FaultReason ofPasidTables() {
    int width = machine.unit().settings().hostAddressWidth();
    PasidDirectoryEntry directory = directory();
    if (!machine.isRam(context.directory(), PasidDirectoryEntry.BYTES)) {
      return FaultReason.PASID_DIRECTORY_UNREADABLE;
    }
    if (!directory.isPresent()) {
      return FaultReason.PASID_DIRECTORY_NOT_PRESENT;
    }
    if (directory.hasReservedBits(width)) {
      return FaultReason.PASID_DIRECTORY_RESERVED;
    }
    if (!machine.isRam(directory.table(), PasidEntry.BYTES)) {
      return FaultReason.PASID_ENTRY_UNREADABLE;
    }
    if (!entry().isPresent()) {
      return FaultReason.PASID_ENTRY_NOT_PRESENT;
    }
    return entry().hasReservedBits()
        ? FaultReason.PASID_ENTRY_RESERVED
        : FaultReason.PASID_ENTRY_INVALID;
  }

  private PasidDirectoryEntry directory() {
    return new PasidDirectoryEntry(machine.word(context.directory()));
  }

  /** PASID 0. */
  private PasidEntry entry() {
    PasidDirectoryEntry directory = directory();
    return directory.isPresent()
        ? new PasidEntry(
            word(directory, 0), word(directory, 1), word(directory, 2), rest(directory))
        : PasidEntry.ABSENT;
  }

  private long word(PasidDirectoryEntry directory, int index) {
    return machine.word(directory.table() + (long) index * Long.BYTES);
  }

  private long rest(PasidDirectoryEntry directory) {
    long rest = 0;
    for (int index = 3; index < PasidEntry.BYTES / Long.BYTES; index++) {
      rest |= word(directory, index);
    }
    return rest;
  }
}
