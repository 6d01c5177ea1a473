package io.hypercalld.core.hypercall;

import io.hypercalld.core.bits.BitField;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainTable;
import io.hypercalld.core.domain.E820Entry;
import io.hypercalld.core.domain.Privilege;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.MemoryMap;
import io.hypercalld.core.memory.PageSize;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The memory operations that say where memory is. Confined to the machine thread.
 *
 * @see "xen/arch/x86/mm.c, arch_memory_op"
 */
final class AddressMapCalls {
  private static final BitField ALL_DEVICES = BitField.bit("all", 0);
  private static final long MACH2PHYS_VIRT_START = 0xffff_8000_0000_0000L;
  private static final long MACH2PHYS_VIRT_END = 0xffff_8040_0000_0000L;

  private final MemoryMap machine;
  private final DomainTable domains;
  private Optional<ReservedDeviceMemory> reserved = Optional.empty();

  AddressMapCalls(MemoryMap machine, DomainTable domains) {
    this.machine = machine;
    this.domains = domains;
  }

  /** Without, no device needs any memory. */
  void reservedBy(ReservedDeviceMemory source) {
    reserved = Optional.of(source);
  }

  Outcome maximumRamPage(MaximumRamPage args) {
    Extents.requireSingleShot(args.startExtent());
    return Outcome.count(machine.highTop() >>> PageSize.SHIFT_4K);
  }

  Outcome machphysMapping(Domain caller, MachphysMapping args) {
    Extents.requireSingleShot(args.startExtent());
    long entries =
        caller.isHardwareDomain()
            ? machine.highTop() >>> PageSize.SHIFT_4K
            : (MACH2PHYS_VIRT_END - MACH2PHYS_VIRT_START) / Long.BYTES;
    return Outcome.returning(
        new MachphysMapping.Window(
            new Word(MACH2PHYS_VIRT_START), new Word(MACH2PHYS_VIRT_END), new Word(entries - 1)));
  }

  Outcome machphysCompatMfnList(MachphysCompatMfnList args) {
    Extents.requireSingleShot(args.startExtent());
    throw Refusal.of(Errno.EOPNOTSUPP, "there are no PV guests of 32 bits");
  }

  Outcome vnumaInfo(Domain caller, GetVnumaInfo args) {
    Extents.requireSingleShot(args.startExtent());
    if (args.pad() != 0) {
      throw Refusal.of(Errno.EINVAL, "pad is %d", args.pad());
    }
    Domain domain = domains.any(caller, args.domid());
    Privilege.TARGET.demand(caller, domain);
    throw Refusal.of(Errno.EOPNOTSUPP, "%s was given no virtual NUMA topology", domain.id());
  }

  Outcome queryMemoryMap(Domain caller, QueryMemoryMap args) {
    Extents.requireSingleShot(args.startExtent());
    List<E820Entry> entries =
        caller
            .notes()
            .memoryMap()
            .orElseThrow(() -> Refusal.of(Errno.ENOSYS, "%s was given no map", caller.id()));
    int most = (int) Math.min(args.nrEntries(), entries.size());
    return Outcome.returning(AddressMap.of(entries.subList(0, most)));
  }

  Outcome setMemoryMap(Domain caller, SetMemoryMap args) {
    Extents.requireSingleShot(args.startExtent());
    List<E820Entry> buffer = args.map().buffer();
    long wanted = args.map().nrEntries().orElse((long) buffer.size());
    if (wanted > E820Entry.MOST) {
      throw Refusal.of(Errno.EINVAL, "a map of more than %d entries", E820Entry.MOST);
    }
    Domain domain = domains.any(caller, args.domid());
    Privilege.TARGET.demand(caller, domain);
    if (wanted > buffer.size()) {
      throw Refusal.of(Errno.EFAULT, "the buffer has %d of %d entries", buffer.size(), wanted);
    }
    domain.notes().setMemoryMap(buffer.subList(0, (int) wanted));
    return Outcome.done();
  }

  Outcome machineMemoryMap(Domain caller, MachineMemoryMap args) {
    Privilege.PRIV.demand(caller, caller);
    Extents.requireSingleShot(args.startExtent());
    List<E820Entry> entries = machineMap();
    if (args.nrEntries() < entries.size()) {
      throw Refusal.of(Errno.EINVAL, "the machine's map has %d entries", entries.size());
    }
    return Outcome.returning(AddressMap.of(entries));
  }

  private List<E820Entry> machineMap() {
    TreeMap<Long, E820Entry> found = new TreeMap<>(Long::compareUnsigned);
    machine.usable().forEach(region -> found.put(region.start(), entry(region, E820Entry.RAM)));
    machine
        .reserved()
        .forEach(region -> found.put(region.start(), entry(region, E820Entry.RESERVED)));
    return List.copyOf(found.values());
  }

  private static E820Entry entry(MemoryMap.Region region, long type) {
    return new E820Entry(new Word(region.start()), new Word(region.bytes()), type);
  }

  Outcome reservedDeviceMemory(ReservedDeviceMemoryMap args) {
    Extents.requireSingleShot(args.startExtent());
    if (ALL_DEVICES.clear(args.flags()) != 0) {
      throw Refusal.of(Errno.EINVAL, "flags 0x%x are not known", args.flags());
    }
    List<ReservedDeviceMemoryMap.Range> found =
        reserved
            .map(
                source ->
                    ALL_DEVICES.isSet(args.flags()) ? source.all() : source.of(args.dev().pci()))
            .orElse(List.of());
    if (found.size() > args.nrEntries()) {
      int most = (int) args.nrEntries();
      throw Refusal.of(Errno.ENOBUFS, "%d ranges, room for %d", found.size(), args.nrEntries())
          .returning(new ReservedDeviceMemoryMap.Ranges(found.size(), found.subList(0, most)));
    }
    return Outcome.returning(new ReservedDeviceMemoryMap.Ranges(found.size(), found));
  }
}
