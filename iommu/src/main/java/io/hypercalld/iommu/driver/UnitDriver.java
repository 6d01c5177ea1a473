package io.hypercalld.iommu.driver;

import io.hypercalld.core.bits.BitField;
import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.FrameAllocator;
import io.hypercalld.core.memory.MachineMemory;
import io.hypercalld.core.transaction.Transaction;
import io.hypercalld.iommu.pci.SourceId;
import io.hypercalld.iommu.vtd.AddressWidth;
import io.hypercalld.iommu.vtd.Capabilities;
import io.hypercalld.iommu.vtd.ContextEntry;
import io.hypercalld.iommu.vtd.GlobalCommand;
import io.hypercalld.iommu.vtd.Mmio;
import io.hypercalld.iommu.vtd.Register;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * The driver of one remapping unit: brings it up and keeps its context entries, domain-ids and
 * caches in step. Confined to the machine thread.
 *
 * @see "VT-d §6, xen/drivers/passthrough/vtd/iommu.c"
 */
public final class UnitDriver implements Digestible {
  /** Above this a unit has ids for every domain and every pseudo domain, and needs no map. */
  private static final int MAX_MAPPED_DOMAIN_IDS = 2 * 0x7fff + 1;

  private static final int INTERRUPT_BASE = 0xfee0_0000;
  private static final int FAULT_VECTOR = 0x28;

  /** With caching mode, hardware tags entries that were not present with domain-id 0. */
  private static final int ABSENT_ENTRY_DID = 0;

  private final int index;
  private final Mmio registers;
  private final Capabilities capabilities;
  private final AddressWidth width;
  private final ContextTables contexts;
  private final Invalidations invalidations;
  private final DomainIds domainIds;
  private long domainIdFailures;

  /**
   * Looks at the unit, gives it empty tables and an invalidation queue, and enables everything but
   * translation.
   *
   * @param index position in the DMAR table
   * @throws Refusal ENODEV the unit cannot be driven; ENOMEM no frames for its tables
   */
  UnitDriver(int index, Mmio registers, MachineMemory memory, FrameAllocator frames) {
    this.index = index;
    this.registers = registers;
    this.capabilities =
        new Capabilities(
            registers.read64(Register.CAP.offset()), registers.read64(Register.ECAP.offset()));
    this.width = drivableWidth();
    this.contexts = new ContextTables(memory, frames);
    this.domainIds = domainIdsFor(index, capabilities);
    enableFaultEvent();
    this.invalidations = chooseInvalidations(memory, frames);
    setRoot();
  }

  private AddressWidth drivableWidth() {
    if (capabilities.supports(AddressWidth.BITS_48)) {
      return AddressWidth.BITS_48;
    }
    if (capabilities.supports(AddressWidth.BITS_39)) {
      return AddressWidth.BITS_39;
    }
    throw Refusal.of(Errno.ENODEV, "iommu %d walks neither 3 nor 4 levels", index);
  }

  private static DomainIds domainIdsFor(int index, Capabilities capabilities) {
    int size = capabilities.domainIds();
    return size > MAX_MAPPED_DOMAIN_IDS
        ? new VerbatimDomainIds(capabilities.cachingMode())
        : new MappedDomainIds(index, size, capabilities.cachingMode());
  }

  private Invalidations chooseInvalidations(MachineMemory memory, FrameAllocator frames) {
    if (!capabilities.queuedInvalidation()) {
      return new InvalidationRegisters(index, registers, capabilities);
    }
    InvalidationRing ring = new InvalidationRing(index, registers, memory, frames);
    command(GlobalCommand.QIE);
    return ring;
  }

  /** The fault event: a fixed interrupt to processor 0, unmasked. */
  private void enableFaultEvent() {
    registers.write32(Register.FEDATA.offset(), FAULT_VECTOR);
    registers.write32(Register.FEADDR.offset(), INTERRUPT_BASE);
    registers.write32(Register.FECTL.offset(), 0);
  }

  private void setRoot() {
    registers.write64(Register.RTADDR.offset(), contexts.root());
    command(GlobalCommand.SRTP);
    invalidations.contextGlobal();
    invalidations.iotlbGlobal();
  }

  /** Turns translation on: from here on every request of every device behind the unit is judged. */
  void enableTranslation() {
    command(GlobalCommand.TE);
  }

  /** Sets one bit of GCMD beside the persistent ones that are on, and checks that GSTS follows. */
  private void command(BitField bit) {
    int status = registers.read32(Register.GSTS.offset());
    registers.write32(Register.GCMD.offset(), (int) bit.set(status & ~GlobalCommand.ONE_SHOT));
    if (!bit.isSet(registers.read32(Register.GSTS.offset()))) {
      throw Refusal.of(Errno.ENODEV, "iommu %d does not carry out global command %s", index, bit);
    }
  }

