package io.hypercalld.iommu.unit;

import static io.hypercalld.iommu.unit.SimulatedUnit.DOMAIN;
import static io.hypercalld.iommu.unit.SimulatedUnit.READ;
import static io.hypercalld.iommu.unit.SimulatedUnit.X;
import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.core.memory.PageSize;
import io.hypercalld.iommu.unit.DmaOutcome.Verdict;
import io.hypercalld.iommu.vtd.AddressWidth;
import io.hypercalld.iommu.vtd.ContextEntry;
import io.hypercalld.iommu.vtd.FaultReason;
import io.hypercalld.iommu.vtd.GlobalCommand;
import io.hypercalld.iommu.vtd.InterruptMessage;
import io.hypercalld.iommu.vtd.IotlbCommand;
import io.hypercalld.iommu.vtd.Register;
import java.util.Arrays;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** DMA from a device, bytes and all. */
final class RootComplexTest {
  private final SimulatedUnit machine = SimulatedUnit.on();
  private final RootComplex rootComplex = new RootComplex(machine.memory, machine.messages::add);
  private final DmaRequester device = new DmaRequester(X, Optional.of(machine.unit), true);

  @AfterEach
  void close() {
    machine.close();
  }

  private static byte[] bytes(int length) {
    byte[] bytes = new byte[length];
    RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(length);
    random.nextBytes(bytes);
    return bytes;
  }

  private static byte[] ones(int length) {
    byte[] ones = new byte[length];
    Arrays.fill(ones, (byte) 0xff);
    return ones;
  }

  private byte[] memory(long maddr, int length) {
    byte[] bytes = new byte[length];
    machine.memory.read(maddr, bytes, 0, length);
    return bytes;
  }

  @Test
  void write_acrossPages_landsWhereEachPageMaps() {
    machine.map(0x5000, 0x9000);
    machine.map(0x6000, 0x3000);
    byte[] source = bytes(0x1800);

    DmaOutcome outcome = rootComplex.write(device, 0x5800, source);

    assertThat(outcome.verdict()).isEqualTo(Verdict.DONE);
    assertThat(outcome.segments())
        .containsExactly(
            new DmaSegment(
                0x5800, 0x800, new DmaSegment.Moved(0x9800, PageSize.SIZE_4K, false, false)),
            new DmaSegment(
                0x6000, 0x1000, new DmaSegment.Moved(0x3000, PageSize.SIZE_4K, false, true)));
    assertThat(memory(0x9800, 0x800)).isEqualTo(Arrays.copyOf(source, 0x800));
    assertThat(memory(0x3000, 0x1000)).isEqualTo(Arrays.copyOfRange(source, 0x800, 0x1800));
  }

  @Test
  void read_afterWrite_givesTheBytesBack() {
    machine.map(0x5000, 0x9000);
    byte[] source = bytes(100);
    byte[] target = new byte[100];

    rootComplex.write(device, 0x5ffc - 100, source);
    DmaOutcome outcome = rootComplex.read(device, 0x5ffc - 100, target);

    assertThat(target).isEqualTo(source);
    assertThat(outcome.segments())
        .extracting(DmaSegment::end)
        .containsExactly(new DmaSegment.Moved(0x9f98, PageSize.SIZE_4K, true, true));
  }

  @Test
  void b59_burstIntoAnUnmappedPage_movesTheFirstPage() {
    machine.map(0x5000, 0x9000);
    byte[] source = bytes(0x2000);

    DmaOutcome outcome = rootComplex.write(device, 0x5000, source);

    assertThat(outcome.verdict()).isEqualTo(Verdict.PARTIAL);
    assertThat(outcome.segments().getLast())
        .isEqualTo(
            new DmaSegment(
                0x6000, 0x1000, new DmaSegment.Faulted(FaultReason.WRITE_NOT_PERMITTED, true)));
    assertThat(memory(0x9000, 0x1000)).isEqualTo(Arrays.copyOf(source, 0x1000));
    assertThat(machine.record(0).iova()).isEqualTo(0x6000);
  }

  @Test
  void pagesBehindABlockedOne_areRequestsOfTheirOwn() {
    machine.map(0x6000, 0x9000);
    machine.memory.writeWord(0x9000, 0x1122_3344_5566_7788L);
    byte[] target = new byte[0x1008];

    DmaOutcome outcome = rootComplex.read(device, 0x5000, target);

    assertThat(outcome.verdict()).isEqualTo(Verdict.PARTIAL);
    assertThat(Arrays.copyOf(target, 0x1000)).isEqualTo(ones(0x1000));
    assertThat(Arrays.copyOfRange(target, 0x1000, 0x1008)).isEqualTo(memory(0x9000, 8));
  }

