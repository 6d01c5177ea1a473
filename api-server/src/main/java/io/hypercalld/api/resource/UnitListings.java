package io.hypercalld.api.resource;

import io.hypercalld.api.machine.Machine;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.iommu.driver.InterruptTable;
import io.hypercalld.iommu.driver.PciDevice;
import io.hypercalld.iommu.driver.UnitDriver;
import io.hypercalld.iommu.fault.LoggedFault;
import io.hypercalld.iommu.interrupt.MachineInterrupt;
import io.hypercalld.iommu.interrupt.MachineInterrupts.EntryPlace;
import io.hypercalld.iommu.interrupt.MsiSource;
import io.hypercalld.iommu.pci.Sbdf;
import io.hypercalld.iommu.pci.SourceId;
import io.hypercalld.iommu.unit.PendingFault;
import io.hypercalld.iommu.vtd.ContextEntry;
import io.hypercalld.iommu.vtd.FaultReason;
import io.hypercalld.iommu.vtd.FaultRecord;
import io.hypercalld.iommu.vtd.InterruptEntry;
import io.hypercalld.iommu.vtd.PasidEntry;
import io.hypercalld.iommu.vtd.ScalableContextEntry;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** What is in a unit and in its tables, item by item. Immutable. */
final class UnitListings {
  private UnitListings() {}

  /** A register as software reads it. */
  record RegisterView(String name, Word offset, int size, Word value, Map<String, Word> fields) {}

  /**
   * A domain-id in use.
   *
   * @param domid whom it stands for; from 0x8000 on a quarantined device
   */
  record DomainIdView(int domainId, int domid) {}

  /**
   * A context entry in memory.
   *
   * @param domainId of requests without PASID, as is the table; both 0 where these are blocked
   * @param pasids the address spaces that scalable mode's entry leads to; absent in legacy mode
   */
  record ContextView(
      Sbdf sbdf,
      Word sourceId,
      Word address,
      Word lo,
      Word hi,
      int domainId,
      Optional<Integer> domid,
      Word secondLevelTable,
      Map<String, Word> fields,
      Optional<List<SpaceView>> pasids) {}

  /**
   * A PASID entry in memory.
   *
   * @param type which tables translate: second-level, or nested
   * @param firstLevelTable where the guest has it: an address of the second-level table's
   */
  record SpaceView(
      int pasid,
      String type,
      int domainId,
      Optional<Integer> domid,
      Word secondLevelTable,
      Optional<Word> firstLevelTable,
      Map<String, Word> fields) {}

  /** A translation that the unit remembers. */
  record TranslationView(
      int domainId,
      Optional<Integer> domid,
      Optional<Integer> pasid,
      Word iova,
      Word maddr,
      long page,
      boolean read,
      boolean write) {}

  /** A context entry that the unit remembers. */
  record CachedContextView(
      Sbdf sbdf,
      Word sourceId,
      int domainId,
      Optional<Integer> domid,
      Word lo,
      Word hi,
      Optional<String> fault) {}

  /**
   * A fault: one that the driver read out, or one that waits in a register still.
   *
   * @param index of the register that holds it, or held it
   * @param interruptIndex of the remapping entry, where an interrupt was blocked
   * @param drained whether the driver has read it out
   * @param simTimeNs when it did
   */
  record FaultRecordView(
      int index,
      Sbdf sbdf,
      Word sourceId,
      Word address,
      Type type,
      String reason,
      String name,
      Optional<Integer> pasid,
      Optional<Integer> domid,
      Optional<Integer> interruptIndex,
      boolean recorded,
      boolean drained,
      Optional<String> simTimeNs) {}

  /** An entry of the interrupt-remapping table that is in use, and whose it is. */
  record InterruptEntryView(
      int index,
      Word address,
      Word lo,
      Word hi,
      boolean posted,
      int vector,
      Word sourceId,
      Map<String, Word> fields,
      Optional<Integer> irq,
      Optional<Sbdf> sbdf,
      Optional<Integer> gsi,
      List<Integer> domains,
      boolean cached,
      boolean stale) {}

  /** Which way the bytes would have gone. */
  enum Type {
    READ,
    WRITE
  }

  static List<RegisterView> registers(Machine machine, UnitDriver unit) {
    return machine.unit(unit.index()).registers().stream()
        .map(
            reading ->
                new RegisterView(
                    reading.name(),
                    new Word(reading.offset()),
                    reading.bytes(),
                    new Word(reading.value()),
                    reading.fields()))
        .toList();
  }

  static List<DomainIdView> domainIds(Machine machine, UnitDriver unit) {
    return unit.domainIds().inUse().stream()
        .map(use -> new DomainIdView(use.did(), use.owner().value()))
        .toList();
  }

  static List<ContextView> contextEntries(Machine machine, UnitDriver unit) {
    return unit.requesters().stream().map(requester -> context(machine, unit, requester)).toList();
  }

  private static ContextView context(Machine machine, UnitDriver unit, SourceId requester) {
    ContextEntry words = unit.contextWords(requester);
    var pasids = unit.pasids(requester);
    ContextEntry entry = unit.contextEntry(requester);
    return new ContextView(
        sbdf(machine, unit, requester),
        new Word(requester.value()),
        new Word(unit.contextAddress(requester)),
        new Word(words.lo()),
        new Word(words.hi()),
        entry.domainId(),
        entry.isPresent() ? domid(unit, entry.domainId()) : Optional.empty(),
        new Word(entry.secondStageRoot()),
        pasids.isPresent()
            ? new ScalableContextEntry(words.lo(), words.hi(), 0, 0).decode()
            : words.decode(),
        pasids.map(spaces -> spaces.entrySet().stream().map(each -> space(unit, each)).toList()));
  }

