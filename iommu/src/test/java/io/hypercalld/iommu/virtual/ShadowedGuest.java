package io.hypercalld.iommu.virtual;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.memory.MachineMemory;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.iommu.driver.SimulatedMachine;
import io.hypercalld.iommu.pci.Sbdf;
import io.hypercalld.iommu.vtd.DmaAccess;
import java.util.Arrays;
import java.util.function.LongUnaryOperator;

/**
 * A guest with RAM behind its first frames, tables behind that, and a virtual function whose
 * requests its own unit translates: three levels, in leaves of 4 KiB. Confined to the test's
 * thread.
 */
final class ShadowedGuest implements AutoCloseable {
  static final Sbdf DEVICE = SimulatedMachine.virtualFunction(0);

  /** Another of its devices, whose context entry has its requests pass. */
  static final Sbdf UNTRANSLATED = SimulatedMachine.virtualFunction(1);

  /** Where the guest sees the first. */
  static final Sbdf SEEN = new Sbdf(0, 0, 4, 0);

  static final DmaAccess READ = DmaAccess.READ;
  static final int DOMAIN_ID = 7;
  private static final int PER_TABLE = 512;
  private static final int DEVFN = 4 << 3;
  private static final int NEXT_SLOT = 8 * 16;
  private static final long PASS = 2;
  private static final long BOTH = 3;
  private static final long BYTES = 4096;

  final SimulatedMachine machine;
  final VirtualIommu iommu;
  final Domain domain;
  final int pages;
  private final MachineMemory memory;
  private final long tables;
  private final long[] words = new long[PER_TABLE];
  private long tail;

  /**
   * A guest whose table has room for its RAM.
   *
   * @param pages of RAM, a multiple of 512
   */
  ShadowedGuest(SimulatedMachine machine, int pages) {
    this.machine = machine;
    this.pages = pages;
    this.memory = machine.hypervisor.memory();
    this.tables = pages + 16L;
    VirtualIommus iommus = new VirtualIommus(machine.hypervisor, machine.driver);
    this.domain = machine.guest((int) tables + 6 + pages / PER_TABLE);
    this.iommu = iommus.of(domain);
    iommu.create(
        new VirtualUnitSettings(
            VirtualUnitSettings.USUAL_BASE, false, true, true, ShadowSync.STRICT));
    machine.assign(DEVICE, domain);
    machine.assign(UNTRANSLATED, domain);
    link();
  }

  private void link() {
    for (int i = 0; i < pages / PER_TABLE; i++) {
      store(gpa(2 + i / PER_TABLE) + i % PER_TABLE * 8L, gpa(6 + i) | BOTH);
      store(gpa(1) + i / PER_TABLE * 8L, gpa(2 + i / PER_TABLE) | BOTH);
    }
    store(context(), gpa(1) | 1);
    store(context() + 8, 1 | DOMAIN_ID << 8);
    store(context() + NEXT_SLOT, 1 | PASS << 2);
    store(context() + NEXT_SLOT + 8, 2 | DOMAIN_ID << 8);
    store(gpa(0), (context() & -BYTES) | 1);
    register(0x90, queue());
    register(0x20, gpa(0));
    register(0x18, 1L << 26);
    register(0x18, 1L << 26 | 1L << 30);
  }

  private long context() {
    return (pages * BYTES) + DEVFN * 16;
  }

  private long queue() {
    return (pages + 1) * BYTES;
  }

  /** The first address of one of the tables. */
  private long gpa(long table) {
    return (tables + table) * BYTES;
  }

  /** Has devices go through the guest's unit: the first time, a shadow is built. */
  void translate(boolean on) {
    register(0x18, 1L << 26 | (on ? 1L << 31 : 0));
  }

  /** Has all pages lead where a function says, for reading and writing. */
  void map(LongUnaryOperator gfn) {
    for (int page = 0; page < pages; page += PER_TABLE) {
      for (int i = 0; i < PER_TABLE; i++) {
        words[i] = gfn.applyAsLong((long) page + i) * BYTES | BOTH;
      }
      memory.writeWords(maddr(gpa(6 + page / PER_TABLE)), words, PER_TABLE);
    }
  }

  /** The guest frame of the table that has the entries of a block. */
  long tableFrame(long block) {
    return gpa(6 + block) / BYTES;
  }

  /** Has every entry of the top table lead to the top table. */
  void leadTopToItself() {
    Arrays.fill(words, gpa(1) | BOTH);
    memory.writeWords(maddr(gpa(1)), words, PER_TABLE);
  }

  /** Has a block of 512 pages lead nowhere. */
  void clear(long block) {
    Arrays.fill(words, 0);
    memory.writeWords(maddr(gpa(6 + block)), words, PER_TABLE);
  }

  /** Has one page lead to a guest frame. */
  void map(long page, long gfn) {
    store(gpa(6 + page / PER_TABLE) + page % PER_TABLE * 8, gfn * BYTES | BOTH);
  }

  /** The guest has all translations of its table forgotten. */
  void forgetAll() {
    submit(0x22 | (long) DOMAIN_ID << 16, 0);
  }

  /**
   * The guest has translations of pages forgotten.
   *
   * @param mask log2 of their number
   */
  void forget(long page, int mask) {
    submit(0x32 | (long) DOMAIN_ID << 16, page * BYTES | mask);
  }

  private void submit(long lo, long hi) {
    store(queue() + tail, lo);
    store(queue() + tail + 8, hi);
    tail = (tail + 16) % BYTES;
    register(0x88, tail);
  }

  private void register(int offset, long value) {
    iommu.writeRegister(new Word(offset), offset == 0x18 ? 4 : 8, new Word(value));
  }

  private void store(long gpa, long word) {
    memory.writeWord(maddr(gpa), word);
  }

  private long maddr(long gpa) {
    return domain.p2m().lookup(new Gfn(gpa / BYTES)).mfn().maddr() + gpa % BYTES;
  }

  @Override
  public void close() {
    machine.close();
  }
}
