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
import io.hypercalld.iommu.vtd.InterruptTableAddress;
import io.hypercalld.iommu.vtd.Mmio;
import io.hypercalld.iommu.vtd.Register;
import io.hypercalld.iommu.vtd.TranslationType;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * The driver of one remapping unit: brings it up and keeps its context entries, domain-ids and
 * caches in step. Confined to the machine thread.
 *
 * @see "VT-d §6, xen/drivers/passthrough/vtd/iommu.c"
 */
public final class UnitDriver implements Digestible {
  /** With caching mode, hardware tags entries that were not present with domain-id 0. */
  private static final int ABSENT_ENTRY_DID = 0;

  private final int index;
  private final Mmio registers;
  private final Capabilities capabilities;
  private final AddressWidth width;
  private final ContextTables contexts;
  private final Invalidations invalidations;
  private final UnitDomainIds domainIds;
  private final FaultRegisters faults;
  private final MachineMemory memory;
  private final FrameAllocator frames;
  private Optional<InterruptTable> interruptTable = Optional.empty();
  private boolean deviceTlbs;

  /**
   * Looks at the unit, makes empty tables for it, unmasks its fault event and gives it an
   * invalidation queue.
   *
   * @param index position in the DMAR table
   * @param ids its domain-ids, none of them in use
   * @throws Refusal ENODEV the unit cannot be driven; ENOMEM no frames for its tables
   */
  UnitDriver(
      int index, Mmio registers, MachineMemory memory, FrameAllocator frames, DomainIds ids) {
    this.index = index;
    this.registers = registers;
    this.capabilities = capabilitiesOf(registers);
    this.width = drivableWidth();
    this.contexts = new ContextTables(memory, frames);
    this.domainIds = new UnitDomainIds(ids);
    this.faults = new FaultRegisters(registers, capabilities);
    faults.enable();
    this.invalidations = chooseInvalidations(memory, frames);
    this.memory = memory;
    this.frames = frames;
  }

  /**
   * Makes interrupt requests go through a table, which blocks all of them as yet. To be called once
   * at most, before {@link #setRoot}.
   *
   * @param extended whether destinations have 32 bits
   * @throws Refusal ENOMEM no room for the table; ENODEV the unit does not obey
   */
  void remapInterrupts(boolean extended) {
    InterruptTable table = new InterruptTable(index, memory, frames, invalidations, extended);
    registers.write64(
        Register.IRTA.offset(),
        InterruptTableAddress.table(table.base(), InterruptTable.ORDER, extended));
    command(GlobalCommand.SIRTP);
    invalidations.interruptsGlobal();
    command(GlobalCommand.IRE);
    interruptTable = Optional.of(table);
  }

