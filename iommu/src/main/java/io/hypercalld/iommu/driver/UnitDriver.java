package io.hypercalld.iommu.driver;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.FrameAllocator;
import io.hypercalld.core.memory.MachineMemory;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.iommu.pci.SourceId;
import io.hypercalld.iommu.vtd.AddressWidth;
import io.hypercalld.iommu.vtd.Capabilities;
import io.hypercalld.iommu.vtd.ContextEntry;
import io.hypercalld.iommu.vtd.GlobalCommand;
import io.hypercalld.iommu.vtd.InterruptTableAddress;
import io.hypercalld.iommu.vtd.Invalidation;
import io.hypercalld.iommu.vtd.InvalidationDescriptor;
import io.hypercalld.iommu.vtd.Mmio;
import io.hypercalld.iommu.vtd.PasidEntry;
import io.hypercalld.iommu.vtd.Register;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.SortedMap;

/**
 * The driver of one remapping unit: brings it up and keeps its context entries, domain-ids and
 * caches in step. Confined to the machine thread.
 *
 * @see "VT-d §6, xen/drivers/passthrough/vtd/iommu.c"
 */
public final class UnitDriver implements Digestible {
  private static final int BUSES = 256;
  private static final int FUNCTIONS = 256;

  /** Functions of a bus that one context table has at least. */
  private static final int HALF = 128;

  private final int index;
  private final Mmio registers;
  private final Capabilities capabilities;
  private final AddressWidth width;
  private final GlobalCommands commands;
  private final RequesterTables tables;
  private final Invalidations invalidations;
  private final UnitDomainIds domainIds;
  private final RequesterEntries entries;
  private final FaultRegisters faults;
  private final MachineMemory memory;
  private final FrameAllocator frames;
  private Optional<InterruptTable> interruptTable = Optional.empty();

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
    this.commands = new GlobalCommands(index, registers);
    this.tables = nests() ? new PasidContexts(memory, frames) : new ContextTables(memory, frames);
    this.domainIds = new UnitDomainIds(ids);
    this.faults = new FaultRegisters(registers, capabilities);
    faults.enable();
    this.invalidations = chooseInvalidations(memory, frames);
    this.entries =
        new RequesterEntries(
            new RequesterEntries.Unit(capabilities, width, commands),
            tables,
            domainIds,
            invalidations);
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
    commands.turnOn(GlobalCommand.SIRTP);
    invalidations.interruptsGlobal();
    commands.turnOn(GlobalCommand.IRE);
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
    InvalidationRing ring = new InvalidationRing(index, registers, memory, frames, nests());
    commands.turnOn(GlobalCommand.QIE);
    return ring;
  }

  /** Has the unit use the empty tables, and forget what it may know of others. */
  void setRoot() {
    registers.write64(Register.RTADDR.offset(), tables.rootPointer());
    commands.turnOn(GlobalCommand.SRTP);
    forgetAll();
  }

  /** Turns translation on: from here on every request of every device behind the unit is judged. */
  void enableTranslation() {
    commands.turnOn(GlobalCommand.TE);
  }

  /** Drops everything that the unit remembers. */
  void forgetAll() {
    invalidations.contextGlobal();
    if (tables.isScalable()) {
      invalidations.queued(InvalidationDescriptor.allPasids());
    }
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
      commands.flushWriteBuffer(capabilities);
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

  /** Has a device forget all that it keeps under PASIDs. */
  void flushDevicePasids(SourceId requester) {
    invalidations.queued(InvalidationDescriptor.allDevicePasidTranslations(requester));
  }

  /** Forgets translations of a PASID; nothing to do where the tag has no domain-id. */
  void forget(DomainId tag, Invalidation.OfPasidTranslations command) {
    OptionalInt did = domainIds.findPresent(tag);
    if (did.isPresent()) {
      invalidations.queued(descriptor(did.getAsInt(), command));
    }
  }

  /** More pages than one command can name are all of the PASID. */
  private InvalidationDescriptor descriptor(int did, Invalidation.OfPasidTranslations command) {
    return switch (command) {
      case Invalidation.PasidTranslations(int _, int pasid) ->
          InvalidationDescriptor.pasidTranslations(did, pasid);
      case Invalidation.PasidPageTranslations(int _, int pasid, long iova, int mask, boolean _) ->
          mask <= capabilities.maximumAddressMask()
              ? InvalidationDescriptor.pasidPages(
                  did, pasid, iova & -((long) PageSize.BYTES_4K << mask), mask)
              : InvalidationDescriptor.pasidTranslations(did, pasid);
    };
  }

  /**
   * Has a device forget what a guest's command names.
   *
   * @param requester the device as the machine knows it
   * @throws Refusal ETIMEDOUT the device does not answer; EIO the unit does not obey
   */
  void forget(SourceId requester, Invalidation.DeviceTranslations command) {
    if (command.everyPasid()) {
      flushDevicePasids(requester);
    } else if (command.prefix().present()) {
      invalidations.queued(
          InvalidationDescriptor.devicePasidTranslations(
              requester, command.prefix().pasid(), command.iova(), command.addressMask()));
    } else {
      invalidations.deviceTlb(requester, command.iova(), command.addressMask());
    }
  }

  /** The context entries of requesters. */
  RequesterEntries entries() {
    return entries;
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
    return tables.root();
  }

  /**
   * What the tables in memory say of a requester's requests without PASID, as legacy mode's context
   * entry says it; of first-level tables it has the second level below them.
   */
  public ContextEntry contextEntry(SourceId requester) {
    return entry(requester).context();
  }

  /** The same of all PASIDs, by PASID; a unit in legacy mode has PASID 0 only. */
  public SortedMap<Integer, ContextEntry> spaces(SourceId requester) {
    return entry(requester).contexts();
  }

  /** What PASID tables say of a requester's requests; empty of a unit in legacy mode. */
  public Optional<SortedMap<Integer, PasidEntry>> pasids(SourceId requester) {
    return tables.isScalable() ? Optional.of(entry(requester).spaces()) : Optional.empty();
  }

  /** Machine address of the context entry of one of {@link #requesters}. */
  public long contextAddress(SourceId requester) {
    return tables.address(requester);
  }

  /** What the tables in memory say of a requester's requests. */
  RequesterEntry entry(SourceId requester) {
    return tables.decode(tables.words(requester));
  }

  /** Whose context entries are present, ascending. */
  public List<SourceId> requesters() {
    List<SourceId> present = new ArrayList<>();
    for (int bus = 0; bus < BUSES; bus++) {
      for (int devfn = 0; devfn < FUNCTIONS; devfn++) {
        SourceId requester = SourceId.of(bus, devfn);
        if (devfn % HALF == 0 && !tables.hasTable(requester)) {
          devfn += HALF - 1;
        } else if (tables.words(requester).isPresent()) {
          present.add(requester);
        }
      }
    }
    return present;
  }

  /** The first two words of the requester's context entry, of whichever mode. */
  public ContextEntry contextWords(SourceId requester) {
    return tables.words(requester);
  }

  /**
   * Whether the unit is driven in scalable mode, as all are that can have a guest's first-level
   * tables translated by second-level ones: without PASIDs of guests there is no use in it.
   */
  public boolean nests() {
    return capabilities.scalableMode()
        && capabilities.nestedTranslation()
        && capabilities.secondLevelTranslation()
        && capabilities.queuedInvalidation();
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
        .put(tables.root())
        .put(domainIds)
        .put(invalidations)
        .put(entries);
    interruptTable.ifPresent(digest::put);
  }
}
