package io.hypercalld.iommu.unit;

import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.memory.MachineMemory;
import io.hypercalld.core.memory.MemoryMap;
import io.hypercalld.iommu.pci.SourceId;
import io.hypercalld.iommu.vtd.DmaAccess;
import io.hypercalld.iommu.vtd.FaultStatus;
import io.hypercalld.iommu.vtd.GlobalCommand;
import io.hypercalld.iommu.vtd.PasidPrefix;
import io.hypercalld.iommu.vtd.Register;
import java.util.List;
import java.util.Optional;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;

/**
 * Everything at once on one unit: stores to registers, descriptors, edits of tables, DMA, interrupt
 * requests. All tables share a few pages, so that whatever is taken for one often leads on.
 */
final class UnitStorm implements AutoCloseable {
  private static final long RAM = 16L << 20;
  private static final long POOL = 0x10_0000L;
  private static final int POOL_PAGES = 24;
  private static final long RING = 0x20_0000L;
  private static final List<DmaAccess> ACCESSES = List.of(DmaAccess.values());
  private static final Register[] REGISTERS = Register.values();

  private final MachineMemory memory = new MachineMemory(MemoryMap.of(RAM, RAM, List.of()));
  private final RemappingUnit unit;
  private final RootComplex rootComplex;
  private final RandomGenerator random;
  private final Translation translation = new Translation();
  private long interrupts;
  private long compared;
  private long passed;

  UnitStorm(UnitSettings settings, long seed) {
    random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
    unit = new RemappingUnit(settings, memory, _ -> interrupts++);
    rootComplex = new RootComplex(memory, _ -> interrupts++);
    for (int each = 0; each < 2_000; each++) {
      editTables();
    }
  }

  /**
   * Stores to registers, descriptors and tables so many times, a device asking after each; answers
   * what is left of it all.
   */
  String run(int stores) {
    for (int store = 0; store < stores; store++) {
      switch (random.nextInt(6)) {
        case 0 -> anyStore();
        case 1 -> usefulStore();
        case 2 -> queue();
        default -> editTables();
      }
      ask();
      if (random.nextInt(5_000) == 0) {
        unit.reset();
      }
      if (random.nextInt(10_000) == 0) {
        unit.malfunctions().add(malfunction());
      }
    }
    assertConsistent();
    return new StateDigest().put(memory).put(unit).put(interrupts).finish();
  }

  private void ask() {
    switch (random.nextInt(10)) {
      case 0, 1 -> move();
      case 2 -> interrupt();
      default -> translate();
    }
  }

  /** Strikes one of the next commands or marks. */
  private Malfunction malfunction() {
    Malfunction.Command[] commands = Malfunction.Command.values();
    Malfunction.Effect[] effects = Malfunction.Effect.values();
    Malfunction.Command command = commands[random.nextInt(commands.length)];
    return new Malfunction(
        new Malfunction.Target(Optional.of(command), Optional.empty()),
        random.nextInt(3),
        1 + random.nextInt(2),
        effects[random.nextInt(effects.length)]);
  }

  /** How many requests were explained before they were made, and how many came through. */
  long compared() {
    return compared;
  }

  long passed() {
    return passed;
  }

  private long page() {
    return POOL + random.nextInt(POOL_PAGES) * 0x1000L;
  }

  private long oddBits(int oneIn) {
    return random.nextInt(oneIn) == 0 ? 1L << random.nextInt(64) : 0;
  }

  private SourceId requester() {
    return new SourceId(random.nextInt(2) << 8 | random.nextInt(2) << 7 | random.nextInt(4));
  }

  /** An address whose indexes are small at every level. */
  private long iova() {
    long iova = random.nextInt(0x1000);
    for (int shift = 12; shift <= 39; shift += 9) {
      iova |= (long) random.nextInt(3) << shift;
    }
    return random.nextInt(40) == 0 ? random.nextLong() : iova | oddBits(40);
  }

  private PasidPrefix prefix() {
    return random.nextInt(4) == 0
        ? new PasidPrefix(true, random.nextInt(130), random.nextBoolean(), random.nextBoolean())
        : PasidPrefix.NONE;
  }

  private void anyStore() {
    int offset = random.nextInt(-64, 0x1100);
    long value = random.nextLong() & (random.nextBoolean() ? -1L : random.nextLong());
    if (random.nextBoolean()) {
      unit.write32(offset & ~3, (int) value);
      unit.read32(offset & ~3);
    } else {
      unit.write64(offset & ~7, value);
      unit.read64(offset & ~7);
    }
  }

  /** A store that hardware is meant to understand. */
  private void usefulStore() {
    switch (random.nextInt(8)) {
      case 0 -> unit.write64(Register.RTADDR.offset(), page() | (long) random.nextInt(4) << 10);
      case 1 -> unit.write64(Register.IRTA.offset(), page() | random.nextInt(8));
      case 2 -> unit.write32(Register.FSTS.offset(), random.nextInt(256));
      case 3 -> unit.write64(Register.CCMD.offset(), random.nextLong() | Long.MIN_VALUE);
      case 4 -> {
        unit.write64(unit.capabilities().invalidateAddressOffset(), iova() & -0x1000L);
        unit.write64(unit.capabilities().iotlbOffset(), random.nextLong() | Long.MIN_VALUE);
      }
      case 5 -> {
        Register register = REGISTERS[random.nextInt(REGISTERS.length)];
        unit.write64(register.offset(unit.capabilities()) & ~7, random.nextLong());
      }
      default -> command();
    }
  }

