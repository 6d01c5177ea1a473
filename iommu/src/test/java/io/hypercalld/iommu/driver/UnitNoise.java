package io.hypercalld.iommu.driver;

import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mLookup;
import io.hypercalld.iommu.unit.RemappingUnit;
import io.hypercalld.iommu.vtd.InvalidationQueueFields;
import io.hypercalld.iommu.vtd.Register;
import java.util.List;
import java.util.Set;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;

/**
 * Somebody else at the units' registers and in memory, behind the driver's back: stores of anything
 * to any register, descriptors of any kind in the driver's own rings, words of any kind in guests'
 * memory.
 */
final class UnitNoise {
  /** What says where a unit finds its tables and what it is to do. */
  private static final Set<Register> COMMANDS =
      Set.of(Register.GCMD, Register.RTADDR, Register.IQT, Register.IRTA);

  /** A ring that is no ring has hardware write to any memory. */
  private static final Set<Register> LEFT_ALONE = Set.of(Register.IQA);

  private static final int WINDOW = 0x1000;
  private static final int DESCRIPTOR_BYTES = 16;

  private final SimulatedMachine machine;
  private final List<Domain> guests;
  private final RandomGenerator random;
  private final boolean commands;
  private long strikes;

  /**
   * @param guests in whose memory words change
   * @param commands whether the noise commands units, too, so that they obey the driver no more
   */
  UnitNoise(SimulatedMachine machine, List<Domain> guests, long seed, boolean commands) {
    this.machine = machine;
    this.guests = guests;
    this.random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
    this.commands = commands;
  }

  /** How much was stored. */
  long strikes() {
    return strikes;
  }

  void strike() {
    strikes++;
    RemappingUnit unit = machine.units.get(random.nextInt(machine.units.size()));
    switch (random.nextInt(8)) {
      case 0, 1 -> describe(unit);
      case 2 -> edit();
      default -> store(unit);
    }
  }

  private long anything() {
    return random.nextBoolean() ? random.nextLong() : 1L << random.nextInt(Long.SIZE);
  }

  private void store(RemappingUnit unit) {
    Register[] registers = Register.values();
    int offset =
        random.nextInt(4) == 0
            ? random.nextInt(WINDOW)
            : registers[random.nextInt(registers.length)].offset(unit.capabilities());
    if (isAmong(LEFT_ALONE, unit, offset) || (!commands && isAmong(COMMANDS, unit, offset))) {
      return;
    }
    if (random.nextBoolean()) {
      unit.write64(offset & -Long.BYTES, anything());
    } else {
      unit.write32(offset & -Integer.BYTES, (int) anything());
    }
  }

  private static boolean isAmong(Set<Register> registers, RemappingUnit unit, int offset) {
    return registers.stream()
        .anyMatch(each -> (each.offset(unit.capabilities()) ^ offset) / Long.BYTES == 0);
  }

  /** Status words of waits go to the ring itself, since hardware writes them anywhere. */
  private void describe(RemappingUnit unit) {
    long ring = InvalidationQueueFields.base(unit.read64(Register.IQA.offset()));
    long slot = ring + slot(unit);
    if (ring != 0 && machine.hypervisor.memory().isRam(slot, DESCRIPTOR_BYTES)) {
      long type = 1L + random.nextInt(9);
      machine.hypervisor.memory().writeWord(slot, type | (anything() & -0x10));
      machine.hypervisor.memory().writeWord(slot + Long.BYTES, ring);
    }
  }

  /** The one behind the head is nobody's any more; any other may be the driver's next. */
  private long slot(RemappingUnit unit) {
    return commands
        ? random.nextInt(WINDOW / DESCRIPTOR_BYTES) * (long) DESCRIPTOR_BYTES
        : (unit.read64(Register.IQH.offset()) - DESCRIPTOR_BYTES) & (WINDOW - 1);
  }

  private void edit() {
    if (!guests.isEmpty()) {
      Domain guest = guests.get(random.nextInt(guests.size()));
      P2mLookup page = guest.p2m().lookup(new Gfn(random.nextInt(DriverStorm.PAGES)));
      if (page.isMapped()) {
        long word = random.nextLong(PageSize.SIZE_4K.bytes()) & -Long.BYTES;
        machine.hypervisor.memory().writeWord(page.mfn().maddr() + word, anything());
      }
    }
  }
}
