package io.hypercalld.iommu.unit;

import io.hypercalld.iommu.vtd.AddressWidth;
import io.hypercalld.iommu.vtd.Capabilities;
import io.hypercalld.iommu.vtd.FaultReason;
import io.hypercalld.iommu.vtd.PasidDirectoryEntry;
import io.hypercalld.iommu.vtd.PasidEntry;
import io.hypercalld.iommu.vtd.ScalableContextEntry;
import io.hypercalld.iommu.vtd.ScalableRootEntry;
import java.util.Optional;

/**
 * Finds out what the entries of scalable mode's tables mean on one unit. Immutable.
 *
 * <p>The order of the checks is the architecture's: the first that fails names the fault. A switch
 * for a capability that the unit lacks is off, whatever the entry says.
 *
 * @see "VT-d §7.1.3, §9.2, §9.4 to §9.6"
 */
final class ScalableJudge {
  private final Capabilities capabilities;
  private final int hostAddressWidth;

  ScalableJudge(Capabilities capabilities, int hostAddressWidth) {
    this.capabilities = capabilities;
    this.hostAddressWidth = hostAddressWidth;
  }

  /** Why a root entry leads nowhere; empty where it leads to a context table. */
  Optional<FaultReason> fault(ScalableRootEntry entry) {
    if (!entry.isPresent()) {
      return Optional.of(FaultReason.SCALABLE_ROOT_NOT_PRESENT);
    }
    return entry.hasReservedBits(hostAddressWidth)
        ? Optional.of(FaultReason.SCALABLE_ROOT_RESERVED)
        : Optional.empty();
  }

  /** What a context entry means for its requester: a {@link JudgedContext} word. */
  long judge(int sourceId, ScalableContextEntry entry) {
    return JudgedContext.scalable(
        JudgedContext.of(meaning(entry), sourceId, entry.disablesFaultProcessing()));
  }

  private long meaning(ScalableContextEntry entry) {
    if (!entry.isPresent()) {
      return JudgedContext.faulting(FaultReason.SCALABLE_CONTEXT_NOT_PRESENT);
    }
    if (entry.hasReservedBits(hostAddressWidth)) {
      return JudgedContext.faulting(FaultReason.SCALABLE_CONTEXT_RESERVED);
    }
    return asksForTooMuch(entry)
        ? JudgedContext.faulting(FaultReason.SCALABLE_CONTEXT_INVALID)
        : JudgedContext.leadingToPasids(entry.enablesDeviceTlb(), entry.enablesPasids());
  }

  /** Whether the entry lets its device do what the unit cannot: as TT=1 without device-TLBs. */
  private boolean asksForTooMuch(ScalableContextEntry entry) {
    return (entry.enablesDeviceTlb() && !capabilities.deviceTlbs())
        || (entry.enablesPasids() && !capabilities.requestsWithPasid())
        || (entry.enablesPageRequests() && !capabilities.pageRequests());
  }

  /** Why a PASID directory entry leads nowhere; empty where it leads to a PASID table. */
  Optional<FaultReason> fault(PasidDirectoryEntry entry) {
    if (!entry.isPresent()) {
      return Optional.of(FaultReason.PASID_DIRECTORY_NOT_PRESENT);
    }
    return entry.hasReservedBits(hostAddressWidth)
        ? Optional.of(FaultReason.PASID_DIRECTORY_RESERVED)
        : Optional.empty();
  }

  /** What a PASID entry means: a {@link JudgedPasid} word without the number of its space. */
  long judge(PasidEntry entry) {
    if (!entry.isPresent()) {
      return JudgedPasid.faulting(FaultReason.PASID_ENTRY_NOT_PRESENT, false);
    }
    Optional<PasidEntry.Granularity> granularity = entry.granularity();
    if (hasReservedBits(entry, granularity)) {
      return JudgedPasid.faulting(FaultReason.PASID_ENTRY_RESERVED, false);
    }
    return granularity
        .filter(this::isSupported)
        .map(each -> withSwitches(meaning(each, entry), entry))
        .orElseGet(ScalableJudge::invalid);
  }

  private boolean hasReservedBits(PasidEntry entry, Optional<PasidEntry.Granularity> granularity) {
    boolean secondLevel = granularity.filter(PasidEntry.Granularity::usesSecondLevel).isPresent();
    boolean firstLevel =
        granularity.filter(each -> each == PasidEntry.Granularity.FIRST_LEVEL).isPresent();
    return entry.hasReservedBits()
        || entry.domainId() >>> capabilities.domainIdBits() != 0
        || (secondLevel && entry.secondLevelRoot() >>> hostAddressWidth != 0)
        || (firstLevel && entry.firstLevelRoot() >>> hostAddressWidth != 0);
  }

  private boolean isSupported(PasidEntry.Granularity granularity) {
    return switch (granularity) {
      case FIRST_LEVEL -> capabilities.firstLevelTranslation();
      case SECOND_LEVEL -> capabilities.secondLevelTranslation();
      case NESTED -> capabilities.nestedTranslation();
      case PASS_THROUGH -> capabilities.passThrough();
    };
  }

  private long meaning(PasidEntry.Granularity granularity, PasidEntry entry) {
    return switch (granularity) {
      case FIRST_LEVEL -> firstLevel(entry);
      case SECOND_LEVEL -> secondLevel(entry);
      case NESTED -> nested(firstLevel(entry), secondLevel(entry));
      case PASS_THROUGH -> JudgedPasid.passing(hostAddressWidth);
    };
  }

  private long firstLevel(PasidEntry entry) {
    return switch (entry.pagingMode()) {
      case PasidEntry.FOUR_LEVELS -> JudgedPasid.firstLevel(4);
      case PasidEntry.FIVE_LEVELS ->
          capabilities.firstLevelFiveLevels() ? JudgedPasid.firstLevel(5) : invalid();
      default -> invalid();
    };
  }

  private long secondLevel(PasidEntry entry) {
    return AddressWidth.of(entry.addressWidthEncoding())
        .filter(capabilities::supports)
        .map(
            width ->
                JudgedPasid.secondLevel(
                    width.levels(),
                    Math.min(width.bits(), capabilities.maximumGuestAddressWidth())))
        .orElseGet(ScalableJudge::invalid);
  }

  private static long nested(long firstLevel, long secondLevel) {
    return JudgedPasid.faults(firstLevel) || JudgedPasid.faults(secondLevel)
        ? invalid()
        : JudgedPasid.nested(JudgedPasid.firstLevels(firstLevel), secondLevel);
  }

  private static long invalid() {
    return JudgedPasid.faulting(FaultReason.PASID_ENTRY_INVALID, false);
  }

  private long withSwitches(long meaning, PasidEntry entry) {
    if (JudgedPasid.faults(meaning)) {
      return meaning;
    }
    long word =
        JudgedPasid.withRequests(
            meaning,
            PasidEntry.SRE.isSet(entry.q2()) && capabilities.supervisorRequests(),
            PasidEntry.ERE.isSet(entry.q2()) && capabilities.executeRequests());
    word =
        JudgedPasid.withProtection(
            word,
            PasidEntry.WPE.isSet(entry.q2()),
            PasidEntry.NXE.isSet(entry.q2()),
            PasidEntry.SMEP.isSet(entry.q2()));
    return JudgedPasid.withMarks(
        word,
        PasidEntry.EAFE.isSet(entry.q2()) && capabilities.extendedAccessed(),
        PasidEntry.SLADE.isSet(entry.q0()) && capabilities.secondLevelAccessedDirty(),
        PasidEntry.PWSNP.isSet(entry.q1()) || !capabilities.walkSnoopControl());
  }
}
