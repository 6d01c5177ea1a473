package io.hypercalld.api.resource;

import io.hypercalld.api.machine.Machine;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.memory.MachineMemory;
import io.hypercalld.iommu.driver.PciDevice;
import io.hypercalld.iommu.driver.UnitDriver;
import io.hypercalld.iommu.pci.Sbdf;
import io.hypercalld.iommu.pci.SourceId;
import io.hypercalld.iommu.unit.PendingFault;
import io.hypercalld.iommu.vtd.ContextEntry;
import io.hypercalld.iommu.vtd.FaultReason;
import io.hypercalld.iommu.vtd.FaultRecord;
import io.hypercalld.iommu.vtd.RootEntry;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What is in a unit and in its tables, item by item. Immutable. */
final class UnitListings {
  private static final int BUSES = 256;
  private static final int FUNCTIONS_PER_BUS = 256;
  private static final int WORD = 8;

  private UnitListings() {}

  /** A register as software reads it. */
  record RegisterView(String name, Word offset, int size, Word value, Map<String, Word> fields) {}

  /**
   * A domain-id in use.
   *
   * @param domid whom it stands for; from 0x8000 on a quarantined device
   */
  record DomainIdView(int domainId, int domid) {}

  /** A context entry in memory. */
  record ContextView(
      Sbdf sbdf,
      Word sourceId,
      Word address,
      Word lo,
      Word hi,
      int domainId,
      Optional<Integer> domid,
      Word secondLevelTable,
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

  /** A fault that software has not cleared. */
  record FaultRecordView(
      int index,
      Sbdf sbdf,
      Word sourceId,
      Word address,
      Type type,
      String reason,
      String name,
      Optional<Integer> pasid,
      Optional<Integer> domid) {}

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
    List<ContextView> views = new ArrayList<>();
    MachineMemory memory = machine.hypervisor().memory();
    for (int bus = 0; bus < BUSES; bus++) {
      long at = unit.rootTable() + RootEntry.offset(SourceId.of(bus, 0));
      RootEntry root = new RootEntry(memory.readWord(at), memory.readWord(at + WORD));
      for (int devfn = 0; root.isPresent() && devfn < FUNCTIONS_PER_BUS; devfn++) {
        context(machine, unit, root, SourceId.of(bus, devfn)).ifPresent(views::add);
      }
    }
    return views;
  }

  private static Optional<ContextView> context(
      Machine machine, UnitDriver unit, RootEntry root, SourceId requester) {
    MachineMemory memory = machine.hypervisor().memory();
    long at = root.contextTable() + ContextEntry.offset(requester);
    ContextEntry entry = new ContextEntry(memory.readWord(at), memory.readWord(at + WORD));
    return entry.isPresent()
        ? Optional.of(
            new ContextView(
                sbdf(machine, unit, requester),
                new Word(requester.value()),
                new Word(at),
                new Word(entry.lo()),
                new Word(entry.hi()),
                entry.domainId(),
                domid(unit, entry.domainId()),
                new Word(entry.secondStageRoot()),
                entry.decode()))
        : Optional.empty();
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

  static List<FaultRecordView> faults(Machine machine, UnitDriver unit) {
    return machine.unit(unit.index()).faults().stream()
        .map(fault -> fault(machine, unit, fault))
        .toList();
  }

  private static FaultRecordView fault(Machine machine, UnitDriver unit, PendingFault fault) {
    FaultRecord record = fault.record();
    Sbdf sbdf = sbdf(machine, unit, record.sourceId());
    return new FaultRecordView(
        fault.index(),
        sbdf,
        new Word(record.sourceId().value()),
        new Word(record.iova()),
        record.isRead() ? Type.READ : Type.WRITE,
        "0x" + Integer.toHexString(record.reasonCode()),
        record.reason().map(FaultReason::text).orElse("unknown reason"),
        Optional.empty(),
        culprit(machine, unit, sbdf).map(DomainId::value));
  }

  /**
   * Whom the domain-id of the requester's entry stands for on this very unit; where it has no
   * entry, whose the device is.
   */
  private static Optional<DomainId> culprit(Machine machine, UnitDriver unit, Sbdf sbdf) {
    ContextEntry entry = unit.contextEntry(sbdf.sourceId());
    return entry.isPresent()
        ? unit.ownerOf(entry.domainId())
        : machine.driver().devices().find(sbdf).map(PciDevice::owner);
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
