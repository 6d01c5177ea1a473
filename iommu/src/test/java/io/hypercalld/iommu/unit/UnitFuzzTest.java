package io.hypercalld.iommu.unit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import io.hypercalld.iommu.vtd.Capabilities;
import io.hypercalld.iommu.vtd.CapabilityFields;
import io.hypercalld.iommu.vtd.DmaAccess;
import io.hypercalld.iommu.vtd.FaultRecord;
import io.hypercalld.iommu.vtd.FaultStatus;
import io.hypercalld.iommu.vtd.GlobalCommand;
import io.hypercalld.iommu.vtd.InvalidationQueueFields;
import io.hypercalld.iommu.vtd.Register;
import java.time.Duration;
import java.util.List;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Any stores to registers, descriptors and tables: nothing escapes, nothing hangs. */
final class UnitFuzzTest {
  private static final List<DmaAccess> ACCESSES = List.of(DmaAccess.values());
  private static final long RING = 0x20_0000L;

  private static void storeAnything(SimulatedUnit it, RandomGenerator random) {
    int offset = random.nextInt(-64, 0x1100);
    long value = random.nextLong() & (random.nextBoolean() ? -1L : random.nextLong());
    if (random.nextBoolean()) {
      it.unit.write32(offset & ~3, (int) value);
      it.unit.read32(offset);
    } else {
      it.unit.write64(offset & ~7, value);
      it.unit.read64(offset);
    }
  }

  private static void driveQueue(SimulatedUnit it, RandomGenerator random) {
    long slot = RING + random.nextInt(256) * 16L;
    long noise = random.nextInt(4) == 0 ? random.nextLong() : 0;
    it.memory.writeWord(slot, noise | random.nextInt(256));
    it.memory.writeWord(slot + 8, random.nextLong(SimulatedUnit.RAM_BYTES * 2));
    it.unit.write64(Register.IQA.offset(), InvalidationQueueFields.ring(RING, 0));
    it.command(GlobalCommand.QIE, random.nextInt(4) != 0);
    it.unit.write64(Register.IQT.offset(), random.nextInt(256) * 16L);
    it.unit.write32(Register.FSTS.offset(), random.nextInt(256));
  }

  private static void assertConsistent(SimulatedUnit it) {
    boolean pending = !it.unit.faults().isEmpty();
    assertThat(FaultStatus.PPF.isSet(it.status())).isEqualTo(pending);
    assertThat(it.unit.registers())
        .noneMatch(
            reading ->
                (int) reading.value() != reading.value()
                    && reading.bytes() == 4
                    && reading.value() >>> 32 != 0);
    assertThat(it.unit.read64(Register.CAP.offset())).isEqualTo(it.unit.capabilities().cap());
    it.unit.iotlb();
    it.unit.contextCache();
    it.unit.queue();
    FaultRecord first = it.record(0);
    assertThat(first.decode()).containsKey("SID");
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6})
  void anyStores_leaveAUnitThatAnswers(long seed) {
    Capabilities capabilities =
        new Capabilities(
            CapabilityFields.CM.put(SimulatedUnit.MODEL.cap(), seed & 1),
            SimulatedUnit.MODEL.ecap());
    Assertions.assertTimeoutPreemptively(
        Duration.ofSeconds(60),
        () -> {
          try (var it = SimulatedUnit.on(capabilities)) {
            RandomTables tables = new RandomTables(it, seed);
            assertThatCode(() -> run(it, tables)).doesNotThrowAnyException();
            assertConsistent(it);
          }
        });
  }

  private static void run(SimulatedUnit it, RandomTables tables) {
    RandomGenerator random = tables.random;
    for (int each = 0; each < 30_000; each++) {
      switch (random.nextInt(8)) {
        case 0, 1 -> storeAnything(it, random);
        case 2 -> driveQueue(it, random);
        case 3 -> tables.edit();
        case 4 -> it.unit.explain(tables.requester(), tables.iova(), access(random));
        default -> it.translate(tables.requester(), tables.iova(), access(random));
      }
      if (random.nextInt(1000) == 0) {
        it.unit.reset();
        assertConsistent(it);
        it.start();
      }
    }
  }

  private static DmaAccess access(RandomGenerator random) {
    return ACCESSES.get(random.nextInt(ACCESSES.size()));
  }
}