  /** Mostly on: what is off cannot go wrong. */
  private void command() {
    long on =
        GlobalCommand.TE.mask()
            | GlobalCommand.QIE.mask()
            | GlobalCommand.IRE.mask()
            | GlobalCommand.SRTP.mask()
            | GlobalCommand.SIRTP.mask();
    unit.write32(Register.GCMD.offset(), (int) (on ^ oddBits(3)));
  }

  private void queue() {
    boolean wide = random.nextInt(3) == 0;
    int bytes = wide ? 32 : 16;
    for (int each = random.nextInt(4); each >= 0; each--) {
      long slot = RING + random.nextInt(0x1000 / bytes) * (long) bytes;
      memory.writeWord(slot, random.nextInt(10) | random.nextInt(8) << 4 | descriptorFields());
      memory.writeWord(slot + 8, random.nextInt(4) == 0 ? random.nextLong() : random.nextLong(RAM));
    }
    if (random.nextInt(8) == 0) {
      unit.write32(Register.GCMD.offset(), 0);
      unit.write64(Register.IQA.offset(), RING | (wide ? 1 << 11 : 0) | random.nextInt(3));
      command();
    }
    unit.write32(Register.FSTS.offset(), (int) FaultStatus.IQE.mask() | random.nextInt(256));
    unit.write64(Register.IQT.offset(), random.nextInt(0x1000 / bytes) * (long) bytes);
  }

  private long descriptorFields() {
    return random.nextInt(4) == 0
        ? random.nextLong() << 16
        : (long) random.nextInt(4) << 16 | (long) random.nextInt(0x200) << 32;
  }

  /** A word that may be an entry of any table. */
  private void editTables() {
    long entry =
        switch (random.nextInt(12)) {
          case 0 -> 0;
          case 1 -> 0xfee0_0087L;
          case 2 -> RAM | 7;
          case 3 -> (long) random.nextInt(4) << 30 | 0x87;
          case 4 -> (long) random.nextInt(8) << 21 | 0x87;
          case 5 -> page() | 1 | random.nextInt(8) << 2 | (long) (1 + random.nextInt(4)) << 6;
          case 6 -> (long) random.nextInt(4) << 8 | 1 + random.nextInt(3);
          case 7 -> (long) random.nextInt(256) << 16 | 1 | (long) random.nextInt(4) << 40;
          default -> page() | 1 | random.nextInt(4) << 1;
        };
    int index = random.nextInt(4) == 0 ? random.nextInt(512) : random.nextInt(9);
    memory.writeWord(page() + index * 8L, entry | oddBits(12));
  }

  private void translate() {
    MemoryRequest request =
        new MemoryRequest(
            requester(), prefix(), iova(), ACCESSES.get(random.nextInt(ACCESSES.size())));
    boolean explained = random.nextInt(8) == 0;
    Optional<Explanation> explanation =
        explained ? Optional.of(unit.explain(request)) : Optional.empty();
    unit.translate(
        request.requester(), request.prefix(), request.iova(), request.access(), translation);
    passed += translation.passed() ? 1 : 0;
    explanation.ifPresent(each -> assertSame(request, each));
  }

  private void assertSame(MemoryRequest request, Explanation explanation) {
    compared++;
    assertThat(explanation.outcome()).as("%s", request).isEqualTo(translation.outcome());
    if (translation.passed()) {
      assertThat(explanation.maddr()).as("%s", request).isEqualTo(translation.maddr());
      assertThat(explanation.page()).as("%s", request).isEqualTo(translation.pageSize());
    } else if (translation.outcome() == Translation.Outcome.FAULTED) {
      assertThat(explanation.reason()).as("%s", request).contains(translation.reason());
      assertThat(explanation.recorded()).as("%s", request).isEqualTo(translation.recorded());
    }
  }

  /** Bytes through the fabric; writes may well hit the tables. */
  private void move() {
    DmaRequester device = new DmaRequester(requester(), Optional.of(unit), true, prefix());
    byte[] bytes = new byte[random.nextInt(4) == 0 ? random.nextInt(9000) : 1 + random.nextInt(16)];
    random.nextBytes(bytes);
    switch (random.nextInt(3)) {
      case 0 -> rootComplex.read(device, iova(), bytes);
      case 1 -> rootComplex.write(device, iova(), bytes);
      default -> {
        byte[] operand = new byte[random.nextBoolean() ? 4 : 8];
        AtomicOperation[] operations = AtomicOperation.values();
        AtomicOperation operation = operations[random.nextInt(operations.length)];
        rootComplex.atomic(device, operation, iova() & ~7L, operand);
      }
    }
  }

  private void interrupt() {
    DmaRequester device = new DmaRequester(requester(), Optional.of(unit), true, prefix());
    long address = 0xfee0_0000L | random.nextInt(0x400) << 2 | (random.nextInt(4) == 0 ? 0 : 0x10);
    rootComplex.interrupt(device, address | oddBits(20), random.nextInt(4) | (int) oddBits(20));
  }

  private void assertConsistent() {
    boolean pending = !unit.faults().isEmpty();
    int status = unit.read32(Register.FSTS.offset());
    assertThat(FaultStatus.PPF.isSet(status)).isEqualTo(pending);
    assertThat(unit.read64(Register.CAP.offset())).isEqualTo(unit.capabilities().cap());
    assertThat(unit.registers()).allMatch(each -> each.bytes() == 8 || each.value() >>> 32 == 0);
    unit.iotlb();
    unit.contextCache();
    unit.queue();
  }

  @Override
  public void close() {
    memory.close();
  }
}
