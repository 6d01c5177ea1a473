package io.hypercalld.iommu.unit;

import io.hypercalld.iommu.vtd.AddressWidth;
import io.hypercalld.iommu.vtd.Capabilities;
import io.hypercalld.iommu.vtd.ContextEntry;
import io.hypercalld.iommu.vtd.FaultReason;
import io.hypercalld.iommu.vtd.Habits;
import io.hypercalld.iommu.vtd.RootEntry;
import java.util.Optional;

/**
 * Finds out what a root or context entry means on one unit. Immutable.
 *
 * <p>The order of the checks is the architecture's: the first that fails names the fault.
 *
 * @see "VT-d §7.1.3, §9.1, §9.3"
 */
final class ContextJudge {
  private final Capabilities capabilities;
  private final int hostAddressWidth;
  private final Habits habits;

  ContextJudge(UnitSettings settings) {
    this.capabilities = settings.capabilities();
    this.hostAddressWidth = settings.hostAddressWidth();
    this.habits = settings.habits();
  }

  /** Why a root entry leads nowhere; empty where it leads to a context table. */
  Optional<FaultReason> fault(RootEntry entry) {
    if (!entry.isPresent()) {
      return Optional.of(FaultReason.ROOT_NOT_PRESENT);
    }
    return entry.hasReservedBits(hostAddressWidth)
        ? Optional.of(FaultReason.ROOT_ENTRY_RESERVED)
        : Optional.empty();
  }

  /** What a context entry means for its requester: a {@link JudgedContext} word. */
  long judge(int sourceId, ContextEntry entry) {
    return JudgedContext.of(
        meaning(entry), sourceId, entry.disablesFaultProcessing() && isQualified(entry));
  }

  /** Whether FPD of this very entry counts for what is wrong with it. */
  private boolean isQualified(ContextEntry entry) {
    return habits.qualifiesReservedContexts() || !entry.isPresent() || !hasReservedBits(entry);
  }

  private boolean hasReservedBits(ContextEntry entry) {
    return entry.hasReservedBits(hostAddressWidth, capabilities.domainIdBits());
  }

  private long meaning(ContextEntry entry) {
    if (!entry.isPresent()) {
      return JudgedContext.faulting(FaultReason.CONTEXT_NOT_PRESENT);
    }
    if (hasReservedBits(entry)) {
      return JudgedContext.faulting(FaultReason.CONTEXT_ENTRY_RESERVED);
    }
    return switch (entry.translationType()) {
      case SECOND_STAGE -> translating(entry);
      case SECOND_STAGE_WITH_DEVICE_TLB ->
          capabilities.deviceTlbs() ? JudgedContext.withDeviceTlb(translating(entry)) : invalid();
      case PASS_THROUGH -> capabilities.passThrough() ? passing(entry) : invalid();
      case RESERVED -> invalid();
    };
  }

  private static long invalid() {
    return JudgedContext.faulting(FaultReason.CONTEXT_INVALID);
  }

  private long translating(ContextEntry entry) {
    Optional<AddressWidth> width =
        AddressWidth.of(entry.addressWidthEncoding()).filter(capabilities::supports);
    return width
        .map(
            each ->
                JudgedContext.translating(
                    each.levels(),
                    Math.min(each.bits(), capabilities.maximumGuestAddressWidth()),
                    entry.domainId()))
        .orElseGet(JudgedContext::withWidthInvalid);
  }

  private long passing(ContextEntry entry) {
    int width = entry.addressWidthEncoding();
    boolean valid =
        habits.checksPassThrough()
            ? width == capabilities.widest().encoding()
            : AddressWidth.of(width).filter(capabilities::supports).isPresent();
    return valid
        ? JudgedContext.passing(hostAddressWidth, entry.domainId())
        : JudgedContext.withWidthInvalid();
  }
}
