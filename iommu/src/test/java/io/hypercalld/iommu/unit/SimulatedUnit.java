package io.hypercalld.iommu.unit;

import io.hypercalld.core.bits.BitField;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.memory.MachineMemory;
import io.hypercalld.core.memory.MemoryMap;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.iommu.pci.SourceId;
import io.hypercalld.iommu.vtd.AddressWidth;
import io.hypercalld.iommu.vtd.Capabilities;
import io.hypercalld.iommu.vtd.CapabilityFields;
import io.hypercalld.iommu.vtd.ContextCommand;
import io.hypercalld.iommu.vtd.ContextEntry;
import io.hypercalld.iommu.vtd.DmaAccess;
import io.hypercalld.iommu.vtd.ExtendedCapabilityFields;
import io.hypercalld.iommu.vtd.FaultReason;
import io.hypercalld.iommu.vtd.FaultRecord;
import io.hypercalld.iommu.vtd.GlobalCommand;
import io.hypercalld.iommu.vtd.InterruptMessage;
import io.hypercalld.iommu.vtd.IotlbCommand;
import io.hypercalld.iommu.vtd.Register;
import io.hypercalld.iommu.vtd.RootEntry;
import io.hypercalld.iommu.vtd.RootTableAddress;
import io.hypercalld.iommu.vtd.SecondStageEntry;
import io.hypercalld.iommu.vtd.UnitVersion;
import java.util.ArrayList;
import java.util.List;

/**
 * A unit, some memory, and the least software that drives it: the model unit of spec/vtd.md 7, with
 * device X = 03:10.2 in domain-id 5 on four-level tables.
 */
final class SimulatedUnit implements AutoCloseable {
  static final SourceId X = new SourceId(0x0382);
  static final int DOMAIN = 5;
  static final int HOST_ADDRESS_WIDTH = 46;
  static final long RAM_BYTES = 64L << 20;
  static final long BEYOND_RAM = RAM_BYTES;
  static final int READ = (int) SecondStageEntry.R.mask();
  static final int WRITE = (int) SecondStageEntry.W.mask();
  static final int READ_WRITE = SecondStageEntry.READ_WRITE;

  private static final long MODEL_CAP =
      CapabilityFields.ND.of(2)
          | CapabilityFields.PLMR.of(1)
          | CapabilityFields.PHMR.of(1)
          | CapabilityFields.SAGAW.of(0b0_0110)
          | CapabilityFields.MGAW.of(47)
          | CapabilityFields.ZLR.of(1)
          | CapabilityFields.FRO.of(0x20)
          | CapabilityFields.SLLPS.of(0b11)
          | CapabilityFields.PSI.of(1)
          | CapabilityFields.NFR.of(7)
          | CapabilityFields.MAMV.of(18)
          | CapabilityFields.DWD.of(1)
          | CapabilityFields.DRD.of(1);
  private static final long MODEL_ECAP =
      ExtendedCapabilityFields.C.of(1)
          | ExtendedCapabilityFields.QI.of(1)
          | ExtendedCapabilityFields.PT.of(1)
          | ExtendedCapabilityFields.SC.of(1)
          | ExtendedCapabilityFields.IRO.of(0x50);

  static final Capabilities MODEL = new Capabilities(MODEL_CAP, MODEL_ECAP);

  final MachineMemory memory = new MachineMemory(MemoryMap.of(RAM_BYTES, RAM_BYTES, List.of()));
  final List<InterruptMessage> messages = new ArrayList<>();
  final RemappingUnit unit;
  final Translation translation = new Translation();
  final long rootTable;
  final long pageTable;
  private long nextTable = 0x10_0000L;

  private SimulatedUnit(UnitSettings settings) {
    unit = new RemappingUnit(settings, memory, messages::add);
    rootTable = newTable();
    pageTable = newTable();
  }

  /** The model unit as it comes out of reset. */
  static SimulatedUnit off() {
    return off(MODEL);
  }

  static SimulatedUnit off(Capabilities capabilities) {
    return new SimulatedUnit(UnitSettings.of(UnitVersion.V1_0, capabilities, HOST_ADDRESS_WIDTH));
  }

  static SimulatedUnit off(UnitSettings settings) {
    return new SimulatedUnit(settings);
  }

  /** The model unit, translating, with a context entry for X. */
  static SimulatedUnit on() {
    return on(MODEL);
  }

  static SimulatedUnit on(Capabilities capabilities) {
    return off(capabilities).start();
  }

  static Capabilities with(BitField field, long value) {
    boolean extended = ExtendedCapabilityFields.LAYOUT.decode(0).containsKey(field.name());
    return extended
        ? new Capabilities(MODEL_CAP, field.put(MODEL_ECAP, value))
        : new Capabilities(field.put(MODEL_CAP, value), MODEL_ECAP);
  }

  /** Sets the root pointer, gives X its context entry, switches translation on. */
  SimulatedUnit start() {
    context(X, ContextEntry.translating(pageTable, AddressWidth.BITS_48, DOMAIN));
    setRootPointer(rootTable);
    unit.write32(Register.GCMD.offset(), bits(GlobalCommand.TE));
    return this;
  }