  /** What a unit says that it can do. */
  static Capabilities capabilitiesOf(Mmio registers) {
    return new Capabilities(
        registers.read64(Register.CAP.offset()), registers.read64(Register.ECAP.offset()));
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

  private Invalidations chooseInvalidations(MachineMemory memory, FrameAllocator frames) {
    if (!capabilities.queuedInvalidation()) {
      return new InvalidationRegisters(index, registers, capabilities);
    }
    InvalidationRing ring = new InvalidationRing(index, registers, memory, frames);
    command(GlobalCommand.QIE);
    return ring;
  }

  /** Has the unit use the empty tables, and forget what it may know of others. */
  void setRoot() {
    registers.write64(Register.RTADDR.offset(), contexts.root());
    command(GlobalCommand.SRTP);
    forgetAll();
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
   * Makes a requester's DMA go through an address space, by one swap of its context entry: every
   * request sees the old mapping or the new one, and when this returns only the new one.
   *
   * @throws Refusal EBUSY no domain-id is free; ENOMEM no frame for a table; EIO the unit does not
   *     forget the old entry
   */
  void attach(Transaction steps, SourceId requester, AddressSpace space) {
    int did = domainIds.claim(steps, space.tag());
    AddressWidth walked = widthFor(space.levels());
    long root = space.root().forLevels(walked.levels());
    contexts.provideTable(steps, requester.bus());
    swap(steps, requester, ContextEntry.of(translationType(), root, walked, did));
  }

  private TranslationType translationType() {
    return deviceTlbs && capabilities.deviceTlbs()
        ? TranslationType.SECOND_STAGE_WITH_DEVICE_TLB
        : TranslationType.SECOND_STAGE;
  }

  /** Whether devices that are attached from now on may use ATS, where the unit can. */
  void allowDeviceTlbs(boolean allowed) {
    deviceTlbs = allowed;
  }

  /** The width of a table's levels, or the widest that the unit can walk. */
  private AddressWidth widthFor(int levels) {
    AddressWidth whole = AddressWidth.ofLevels(levels);
    return capabilities.supports(whole) ? whole : width;
  }

  /**
   * Makes every request of a requester fault: its context entry becomes not present, and again what
   * it was should a later step fail.
   *
   * @throws Refusal EIO the unit does not forget the old entry
   */
  void detach(Transaction steps, SourceId requester) {
    if (contexts.entry(requester).isPresent()) {
      swap(steps, requester, ContextEntry.ABSENT);
    } else {
      forgetAgain(requester);
    }
  }

  /**
   * As {@link #detach(Transaction, SourceId)}, for good: refused, the entry is gone all the same.
   */
  void detach(SourceId requester) {
    if (contexts.entry(requester).isPresent()) {
      replace(requester, ContextEntry.ABSENT);
    } else {
      forgetAgain(requester);
    }
  }

  private void swap(Transaction steps, SourceId requester, ContextEntry after) {
    ContextEntry before = contexts.entry(requester);
    if (before.equals(after)) {
      forgetAgain(requester);
      return;
    }
    steps.onFailure(() -> restore(requester, before));
    replace(requester, after);
  }

  /** Where the unit does not obey even now, it is left with nothing to find in memory. */
  private void restore(SourceId requester, ContextEntry before) {
    try {
      replace(requester, before);
    } catch (Refusal disobedience) {
      contexts.replace(requester, ContextEntry.ABSENT);
    }
  }

  private void replace(SourceId requester, ContextEntry after) {
    ContextEntry before = contexts.entry(requester);
    contexts.replace(requester, after);
    if (before.isPresent()) {
      domainIds.unforgotten(requester, before.domainId());
    } else if (capabilities.cachingMode()) {
      domainIds.unforgotten(requester, ABSENT_ENTRY_DID);
    } else {
      flushWriteBuffer();
    }
    forgetAgain(requester);
  }

  /** Shows hardware what has become present, where it does not see stores by itself. */
  private void flushWriteBuffer() {
    if (capabilities.requiresWriteBufferFlush()) {
      int status = registers.read32(Register.GSTS.offset()) & ~GlobalCommand.ONE_SHOT;
      registers.write32(Register.GCMD.offset(), (int) GlobalCommand.WBF.set(status));
    }
  }

  /**
   * Drops what the unit remembers under entries that are gone. With their OLD domain-ids, since
   * those are the tags; context before translations, since a walk through the stale entry would
   * refill them.
   */
  private void forgetAgain(SourceId requester) {
    for (int did : domainIds.unforgotten(requester)) {
      invalidations.contextDevice(did, requester);
      invalidations.iotlbDomain(did);
    }
    domainIds.forgotten(requester);
  }

  /** Whether the unit may remember an entry of the requester that is gone. */
  boolean mayRemember(SourceId requester) {
    return !domainIds.unforgotten(requester).isEmpty();
  }

  /** Drops everything that the unit remembers. */
  void forgetAll() {
    invalidations.contextGlobal();
    invalidations.iotlbGlobal();
  }

  /**
   * Makes the changes of a domain's tables take effect; nothing to do where it has no domain-id.
   */
  FlushScope flush(DomainId tag, FlushSet changes) {
    OptionalInt did = domainIds.findPresent(tag);
    if (did.isEmpty() || changes.isEmpty()) {
      return FlushScope.NOTHING;
    }
    if (changes.isOnlyAdded() && !capabilities.cachingMode()) {
      flushWriteBuffer();
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

  /**
   * Whether a requester's device may remember translations by itself: its entry lets it use ATS.
   */
  boolean mayUseDeviceTlb(SourceId requester) {
    ContextEntry entry = contexts.entry(requester);
    return capabilities.deviceTlbs()
        && entry.isPresent()
        && entry.translationType() == TranslationType.SECOND_STAGE_WITH_DEVICE_TLB;
  }

  /**
   * Has a device forget the changes of its domain's tables; to follow {@link #flush}, so that it
   * does not ask for what the unit remembers still.
   *
   * @throws Refusal ETIMEDOUT the device does not answer; EIO the unit does not obey
   */
  void flushDevice(SourceId requester, FlushSet changes) {
    int addressMask = changes.addressMask();
    if (addressMask >= 0) {
      invalidations.deviceTlb(requester, changes.firstAddress(), addressMask);
    } else {
      invalidations.deviceTlb(requester, 0, Invalidations.ALL_PAGES);
    }
  }

  /** Its fault registers. */
  public FaultRegisters faults() {
    return faults;
  }

  /** Its interrupt-remapping table; empty where interrupts are not remapped. */
  public Optional<InterruptTable> interruptTable() {
    return interruptTable;
  }

  public int index() {
    return index;
  }

  /** How many levels of tables the unit walks, of 3 or 4. */
  public int levels() {
    return width.levels();
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

  /** Which domain-id stands for whom. */
  public UnitDomainIds domainIds() {
    return domainIds;
  }

  @Override
  public void digest(StateDigest digest) {
    digest
        .section("unit-driver")
        .put(index)
        .put(contexts.root())
        .put(domainIds)
        .put(invalidations)
        .put(deviceTlbs);
    interruptTable.ifPresent(digest::put);
  }
}