  @Test
  void faultedWrite_hasNoSideEffect() {
    machine.map(0x5000, 0x9000, READ);

    DmaOutcome outcome = rootComplex.write(device, 0x5000, bytes(8));

    assertThat(outcome.verdict()).isEqualTo(Verdict.BLOCKED);
    assertThat(memory(0x9000, 8)).containsOnly(0);
  }

  @Test
  void overflowingFaults_areSaidToBeUnrecorded() {
    DmaOutcome outcome = rootComplex.read(device, 0, new byte[10 * 0x1000]);

    assertThat(outcome.segments())
        .extracting(segment -> ((DmaSegment.Faulted) segment.end()).recorded())
        .containsExactly(true, true, true, true, true, true, true, true, false, false);
  }

  @Test
  void b61_writeToTheInterruptRange_isAMessage() {
    machine.map(0xfee0_1000L, 0x9000);

    DmaOutcome outcome = rootComplex.write(device, 0xfee0_1004L, new byte[] {0x41, 0, 0x12, 0});

    assertThat(outcome.segments())
        .containsExactly(
            new DmaSegment(
                0xfee0_1004L,
                4,
                new DmaSegment.Interrupt(
                    new InterruptOutcome.Delivered(
                        InterruptMessage.written(0xfee0_1004L, 0x12_0041), OptionalInt.empty()))));
    assertThat(machine.messages).containsExactly(InterruptMessage.written(0xfee0_1004L, 0x12_0041));
    assertThat(machine.unit.iotlb()).isEmpty();
    assertThat(machine.status()).isZero();
  }

  @Test
  void b60_passThrough_stillMeetsTheInterruptRange() {
    machine.context(X, ContextEntry.passingThrough(AddressWidth.BITS_48, DOMAIN));

    rootComplex.write(device, 0xfeef_fffcL, new byte[4]);

    assertThat(machine.messages).hasSize(1);
  }

