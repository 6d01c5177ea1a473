package io.hypercalld.api.experiment;

import io.hypercalld.api.machine.AccessViommu;
import io.hypercalld.api.machine.ComposeDomain;
import io.hypercalld.api.machine.DeviceDma;
import io.hypercalld.api.machine.Machine;
import io.hypercalld.api.machine.MemoryPolicies;
import io.hypercalld.api.machine.PlaceDevice;
import io.hypercalld.api.machine.ViommuChoices;
import io.hypercalld.api.machine.WriteGuestMemory;
import io.hypercalld.api.platform.EmbeddedPlatforms;
import io.hypercalld.api.platform.PlatformSource;
import io.hypercalld.core.bits.HexBytes;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainType;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.hypercall.Outcome;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.iommu.driver.PciDevice;
import io.hypercalld.iommu.pci.Sbdf;
import io.hypercalld.iommu.unit.DmaOutcome;
import io.hypercalld.iommu.virtual.VirtualIommu;
import io.hypercalld.iommu.virtual.VirtualUnitSettings;
import io.hypercalld.iommu.vtd.AddressWidth;
import io.hypercalld.iommu.vtd.ContextEntry;
import io.hypercalld.iommu.vtd.FirstLevelEntry;
import io.hypercalld.iommu.vtd.GlobalCommand;
import io.hypercalld.iommu.vtd.InvalidationDescriptor;
import io.hypercalld.iommu.vtd.PasidDirectoryEntry;
import io.hypercalld.iommu.vtd.PasidEntry;
import io.hypercalld.iommu.vtd.Register;
import io.hypercalld.iommu.vtd.RootTableAddress;
import io.hypercalld.iommu.vtd.ScalableContextEntry;
import io.hypercalld.iommu.vtd.SecondStageEntry;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Optional;
import java.util.function.LongUnaryOperator;

/**
 * A machine of an experiment's own with one guest that drives its virtual unit. Confined to the
 * thread that runs the experiment.
 *
 * <p>The guest's memory by guest-physical address: the queue at 0x10000, the root table, the
 * context table of bus 0, and from 0x100000 on tables as they are needed.
 */
final class ScratchGuest implements AutoCloseable {
  private static final long QUEUE = 0x1_0000;
  private static final long ROOT = 0x1_1000;
  private static final long CONTEXTS = 0x1_2000;
  private static final long TABLES = 0x10_0000;
  private static final String NESTING_PLATFORM = "scalable";
  private static final int QUEUE_BYTES = PageSize.BYTES_4K;
  private static final int FIRST_SLOT = 4;
  private static final int DMA_BYTES = 8;
  private static final long PRESENT = 1;
  private static final long ABSENT = -1L;
  private static final long BOTH = SecondStageEntry.READ_WRITE;

  private final Machine machine;
  private final Domain guest;
  private long free = TABLES;
  private int tail;
  private int kept;

  /** A guest of so much memory; its unit, where one is wanted, is there from the beginning. */
  ScratchGuest(long memory, Optional<VirtualUnitSettings> unit, MemoryPolicies policies) {
    // Where the guest is to have first-level tables, the machine's units have to nest.
    boolean nests = unit.filter(VirtualUnitSettings::l1).isPresent();
    String platform = nests ? NESTING_PLATFORM : EmbeddedPlatforms.DEFAULT;
    machine = new Machine(PlatformSource.named(platform).load().platform());
    guest =
        machine.execute(
            new ComposeDomain(
                Optional.empty(),
                Optional.empty(),
                DomainType.HVM,
                memory,
                1,
                policies,
                new ViommuChoices(unit, Optional.empty())));
  }

  Machine machine() {
    return machine;
  }

  Domain guest() {
    return guest;
  }

  VirtualIommu iommu() {
    return machine.virtualIommus().of(guest);
  }

  /** The physical device that the guest has, or is to have, as its n-th. */
  static Sbdf device(int number) {
    return new Sbdf(0, 3, 0x10, number);
  }

  /** Where the guest sees its n-th device. */
  static Sbdf seen(int number) {
    return new Sbdf(0, 0, FIRST_SLOT + number, 0);
  }

  PciDevice function(int number) {
    return machine.driver().devices().find(device(number)).orElseThrow();
  }

  void assign(int number) {
    Outcome outcome =
        machine.execute(
            new PlaceDevice(guest.id(), device(number), false, Optional.of(seen(number))));
    if (outcome instanceof Outcome.Refused refused) {
      throw Refusal.of(
          refused.errno(), "the scratch machine refused a device: %s", refused.detail());
    }
  }

  /** Points the guest's unit at its tables and its queue; translation stays off. */
  void prepare() {
    store(ROOT, CONTEXTS | PRESENT, 0);
    write(Register.IQA, QUEUE);
    command(GlobalCommand.QIE.mask());
    write(Register.RTADDR, ROOT);
    command(GlobalCommand.SRTP.mask());
  }

  /** The same in scalable mode, without a queue. */
  void prepareScalable() {
    store(ROOT, CONTEXTS | PRESENT);
    write(Register.RTADDR, RootTableAddress.scalable(ROOT));
    command(GlobalCommand.SRTP.mask());
  }

