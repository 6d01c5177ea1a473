package io.hypercalld.iommu.unit;

import io.hypercalld.iommu.vtd.AddressWidth;
import io.hypercalld.iommu.vtd.Capabilities;
import io.hypercalld.iommu.vtd.ContextEntry;
import io.hypercalld.iommu.vtd.FaultReason;
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

  ContextJudge(Capabilities capabilities, int hostAddressWidth) {
    this.capabilities = capabilities;
    this.hostAddressWidth = hostAddressWidth;
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
    return JudgedContext.of(meaning(entry), sourceId, entry.disablesFaultProcessing());
  }

  private long meaning(ContextEntry entry) {
    if (!entry.isPresent()) {
      return JudgedContext.faulting(FaultReason.CONTEXT_NOT_PRESENT);
    }
    if (entry.hasReservedBits(hostAddressWidth, capabilities.domainIdBits())) {
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
    return entry.addressWidthEncoding() == capabilities.widest().encoding()
        ? JudgedContext.passing(hostAddressWidth, entry.domainId())
        : JudgedContext.withWidthInvalid();
  }
}