  static int bits(BitField... fields) {
    long bits = 0;
    for (BitField field : fields) {
      bits = field.set(bits);
    }
    return (int) bits;
  }

  int read32(Register register) {
    return unit.read32(register.offset(unit.capabilities()));
  }

  long read64(Register register) {
    return unit.read64(register.offset(unit.capabilities()));
  }

  void write32(Register register, int value) {
    unit.write32(register.offset(unit.capabilities()), value);
  }

  /** Changes one persistent bit as careful software does. */
  void command(BitField field, boolean on) {
    long status = Integer.toUnsignedLong(unit.read32(Register.GSTS.offset()));
    int rest = (int) field.put(status, on ? 1 : 0) & ~GlobalCommand.ONE_SHOT;
    unit.write32(Register.GCMD.offset(), rest);
  }

  void setRootPointer(long table) {
    unit.write64(Register.RTADDR.offset(), RootTableAddress.legacy(table));
    int status = unit.read32(Register.GSTS.offset()) & ~GlobalCommand.ONE_SHOT;
    unit.write32(Register.GCMD.offset(), status | bits(GlobalCommand.SRTP));
  }

  /** A new zeroed page. */
  long newTable() {
    long table = nextTable;
    nextTable += PageSize.BYTES_4K;
    return table;
  }

  long contextTable(SourceId requester) {
    long slot = rootTable + RootEntry.offset(requester);
    if (memory.readWord(slot) == 0) {
      memory.writeWord(slot, RootEntry.to(newTable()).lo());
    }
    return new RootEntry(memory.readWord(slot), 0).contextTable();
  }

  void root(SourceId requester, long lo, long hi) {
    memory.writeWord(rootTable + RootEntry.offset(requester), lo);
    memory.writeWord(rootTable + RootEntry.offset(requester) + 8, hi);
  }

  void context(SourceId requester, ContextEntry entry) {
    long slot = contextTable(requester) + ContextEntry.offset(requester);
    memory.writeWord(slot + 8, entry.hi());
    memory.writeWord(slot, entry.lo());
  }

  void context(long lo, long hi) {
    context(X, new ContextEntry(lo, hi));
  }

  /** X's ordinary context entry. */
  ContextEntry entry() {
    return ContextEntry.translating(pageTable, AddressWidth.BITS_48, DOMAIN);
  }

  /** Address of the entry of {@code level} for {@code iova}, tables made on the way. */
  long slot(long root, int levels, long iova, int level) {
    long table = root;
    for (int each = levels; each > level; each--) {
      long slot = table + SecondStageEntry.offset(iova, each);
      if (!SecondStageEntry.isPresent(memory.readWord(slot))) {
        memory.writeWord(slot, SecondStageEntry.table(newTable()));
      }
      table = SecondStageEntry.target(memory.readWord(slot));
    }
    return table + SecondStageEntry.offset(iova, level);
  }

  long slot(long iova, int level) {
    return slot(pageTable, 4, iova, level);
  }

  void map(long iova, long maddr, int permissions) {
    put(iova, 1, SecondStageEntry.leaf(maddr, PageSize.SIZE_4K, permissions));
  }

  void map(long iova, long maddr) {
    map(iova, maddr, READ_WRITE);
  }

  /** Writes the entry of {@code level} for {@code iova} as it is given. */
  void put(long iova, int level, long entry) {
    memory.writeWord(slot(iova, level), entry);
  }

  Translation translate(SourceId requester, long iova, DmaAccess access) {
    unit.translate(requester, iova, access, translation);
    return translation;
  }

  Translation read(long iova) {
    return translate(X, iova, DmaAccess.READ);
  }

  Translation write(long iova) {
    return translate(X, iova, DmaAccess.WRITE);
  }

  FaultReason faultOf(long iova, DmaAccess access) {
    return translate(X, iova, access).reason();
  }

  void contextCommand(long command) {
    unit.write64(Register.CCMD.offset(), command);
  }

  void iotlbCommand(long command) {
    unit.write64(unit.capabilities().iotlbOffset(), command);
  }

  void invalidatePages(int domainId, long iova, int addressMask) {
    unit.write64(
        unit.capabilities().invalidateAddressOffset(),
        IotlbCommand.address(iova, addressMask, false));
    iotlbCommand(IotlbCommand.pages(domainId));
  }

  void invalidateEverything() {
    contextCommand(ContextCommand.global());
    iotlbCommand(IotlbCommand.global());
  }

  FaultRecord record(int index) {
    int offset = unit.capabilities().faultRecordOffset(index);
    return new FaultRecord(unit.read64(offset), unit.read64(offset + 8));
  }

  /** Clears F of one record as Linux and Xen do. */
  void clearRecord(int index) {
    unit.write32(unit.capabilities().faultRecordOffset(index) + 12, 0x8000_0000);
  }

  long status() {
    return Integer.toUnsignedLong(unit.read32(Register.FSTS.offset()));
  }

  String digest() {
    return new StateDigest().put(unit).finish();
  }

  @Override
  public void close() {
    memory.close();
  }
}
