package io.hypercalld.iommu.unit;

import io.hypercalld.core.memory.MachineMemory;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.iommu.pci.SourceId;
import io.hypercalld.iommu.vtd.AddressWidth;
import io.hypercalld.iommu.vtd.Capabilities;
import io.hypercalld.iommu.vtd.CapabilityFields;
import io.hypercalld.iommu.vtd.DmaAccess;
import io.hypercalld.iommu.vtd.ExtendedCapabilityFields;
import io.hypercalld.iommu.vtd.FaultReason;
import io.hypercalld.iommu.vtd.FirstLevelEntry;
import io.hypercalld.iommu.vtd.GlobalCommand;
import io.hypercalld.iommu.vtd.PasidDirectoryEntry;
import io.hypercalld.iommu.vtd.PasidEntry;
import io.hypercalld.iommu.vtd.PasidPrefix;
import io.hypercalld.iommu.vtd.Register;
import io.hypercalld.iommu.vtd.RootTableAddress;
import io.hypercalld.iommu.vtd.ScalableContextEntry;
import io.hypercalld.iommu.vtd.ScalableRootEntry;
import io.hypercalld.iommu.vtd.SecondStageEntry;
import io.hypercalld.iommu.vtd.UnitVersion;

/**
 * The model unit with all of scalable mode, and the least software that drives it: device X has a
 * context entry that admits PASIDs, and page tables of both levels.
 */
final class ScalableUnit implements AutoCloseable {
  static final SourceId X = SimulatedUnit.X;
  static final int DOMAIN = 5;
  static final PasidPrefix USER = PasidPrefix.of(0x1234);
  static final PasidPrefix SUPERVISOR = new PasidPrefix(true, 0x1234, true, false);
  static final PasidPrefix FETCH = new PasidPrefix(true, 0x1234, false, true);
  static final PasidPrefix SUPERVISOR_FETCH = new PasidPrefix(true, 0x1234, true, true);

  private static final int DESCRIPTOR_BYTES = 32;
  private static final long WIDE = 1L << 11;

  /** The model unit, and everything that scalable mode can have. */
  static final Capabilities CAPABILITIES =
      new Capabilities(
          SimulatedUnit.MODEL.cap()
              | CapabilityFields.SAGAW.of(0b0_1110)
              | CapabilityFields.MGAW.put(0, 56)
              | CapabilityFields.FL1GP.of(1)
              | CapabilityFields.FL5LP.of(1),
          SimulatedUnit.MODEL.ecap()
              | ExtendedCapabilityFields.SMTS.of(1)
              | ExtendedCapabilityFields.FLTS.of(1)
              | ExtendedCapabilityFields.SLTS.of(1)
              | ExtendedCapabilityFields.NEST.of(1)
              | ExtendedCapabilityFields.PASID.of(1)
              | ExtendedCapabilityFields.PSS.of(19)
              | ExtendedCapabilityFields.SLADS.of(1)
              | ExtendedCapabilityFields.SRS.of(1)
              | ExtendedCapabilityFields.ERS.of(1)
              | ExtendedCapabilityFields.EAFS.of(1)
              | ExtendedCapabilityFields.RPS.of(1)
              | ExtendedCapabilityFields.RPRIVS.of(1));

  final SimulatedUnit it;
  final MachineMemory memory;
  final RemappingUnit unit;
  final Translation translation = new Translation();
  final long firstLevel;
  final long secondLevel;
  private final long contextTable;
  private final long directory;
  private final long lowPasids;
  private final long highPasids;
  private final long ring;
  private int tail;

  private ScalableUnit(UnitSettings settings) {
    it = SimulatedUnit.off(settings);
    memory = it.memory;
    unit = it.unit;
    firstLevel = it.newTable();
    secondLevel = it.newTable();
    contextTable = it.newTable();
    directory = it.newTable();
    lowPasids = it.newTable();
    highPasids = it.newTable();
    memory.writeWord(
        it.rootTable + ScalableRootEntry.offset(X), ScalableRootEntry.to(contextTable).word());
    context(context());
    directoryEntry(0, PasidDirectoryEntry.to(lowPasids).word());
    directoryEntry(USER.pasid(), PasidDirectoryEntry.to(highPasids).word());
    unit.write64(
        Register.RTADDR.offset(),
        RootTableAddress.TTM.put(RootTableAddress.legacy(it.rootTable), 1));
    unit.write32(Register.GCMD.offset(), SimulatedUnit.bits(GlobalCommand.SRTP));
    ring = it.newTable();
    unit.write64(Register.IQA.offset(), ring | WIDE);
    it.command(GlobalCommand.QIE, true);
    it.command(GlobalCommand.TE, true);
  }

  static ScalableUnit on() {
    return on(CAPABILITIES);
  }

  static ScalableUnit on(Capabilities capabilities) {
    return on(UnitSettings.of(UnitVersion.V1_0, capabilities, SimulatedUnit.HOST_ADDRESS_WIDTH));
  }

  static ScalableUnit on(UnitSettings settings) {
    return new ScalableUnit(settings);
  }

  /** X's ordinary context entry. */
  ScalableContextEntry context() {
    ScalableContextEntry entry = ScalableContextEntry.to(directory);
    return new ScalableContextEntry(ScalableContextEntry.PASIDE.set(entry.q0()), 0, 0, 0);
  }

  void context(ScalableContextEntry entry) {
    long at = contextTable + ScalableContextEntry.offset(X);
    memory.writeWord(at, entry.q0());
    memory.writeWord(at + 8, entry.q1());
    memory.writeWord(at + 16, entry.q2());
    memory.writeWord(at + 24, entry.q3());
  }

