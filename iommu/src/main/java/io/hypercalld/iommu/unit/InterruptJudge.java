package io.hypercalld.iommu.unit;

import io.hypercalld.core.memory.PhysicalMemory;
import io.hypercalld.iommu.pci.SourceId;
import io.hypercalld.iommu.vtd.Capabilities;
import io.hypercalld.iommu.vtd.FaultReason;
import io.hypercalld.iommu.vtd.InterruptEntry;
import io.hypercalld.iommu.vtd.InterruptTableAddress;
import io.hypercalld.iommu.vtd.PostedDescriptor;
import io.hypercalld.iommu.vtd.RemappableMessage;
import java.util.Optional;

/**
 * Decides what becomes of interrupt requests and changes nothing by it; the first check that fails
 * decides. Confined to the machine thread.
 *
 * @see "VT-d §5.1.3, §5.1.4.1"
 */
final class InterruptJudge {
  private static final int INDEX_MASK = 0xffff;

  private final PhysicalMemory memory;
  private final Capabilities capabilities;
  private final int hostAddressWidth;
  private final InterruptCache cache;
  private final Defects defects;

  InterruptJudge(Circuit circuit, InterruptCache cache) {
    this.memory = circuit.memory();
    this.capabilities = circuit.capabilities();
    this.hostAddressWidth = circuit.settings().hostAddressWidth();
    this.cache = cache;
    this.defects = circuit.settings().defects();
  }

  /**
   * Judges a request while remapping is enabled.
   *
   * @param table IRTA_REG as it was latched
   * @param compatibilityPasses GSTS.CFIS
   */
  InterruptJudgement judge(
      SourceId requester, RemappableMessage message, long table, boolean compatibilityPasses) {
    if (message.hasReservedAddress()) {
      return InterruptJudgement.blocked(0, FaultReason.INTERRUPT_REQUEST_RESERVED);
    }
    boolean extended = InterruptTableAddress.EIME.isSet(table);
    if (!message.isRemappable()) {
      return compatibilityPasses && !extended
          ? InterruptJudgement.PASSES
          : InterruptJudgement.blocked(0, FaultReason.COMPATIBILITY_INTERRUPT_BLOCKED);
    }
    if (message.hasReservedData()) {
      return InterruptJudgement.blocked(0, FaultReason.INTERRUPT_REQUEST_RESERVED);
    }
    int index = message.index();
    boolean reachable = InterruptTableAddress.base(table) >>> hostAddressWidth == 0;
    if (index >= end(table) || !reachable) {
      return InterruptJudgement.blocked(
          index & INDEX_MASK, FaultReason.INTERRUPT_INDEX_BEYOND_TABLE);
    }
    Optional<InterruptEntry> remembered = cache.find(index);
    Optional<InterruptEntry> entry = remembered.isPresent() ? remembered : read(table, index);
    return entry
        .map(
            found ->
                new InterruptJudgement(
                    index, entry, remembered.isPresent(), fault(requester, found, extended)))
        .orElseGet(() -> InterruptJudgement.blocked(index, FaultReason.INTERRUPT_ENTRY_UNREADABLE));
  }

  /** The first index that is too large. */
  private int end(long table) {
    int entries = InterruptTableAddress.entries(table);
    return defects.admitsIndexOfSize() ? entries + 1 : entries;
  }

  /** The entry in memory; empty where there is none. */
  Optional<InterruptEntry> read(long table, int index) {
    long maddr = address(table, index);
    return memory.isRam(maddr, InterruptEntry.BYTES)
        ? Optional.of(
            new InterruptEntry(memory.readWord(maddr), memory.readWord(maddr + Long.BYTES)))
        : Optional.empty();
  }

  /** Machine address of an entry. */
  static long address(long table, int index) {
    return InterruptTableAddress.base(table) + (long) index * InterruptEntry.BYTES;
  }

  /** Whether the entry may be remembered: wrong and absent ones with caching mode only. */
  boolean isCacheable(InterruptEntry entry, long table) {
    return capabilities.cachingMode()
        || formFault(entry, InterruptTableAddress.EIME.isSet(table)).isEmpty();
  }

  private Optional<FaultReason> fault(SourceId requester, InterruptEntry entry, boolean extended) {
    Optional<FaultReason> form = formFault(entry, extended);
    if (form.isPresent()) {
      return form;
    }
    if (!defects.trustsRequesters() && !entry.accepts(requester)) {
      return Optional.of(FaultReason.INTERRUPT_SOURCE_INVALID);
    }
    return entry.isPosted() ? descriptorFault(entry.descriptor()) : Optional.empty();
  }

  private Optional<FaultReason> formFault(InterruptEntry entry, boolean extended) {
    if (!entry.isPresent()) {
      return Optional.of(FaultReason.INTERRUPT_ENTRY_NOT_PRESENT);
    }
    boolean unknown = entry.isPosted() && !capabilities.postedInterrupts();
    return unknown || entry.hasReservedBits(extended)
        ? Optional.of(FaultReason.INTERRUPT_ENTRY_RESERVED)
        : Optional.empty();
  }

  private Optional<FaultReason> descriptorFault(long descriptor) {
    if (!memory.isRam(descriptor, PostedDescriptor.BYTES)) {
      return Optional.of(FaultReason.POSTED_DESCRIPTOR_UNREADABLE);
    }
    long control = memory.readWord(descriptor + PostedDescriptor.CONTROL_OFFSET);
    return PostedDescriptor.CONTROL.hasReservedBits(control)
        ? Optional.of(FaultReason.POSTED_DESCRIPTOR_RESERVED)
        : Optional.empty();
  }
}