  @Test
  void b62_readOfTheInterruptRange_isUnsupported() {
    byte[] target = new byte[4];

    DmaOutcome outcome = rootComplex.read(device, 0xfee0_0000L, target);

    assertThat(outcome.segments().getFirst().end()).isInstanceOf(DmaSegment.Unsupported.class);
    assertThat(target).isEqualTo(ones(4));
    assertThat(machine.status()).isZero();
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 3, 5, 8, 4096})
  void messageOfAnotherLength_isUnsupported(int length) {
    DmaOutcome outcome = rootComplex.write(device, 0xfee0_0000L, new byte[length]);

    assertThat(outcome.verdict()).isEqualTo(Verdict.BLOCKED);
    assertThat(machine.messages).isEmpty();
  }

  @Test
  void noBusMaster_nothingLeavesTheDevice() {
    DmaRequester silent = new DmaRequester(X, Optional.of(machine.unit), false);
    machine.map(0x5000, 0x9000);

    assertThat(rootComplex.write(silent, 0x5000, bytes(8)).verdict()).isEqualTo(Verdict.BLOCKED);
    assertThat(rootComplex.write(silent, 0xfee0_0000L, new byte[4]).verdict())
        .isEqualTo(Verdict.BLOCKED);
    assertThat(machine.messages).isEmpty();
    assertThat(machine.unit.counters().contextMisses()).isZero();
  }

  @Test
  void requesterWithoutUnit_passesUntranslated() {
    DmaRequester direct = new DmaRequester(X, Optional.empty(), true);

    DmaOutcome outcome = rootComplex.write(direct, 0x12_3000, bytes(16));

    assertThat(outcome.verdict()).isEqualTo(Verdict.DONE);
    assertThat(memory(0x12_3000, 16)).isEqualTo(bytes(16));
  }

  @Test
  void outputOutsideMemory_isAMasterAbortAndNoFault() {
    machine.map(0x5000, SimulatedUnit.BEYOND_RAM);
    byte[] target = new byte[8];

    DmaOutcome outcome = rootComplex.read(device, 0x5008, target);

    assertThat(outcome.segments().getFirst().end())
        .isEqualTo(new DmaSegment.MasterAbort(SimulatedUnit.BEYOND_RAM + 8));
    assertThat(target).isEqualTo(ones(8));
    assertThat(machine.status()).isZero();
  }

  @Test
  void protectedRegion_isItsOwnEnd() {
    machine.map(0x5000, 0x100_0000);
    machine.unit.write32(Register.PLMBASE.offset(), 0x100_0000);
    machine.unit.write32(Register.PLMLIMIT.offset(), 0x100_0000);
    machine.unit.write32(Register.PMEN.offset(), 0x8000_0000);

    assertThat(rootComplex.write(device, 0x5000, bytes(8)).segments())
        .containsExactly(new DmaSegment(0x5000, 8, new DmaSegment.Protected()));
  }

  @Test
  void emptyRead_isARequestWithoutBytes() {
    machine.map(0x5000, 0x9000, SimulatedUnit.WRITE);

    assertThat(rootComplex.read(device, 0x5000, new byte[0]).verdict()).isEqualTo(Verdict.DONE);
    assertThat(rootComplex.write(device, 0x6000, new byte[0]).verdict()).isEqualTo(Verdict.BLOCKED);
  }

  @Test
  void rangeBeyondTheEnd_isNotCarried() {
    machine.command(GlobalCommand.TE, false);

    DmaOutcome outcome = rootComplex.read(device, -8L, new byte[16]);

    assertThat(outcome.segments()).hasSize(2);
    assertThat(outcome.segments().getFirst().end()).isInstanceOf(DmaSegment.MasterAbort.class);
    assertThat(outcome.segments().getLast().end()).isInstanceOf(DmaSegment.Unsupported.class);
  }

  @Test
  void largeDma_isMovedPageByPage() {
    machine.put(0x20_0000, 2, 0x40_0000 | 0x83);
    byte[] source = bytes(0x20_0000);

    DmaOutcome outcome = rootComplex.write(device, 0x20_0000, source);

    assertThat(outcome.segments()).hasSize(512);
    assertThat(outcome.verdict()).isEqualTo(Verdict.DONE);
    assertThat(memory(0x40_0000, 0x20_0000)).isEqualTo(source);
    assertThat(machine.unit.iotlb()).hasSize(1);
  }

  @Test
  void atomic_exchangesInOneStep() {
    machine.map(0x5000, 0x9000);
    machine.memory.writeWord(0x9008, 0xffff_ffff_0000_0005L);
    byte[] operand = {3, 0, 0, 0};
    byte[] wide = {7, 0, 0, 0, 0, 0, 0, 0};

    rootComplex.atomic(device, AtomicOperation.FETCH_ADD, 0x5008, operand);
    assertThat(operand).containsExactly(5, 0, 0, 0);
    assertThat(machine.memory.readWord(0x9008)).isEqualTo(0xffff_ffff_0000_0008L);

    rootComplex.atomic(device, AtomicOperation.SWAP, 0x5008, wide);
    assertThat(machine.memory.readWord(0x9008)).isEqualTo(7);
    assertThat(wide).containsExactly(8, 0, 0, 0, -1, -1, -1, -1);
  }

  @Test
  void atomic_misalignedOrBlocked_readsOnes() {
    machine.map(0x5000, 0x9000, READ);
    byte[] operand = {3, 0, 0, 0};
    byte[] odd = {3, 0, 0};

    DmaOutcome blocked = rootComplex.atomic(device, AtomicOperation.FETCH_ADD, 0x5000, operand);
    DmaOutcome misaligned = rootComplex.atomic(device, AtomicOperation.FETCH_ADD, 0x5000, odd);

    assertThat(operand).isEqualTo(ones(4));
    assertThat(blocked.segments().getFirst().end())
        .isEqualTo(new DmaSegment.Faulted(FaultReason.WRITE_NOT_PERMITTED, true));
    assertThat(misaligned.segments().getFirst().end()).isInstanceOf(DmaSegment.Unsupported.class);
  }

  @Test
  void b103_writeBeforeTheInvalidation_hasLanded() {
    machine.map(0x5000, 0x9000);

    rootComplex.write(device, 0x5000, bytes(8));
    machine.put(0x5000, 1, 0);
    machine.iotlbCommand(IotlbCommand.domain(DOMAIN));

    assertThat(memory(0x9000, 8)).isEqualTo(bytes(8));
    assertThat(rootComplex.write(device, 0x5000, bytes(16)).verdict()).isEqualTo(Verdict.BLOCKED);
  }
}