  void rootEntry(long word) {
    memory.writeWord(it.rootTable + ScalableRootEntry.offset(X), word);
  }

  void directoryEntry(int pasid, long word) {
    memory.writeWord(directory + PasidDirectoryEntry.offset(pasid), word);
  }

  /** Writes the entry of the PASID of {@link #USER}, or of requests without. */
  void pasid(PasidPrefix prefix, PasidEntry entry) {
    long at = (prefix.present() ? highPasids : lowPasids) + PasidEntry.offset(prefix.pasid());
    memory.writeWord(at, entry.q0());
    memory.writeWord(at + 8, entry.q1());
    memory.writeWord(at + 16, entry.q2());
    memory.writeWord(at + 24, entry.rest());
  }

  void pasid(PasidEntry entry) {
    pasid(USER, entry);
  }

  PasidEntry firstLevelEntry() {
    return PasidEntry.firstLevel(firstLevel, DOMAIN);
  }

  PasidEntry secondLevelEntry() {
    return PasidEntry.secondLevel(secondLevel, AddressWidth.BITS_48, DOMAIN);
  }

  PasidEntry nestedEntry() {
    return firstLevelEntry().nestedIn(secondLevel, AddressWidth.BITS_48);
  }

  /** Address of the first-level entry of {@code level} for {@code iova}, tables made on the way. */
  long slot(int levels, long iova, int level) {
    long table = firstLevel;
    for (int each = levels; each > level; each--) {
      long slot = table + SecondStageEntry.offset(iova, each);
      if (!FirstLevelEntry.isPresent(memory.readWord(slot))) {
        memory.writeWord(slot, FirstLevelEntry.table(it.newTable()));
      }
      table = FirstLevelEntry.target(memory.readWord(slot));
    }
    return table + SecondStageEntry.offset(iova, level);
  }

  long slot(long iova, int level) {
    return slot(4, iova, level);
  }

  void put(long iova, int level, long entry) {
    memory.writeWord(slot(iova, level), entry);
  }

  void map(long iova, long address) {
    put(iova, 1, FirstLevelEntry.leaf(address, PageSize.SIZE_4K, true));
  }

  /** Address of the second-level entry of {@code level} for {@code gpa}. */
  long secondSlot(long gpa, int level) {
    return it.slot(secondLevel, 4, gpa, level);
  }

  void mapSecond(long gpa, long maddr, int permissions) {
    memory.writeWord(
        secondSlot(gpa, 1), SecondStageEntry.leaf(maddr, PageSize.SIZE_4K, permissions));
  }

  /** Lets the second level map all memory that holds tables to itself. */
  void mapTables() {
    for (long maddr = 0x10_0000L; maddr < 0x20_0000L; maddr += PageSize.BYTES_4K) {
      mapSecond(maddr, maddr, SecondStageEntry.READ_WRITE);
    }
  }

  Translation translate(PasidPrefix prefix, long iova, DmaAccess access) {
    unit.translate(X, prefix, iova, access, translation);
    return translation;
  }

  Translation read(long iova) {
    return translate(USER, iova, DmaAccess.READ);
  }

  Translation write(long iova) {
    return translate(USER, iova, DmaAccess.WRITE);
  }

  FaultReason faultOf(PasidPrefix prefix, long iova, DmaAccess access) {
    Explanation explanation = unit.explain(new MemoryRequest(X, prefix, iova, access));
    FaultReason reason = translate(prefix, iova, access).reason();
    if (!explanation.reason().equals(java.util.Optional.of(reason))) {
      throw new AssertionError("explained as " + explanation + ", but is " + reason);
    }
    return reason;
  }

  FaultReason readFault(long iova) {
    return faultOf(USER, iova, DmaAccess.READ);
  }

  FaultReason writeFault(long iova) {
    return faultOf(USER, iova, DmaAccess.WRITE);
  }

  /** Has the queue carry out one descriptor of 256 bits, whose upper half is zero. */
  void invalidate(long lo, long hi) {
    memory.writeWord(ring + tail, lo);
    memory.writeWord(ring + tail + 8, hi);
    tail = (tail + DESCRIPTOR_BYTES) % PageSize.BYTES_4K;
    unit.write64(Register.IQT.offset(), tail);
    if (unit.read64(Register.IQH.offset()) != tail) {
      throw new AssertionError("the queue stopped at the descriptor");
    }
  }

  void invalidateContexts() {
    invalidate(0x11, 0);
  }

  void invalidateDomain(int domainId) {
    invalidate(0x22 | (long) domainId << 16, 0);
  }

  /** Pages that begin at a second-level input address. */
  void invalidatePages(int domainId, long address, int addressMask, boolean leavesOnly) {
    invalidate(0x32 | (long) domainId << 16, address | (leavesOnly ? 0x40 : 0) | addressMask);
  }

  void invalidatePasid(int domainId, int pasid) {
    invalidate(0x26 | (long) domainId << 16 | (long) pasid << 32, 0);
  }

  void invalidatePasidPages(int domainId, int pasid, long iova, int addressMask) {
    invalidate(0x36 | (long) domainId << 16 | (long) pasid << 32, iova | addressMask);
  }

  void invalidatePasidEntry(int domainId, int pasid) {
    invalidate(0x17 | (long) domainId << 16 | (long) pasid << 32, 0);
  }

  void forgetEverything() {
    invalidate(0x11, 0);
    invalidate(0x37, 0);
    invalidate(0x12, 0);
  }

  @Override
  public void close() {
    it.close();
  }
}