  /**
   * Reserves the tag's domain-id on this unit.
   *
   * @throws Refusal EBUSY every domain-id is in use; nothing changed
   */
  void claimDomainId(Transaction steps, DomainId tag) {
    if (domainIds.find(tag).isPresent()) {
      return;
    }
    try {
      domainIds.claim(tag);
    } catch (Refusal exhausted) {
      domainIdFailures++;
      throw exhausted;
    }
    steps.onFailure(() -> domainIds.release(tag));
  }

  /** Frees the tag's domain-id: when no context entry carries it any more. */
  void releaseDomainId(DomainId tag) {
    domainIds.release(tag);
  }

  /**
   * Makes a requester's DMA go through an address space, by one swap of its context entry: every
   * request sees the old mapping or the new one, and when this returns only the new one.
   *
   * @throws Refusal EBUSY no domain-id is free; ENOMEM no frame for a table; EIO the unit does not
   *     forget the old entry
   */
  void attach(Transaction steps, SourceId requester, AddressSpace space) {
    claimDomainId(steps, space.tag());
    int did = domainIds.claim(space.tag());
    AddressWidth walked = widthFor(space.levels());
    long root = space.root().forLevels(walked.levels());
    contexts.provideTable(steps, requester.bus());
    swap(steps, requester, ContextEntry.translating(root, walked, did));
  }

  /** The width of a table's levels, or the widest that the unit can walk. */
  private AddressWidth widthFor(int levels) {
    AddressWidth whole = AddressWidth.ofLevels(levels);
    return capabilities.supports(whole) ? whole : width;
  }

  /** Makes every request of a requester fault: its context entry becomes not present. */
  void detach(Transaction steps, SourceId requester) {
    if (contexts.entry(requester).isPresent()) {
      swap(steps, requester, ContextEntry.ABSENT);
    }
  }

  private void swap(Transaction steps, SourceId requester, ContextEntry after) {
    ContextEntry before = contexts.entry(requester);
    if (before.equals(after)) {
      return;
    }
    steps.onFailure(() -> replace(requester, before));
    replace(requester, after);
  }

  private void replace(SourceId requester, ContextEntry after) {
    ContextEntry before = contexts.entry(requester);
    contexts.replace(requester, after);
    forget(requester, before);
  }

  /**
   * Drops what the unit remembers under an entry that is gone. With the OLD domain-id, since that
   * is the tag; context before translations, since a walk through the stale entry would refill
   * them.
   */
  private void forget(SourceId requester, ContextEntry before) {
    if (before.isPresent()) {
      invalidations.contextDevice(before.domainId(), requester);
      invalidations.iotlbDomain(before.domainId());
    } else if (capabilities.cachingMode()) {
      invalidations.contextDevice(ABSENT_ENTRY_DID, requester);
      invalidations.iotlbDomain(ABSENT_ENTRY_DID);
    }
  }

  /**
   * Makes the changes of a domain's tables take effect; nothing to do where it has no domain-id.
   */
  FlushScope flush(DomainId tag, FlushSet changes) {
    OptionalInt did = domainIds.find(tag);
    if (did.isEmpty() || changes.isEmpty()) {
      return FlushScope.NOTHING;
    }
    if (changes.isOnlyAdded() && !capabilities.cachingMode()) {
      return FlushScope.NOTHING;
    }
    int addressMask = changes.addressMask();
    boolean selective =
        capabilities.pageSelectiveInvalidation()
            && addressMask >= 0
            && addressMask <= capabilities.maximumAddressMask();
    if (selective) {
      invalidations.iotlbPages(did.getAsInt(), changes.firstAddress(), addressMask);
      return FlushScope.PAGE;
    }
    invalidations.iotlbDomain(did.getAsInt());
    return FlushScope.DOMAIN;
  }

  public int index() {
    return index;
  }

  public Capabilities capabilities() {
    return capabilities;
  }

  /** Machine address of the root table. */
  public long rootTable() {
    return contexts.root();
  }

  /** The requester's context entry as the tables in memory have it. */
  public ContextEntry contextEntry(SourceId requester) {
    return contexts.entry(requester);
  }

  /** Whom a domain-id stands for, empty where it is free. */
  public Optional<DomainId> ownerOf(int did) {
    return domainIds.ownerOf(did);
  }

  /** The domain's id on this unit, empty where it has none. */
  public OptionalInt domainIdOf(DomainId tag) {
    return domainIds.find(tag);
  }

  /** The domain-ids in use and whom they stand for, ascending. */
  public Map<Integer, DomainId> domainIdsInUse() {
    return domainIds.inUse();
  }

  /** Number of domain-ids that can be in use at once. */
  public int domainIdCapacity() {
    return domainIds.capacity();
  }

  /** How often no domain-id was free. */
  public long domainIdFailures() {
    return domainIdFailures;
  }

  @Override
  public void digest(StateDigest digest) {
    digest.section("unit-driver").put(index).put(contexts.root()).put(domainIds).put(invalidations);
  }
}