  /** Has a device use first-level tables of four levels for requests with a PASID below 64. */
  void attach(Sbdf seen, int pasid, PasidEntry entry) {
    long directory = table();
    long pasids = table();
    store(directory, PasidDirectoryEntry.to(pasids).word());
    store(pasids + PasidEntry.offset(pasid), entry.q0(), entry.q1(), entry.q2());
    ScalableContextEntry context = ScalableContextEntry.to(directory);
    store(
        CONTEXTS + ScalableContextEntry.offset(seen.sourceId()),
        ScalableContextEntry.PASIDE.set(context.q0()),
        context.q1());
  }

  /** Writes the entry that leads a page of 4 KiB to a guest page, below four first levels. */
  void mapFirst(long top, long gva, long gpa) {
    long table = top;
    for (int level = AddressWidth.BITS_48.levels(); level > 1; level--) {
      long at = table + SecondStageEntry.offset(gva, level);
      long entry = load(at);
      if (!FirstLevelEntry.isPresent(entry)) {
        entry = FirstLevelEntry.table(table());
        store(at, entry);
      }
      table = FirstLevelEntry.target(entry);
    }
    store(
        table + SecondStageEntry.offset(gva, 1), FirstLevelEntry.leaf(gpa, PageSize.SIZE_4K, true));
  }

  void translate(boolean on) {
    kept &= ~(int) GlobalCommand.TE.mask();
    command(on ? GlobalCommand.TE.mask() : 0);
  }

  private void command(long bits) {
    kept |= (int) bits;
    register(Register.GCMD, Integer.BYTES, Integer.toUnsignedLong(kept));
    kept &= ~(int) GlobalCommand.SRTP.mask();
  }

  private void write(Register register, long value) {
    register(register, Long.BYTES, value);
  }

  private void register(Register register, int bytes, long value) {
    machine.execute(
        new AccessViommu(
            guest.id(), new Word(register.offset()), bytes, Optional.of(new Word(value))));
  }

  /** Has a device of the guest's use a table, under a domain-id. */
  void attach(Sbdf seen, long table, int domainId) {
    enter(seen, ContextEntry.translating(table, AddressWidth.BITS_39, domainId));
  }

  /** Has a device of the guest's pass untranslated. */
  void pass(Sbdf seen, int domainId) {
    enter(seen, ContextEntry.passingThrough(AddressWidth.BITS_48, domainId));
  }

  private void enter(Sbdf seen, ContextEntry entry) {
    store(CONTEXTS + ContextEntry.offset(seen.sourceId()), entry.lo(), entry.hi());
  }

  /** A table of the guest's without entries; answers its guest-physical address. */
  long table() {
    free += PageSize.BYTES_4K;
    return free - PageSize.BYTES_4K;
  }

  /** Writes the entry that leads a page of 4 KiB to a guest page, below a table of three levels. */
  void map(long top, long iova, long gpa) {
    store(lowest(top, iova) + SecondStageEntry.offset(iova, 1), gpa == ABSENT ? 0 : gpa | BOTH);
  }

  /** Maps 2 MiB by leaves of 4 KiB, below a table of three levels, as a function says. */
  void mapAll(long top, long iova, LongUnaryOperator gpas) {
    long[] entries = new long[SecondStageEntry.ENTRIES];
    Arrays.setAll(entries, page -> gpas.applyAsLong(page) | BOTH);
    store(lowest(top, iova), entries);
  }

  private long lowest(long top, long iova) {
    long table = top;
    for (int level = AddressWidth.BITS_39.levels(); level > 1; level--) {
      long at = table + SecondStageEntry.offset(iova, level);
      long entry = load(at);
      if (!SecondStageEntry.isPresent(entry)) {
        entry = SecondStageEntry.table(table());
        store(at, entry);
      }
      table = SecondStageEntry.target(entry);
    }
    return table;
  }

  /** Unmaps a page of 4 KiB. */
  void unmap(long top, long iova) {
    map(top, iova, ABSENT);
  }

  void submit(InvalidationDescriptor descriptor) {
    store(QUEUE + tail, descriptor.lo(), descriptor.hi());
    tail = (tail + InvalidationDescriptor.BYTES) % QUEUE_BYTES;
  }

  /** Has the unit look at what was submitted. */
  void ring() {
    write(Register.IQT, tail);
  }

  DmaOutcome read(int number, long iova) {
    return machine
        .execute(new DeviceDma(device(number), new Word(iova), DMA_BYTES, Optional.empty()))
        .outcome();
  }

  void store(long gpa, long... words) {
    ByteBuffer bytes =
        ByteBuffer.allocate(words.length * Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    for (long word : words) {
      bytes.putLong(word);
    }
    machine.execute(new WriteGuestMemory(guest.id(), new Word(gpa), new HexBytes(bytes.array())));
  }

  private long load(long gpa) {
    byte[] bytes = machine.hypervisor().guestMemory().read(guest, gpa, Long.BYTES);
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong();
  }

  @Override
  public void close() {
    machine.close();
  }
}