  private static SpaceView space(UnitDriver unit, Map.Entry<Integer, PasidEntry> space) {
    PasidEntry entry = space.getValue();
    PasidEntry.Granularity type = entry.granularity().orElseThrow();
    return new SpaceView(
        space.getKey(),
        type.name().toLowerCase(Locale.ROOT).replace('_', '-'),
        entry.domainId(),
        domid(unit, entry.domainId()),
        new Word(entry.secondLevelRoot()),
        type.usesFirstLevel() ? Optional.of(new Word(entry.firstLevelRoot())) : Optional.empty(),
        entry.decode());
  }

  static List<TranslationView> iotlb(Machine machine, UnitDriver unit) {
    return machine.unit(unit.index()).iotlb().stream()
        .map(
            cached ->
                new TranslationView(
                    cached.domainId(),
                    domid(unit, cached.domainId()),
                    cached.pasid().stream().boxed().findFirst(),
                    new Word(cached.iova()),
                    new Word(cached.maddr()),
                    cached.size().bytes(),
                    cached.readable(),
                    cached.writable()))
        .toList();
  }

  static List<CachedContextView> contextCache(Machine machine, UnitDriver unit) {
    return machine.unit(unit.index()).contextCache().stream()
        .map(
            cached ->
                new CachedContextView(
                    sbdf(machine, unit, cached.requester()),
                    new Word(cached.requester().value()),
                    cached.domainId(),
                    domid(unit, cached.domainId()),
                    new Word(cached.entry().lo()),
                    new Word(cached.entry().hi()),
                    cached.fault().map(UnitListings::number)))
        .toList();
  }

  /** Those that the driver read out, then those that wait still. */
  static List<FaultRecordView> faults(Machine machine, UnitDriver unit) {
    List<FaultRecordView> views = new ArrayList<>();
    for (LoggedFault fault : machine.faults().faultsOf(unit.index())) {
      FaultView known = new FaultView(fault.sbdf(), fault.domain(), Optional.of(fault.time()));
      views.add(view(fault.taken().index(), fault.taken().record(), known));
    }
    for (PendingFault fault : machine.unit(unit.index()).faults()) {
      Sbdf sbdf = sbdf(machine, unit, fault.record().sourceId());
      Optional<DomainId> owner = machine.driver().devices().find(sbdf).map(PciDevice::owner);
      views.add(view(fault.index(), fault.record(), new FaultView(sbdf, owner, Optional.empty())));
    }
    return views;
  }

  /** What is known of a fault beside its record; the time is there where it was read out. */
  private record FaultView(Sbdf sbdf, Optional<DomainId> domain, Optional<Long> time) {}

  /** A record that waits for a guest in its own unit: the function is where the guest sees it. */
  static FaultRecordView ofGuest(DomainId guest, PendingFault fault) {
    Sbdf seen = fault.record().sourceId().in(0);
    return view(
        fault.index(), fault.record(), new FaultView(seen, Optional.of(guest), Optional.empty()));
  }

  private static FaultRecordView view(int index, FaultRecord record, FaultView known) {
    boolean interrupt =
        record.reason().filter(reason -> reason.kind() == FaultReason.Kind.INTERRUPT).isPresent();
    return new FaultRecordView(
        index,
        known.sbdf,
        new Word(record.sourceId().value()),
        new Word(interrupt ? record.lo() : record.iova()),
        record.isRead() ? Type.READ : Type.WRITE,
        "0x" + Integer.toHexString(record.reasonCode()),
        record.reason().map(FaultReason::text).orElse("unknown reason"),
        FaultRecord.PP.isSet(record.hi())
            ? Optional.of(FaultRecord.PV.getInt(record.hi()))
            : Optional.empty(),
        known.domain.map(DomainId::value),
        interrupt ? Optional.of(record.interruptIndex()) : Optional.empty(),
        true,
        known.time.isPresent(),
        known.time.map(time -> Long.toString(time)));
  }

  static List<InterruptEntryView> interruptEntries(Machine machine, UnitDriver unit) {
    return unit.interruptTable()
        .map(
            table ->
                table.inUse().stream().map(index -> entry(machine, unit, table, index)).toList())
        .orElse(List.of());
  }

  private static InterruptEntryView entry(
      Machine machine, UnitDriver unit, InterruptTable table, int index) {
    InterruptEntry entry = table.entry(index);
    Optional<MachineInterrupt> user =
        machine.interrupts().machine().userOf(new EntryPlace(unit.index(), index));
    Optional<InterruptEntry> cached =
        Optional.ofNullable(machine.unit(unit.index()).interruptCache().get(index));
    return new InterruptEntryView(
        index,
        new Word(table.addressOf(index)),
        new Word(entry.lo()),
        new Word(entry.hi()),
        entry.isPosted(),
        entry.vector(),
        new Word(entry.sourceId()),
        entry.decode(),
        user.map(MachineInterrupt::number),
        user.flatMap(MachineInterrupt::message).map(MsiSource::sbdf),
        user.filter(one -> one.message().isEmpty()).map(MachineInterrupt::number),
        user.map(MachineInterrupt::guests).orElse(List.of()).stream().map(DomainId::value).toList(),
        cached.isPresent(),
        cached.filter(remembered -> !remembered.equals(entry)).isPresent());
  }

  /** How a reason is written. */
  static String number(FaultReason reason) {
    return "0x" + Integer.toHexString(reason.code());
  }

  private static Optional<Integer> domid(UnitDriver unit, int domainId) {
    return unit.ownerOf(domainId).map(DomainId::value);
  }

  private static Sbdf sbdf(Machine machine, UnitDriver unit, SourceId requester) {
    return requester.in(machine.platform().units().get(unit.index()).segment());
  }
}
