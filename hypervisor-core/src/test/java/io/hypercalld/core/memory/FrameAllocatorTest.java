package io.hypercalld.core.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.hypercalld.core.SimulatedHost;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class FrameAllocatorTest {
  private static final long GIB = 1L << 30;

  /** First frame of the high memory, which is free in whole blocks of 1 GiB. */
  private static final long HIGH = MemoryMap.FOUR_GIB >>> 12;

  private final MachineMemory memory = new MachineMemory(MemoryMap.of(4 * GIB, 2 * GIB, List.of()));
  private final FrameTable frames = new FrameTable(memory);
  private final FrameAllocator allocator = new FrameAllocator(memory, frames);

  @AfterEach
  void release() {
    memory.close();
  }

  private String digest() {
    return SimulatedHost.digest(frames) + SimulatedHost.digest(allocator);
  }

  @Test
  void newMachine_hasAllRamFreeButWhatFirmwareKeeps() {
    assertThat(allocator.totalFrames()).isEqualTo(((4 * GIB) >> 12) - 0x60);
    assertThat(allocator.freeFrames()).isEqualTo(allocator.totalFrames());
    assertThat(frames.use(0xa0)).isEqualTo(FrameUse.FIRMWARE);
    assertThat(frames.use(0xff)).isEqualTo(FrameUse.FIRMWARE);
    assertThat(frames.use(0x100)).isEqualTo(FrameUse.FREE);
    assertThat(frames.owner(0xa0)).isEqualTo(FrameTable.NO_OWNER);
  }

  @Test
  void allocate_takesTheLowestBlockOfTheSmallestKindThatFits() {
    assertThat(allocator.allocate(PageSize.SIZE_4K, 1, FrameUse.GUEST_RAM)).isZero();
    assertThat(allocator.allocate(PageSize.SIZE_4K, 1, FrameUse.GUEST_RAM)).isEqualTo(1);
    assertThat(allocator.allocate(PageSize.SIZE_2M, 1, FrameUse.GUEST_RAM)).isEqualTo(0x200);
    assertThat(allocator.allocate(PageSize.SIZE_1G, 1, FrameUse.GUEST_RAM)).isEqualTo(0x4_0000);
    assertThat(allocator.allocate(PageSize.SIZE_1G, 1, FrameUse.GUEST_RAM)).isEqualTo(HIGH);
  }

  @Test
  void allocate_beyondWhatIsFree_isRefusedAndChangesNothing() {
    while (allocator.hasBlock(PageSize.SIZE_1G)) {
      allocator.allocate(PageSize.SIZE_1G, 1, FrameUse.GUEST_RAM);
    }
    String before = digest();

    assertThatThrownBy(() -> allocator.allocate(PageSize.SIZE_1G, 1, FrameUse.GUEST_RAM))
        .isInstanceOfSatisfying(
            Refusal.class, refusal -> assertThat(refusal.errno()).isEqualTo(Errno.ENOMEM));

    assertThat(digest()).isEqualTo(before);
  }

  @Test
  void free_ofTheLastPart_joinsTheBlockAgain() {
    String before = digest();
    long block = allocator.allocate(PageSize.SIZE_1G, 3, FrameUse.GUEST_RAM);

    for (long part = 0; part < 512; part++) {
      allocator.free(block + part * 512, PageSize.SIZE_2M);
    }

    assertThat(digest()).isEqualTo(before);
    assertThat(allocator.allocate(PageSize.SIZE_1G, 3, FrameUse.GUEST_RAM)).isEqualTo(block);
  }

  @Test
  void free_scrubs() {
    long mfn = allocator.allocate(PageSize.SIZE_4K, 1, FrameUse.GUEST_RAM);
    memory.writeWord(mfn << 12, 42);

    allocator.free(mfn);

    assertThat(memory.readWord(mfn << 12)).isZero();
    assertThat(memory.touchedFrames()).isZero();
  }

  @Test
  void free_ofWhatIsFree_isABug() {
    long mfn = allocator.allocate(PageSize.SIZE_4K, 1, FrameUse.GUEST_RAM);
    allocator.free(mfn);

    assertThatThrownBy(() -> allocator.free(mfn)).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> allocator.free(0xa0)).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void allocate_ofAnOrderInBetween_isAligned() {
    allocator.allocate(PageSize.SIZE_4K, 1, FrameUse.GUEST_RAM);

    long eight = allocator.allocate(3, Long.MAX_VALUE, 1, FrameUse.GUEST_RAM);
    long fourMib = allocator.allocate(10, Long.MAX_VALUE, 1, FrameUse.GUEST_RAM);

    assertThat(eight).isEqualTo(8);
    assertThat(fourMib).isEqualTo(0x400);
    assertThat(frames.owner(fourMib + 1023)).isEqualTo(1);
    assertThat(frames.use(fourMib + 1024)).isEqualTo(FrameUse.FREE);
  }

  @Test
  void allocate_belowALimit_refusesWhatIsAbove() {
    allocator.allocate(PageSize.SIZE_1G, 1, FrameUse.GUEST_RAM);

    assertThatThrownBy(() -> allocator.allocate(18, HIGH, 1, FrameUse.GUEST_RAM))
        .isInstanceOf(Refusal.class);
    assertThat(allocator.allocate(9, 0x400, 1, FrameUse.GUEST_RAM)).isEqualTo(0x200);
    assertThatThrownBy(() -> allocator.allocate(9, 0x400, 1, FrameUse.GUEST_RAM))
        .isInstanceOf(Refusal.class);
  }

  @Test
  void run_isWhatSingleFramesWouldHaveBeen() {
    FrameRun low = allocator.allocateRun(PageSize.SIZE_4K, 1000, 1, FrameTable.INVALID_M2P);
    FrameRun next = allocator.allocateRun(PageSize.SIZE_4K, 1000, 1, FrameTable.INVALID_M2P);
    FrameRun third = allocator.allocateRun(PageSize.SIZE_4K, 1000, 1, FrameTable.INVALID_M2P);
    FrameRun part = allocator.allocateRun(PageSize.SIZE_4K, 10, 1, FrameTable.INVALID_M2P);

    assertThat(low).isEqualTo(new FrameRun(0, 0xa0));
    assertThat(next).isEqualTo(new FrameRun(0x100, 0x100));
    assertThat(third).isEqualTo(new FrameRun(0x200, 0x200));
    assertThat(part).isEqualTo(new FrameRun(0x400, 10));
    assertThat(allocator.allocate(PageSize.SIZE_4K, 1, FrameUse.GUEST_RAM)).isEqualTo(0x40a);
  }

  @Test
  void runOfBlocks_isWhatSingleBlocksWouldHaveBeen() {
    FrameRun low = allocator.allocateRun(PageSize.SIZE_2M, 600, 1, 0x4000);
    FrameRun next = allocator.allocateRun(PageSize.SIZE_2M, 3, 1, FrameTable.INVALID_M2P);

    assertThat(low.mfn()).isEqualTo(0x200);
    assertThat(low.count() % 512).isZero();
    assertThat(frames.m2p(low.mfn() + low.count() - 1)).isEqualTo(0x4000 + low.count() - 1);
    assertThat(next.mfn()).isGreaterThanOrEqualTo(low.mfn() + low.count());
    assertThat(next.count()).isEqualTo(3 * 512);
    assertThat(frames.owner(next.mfn() + 3 * 512 - 1)).isEqualTo(1);
    assertThat(frames.use(next.mfn() + 3 * 512)).isEqualTo(FrameUse.FREE);
  }

  @Test
  void m2p_ofABlockMappedInParts_isEachPartsOwn() {
    long block = allocator.allocate(PageSize.SIZE_1G, 1, FrameUse.GUEST_RAM);
    frames.setM2p(block, 18, 0x10_0000);

    frames.setM2p(block + 5, 0, 0x7777);
    frames.clearM2p(block + 512, 9);

    assertThat(frames.m2p(block + 4)).isEqualTo(0x10_0004);
    assertThat(frames.m2p(block + 5)).isEqualTo(0x7777);
    assertThat(frames.m2p(block + 511)).isEqualTo(0x10_01ff);
    assertThat(frames.m2p(block + 512)).isEqualTo(FrameTable.INVALID_M2P);
    assertThat(frames.m2p(block + 1024)).isEqualTo(0x10_0400);
    assertThat(frames.m2p(block + 0x3_ffff)).isEqualTo(0x13_ffff);
    assertThat(frames.owner(block + 5)).isEqualTo(1);
  }

  @Test
  void digest_ofADividedBlockThatIsAlikeAgain_isAsBefore() {
    long block = allocator.allocate(PageSize.SIZE_1G, 1, FrameUse.GUEST_RAM);
    frames.setM2p(block, 18, 0x10_0000);
    String before = digest();

    frames.setM2p(block + 5, 0, 0x7777);
    assertThat(digest()).isNotEqualTo(before);
    frames.setM2p(block + 5, 0, 0x10_0005);

    assertThat(digest()).isEqualTo(before);
  }

  @Test
  void reference_keepsTheOthersOfTheBlockAsTheyAre() {
    long block = allocator.allocate(PageSize.SIZE_2M, 1, FrameUse.GUEST_RAM);

    assertThat(frames.takeReference(block + 7, 2)).isFalse();
    assertThat(frames.takeReference(block + 7, 1)).isTrue();

    assertThat(frames.references(block + 7)).isEqualTo(2);
    assertThat(frames.references(block + 8)).isEqualTo(1);
    assertThat(frames.putAllocation(block + 7)).isEqualTo(1);
    assertThat(frames.isAllocated(block + 7)).isFalse();
    assertThat(frames.putReference(block + 7)).isZero();
    assertThatThrownBy(() -> frames.putReference(block + 7))
        .isInstanceOf(IllegalStateException.class);
  }

  @Test
  void contains_ofAnyNumber_isAnswered() {
    assertThat(frames.contains(0)).isTrue();
    assertThat(frames.contains(-1)).isFalse();
    assertThat(frames.contains(HIGH - 1)).isFalse();
    assertThat(frames.contains(1L << 52)).isFalse();
    assertThat(frames.contains(Long.MAX_VALUE)).isFalse();
  }

  @Test
  void randomAllocations_neverOverlapAndAllComeBack() {
    RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(11);
    String before = digest();
    int[] owners = new int[Math.toIntExact((6 * GIB) >> 12)];
    List<long[]> held = new ArrayList<>();

    for (int step = 0; step < 3000; step++) {
      if (random.nextInt(5) < 3) {
        hold(random, owners, held);
      } else if (!held.isEmpty()) {
        letGo(held.remove(random.nextInt(held.size())), owners);
      }
    }
    for (long mfn = 0; mfn < owners.length; mfn++) {
      assertThat(Math.max(0, frames.owner(mfn))).isEqualTo(owners[(int) mfn]);
    }
    held.forEach(block -> letGo(block, owners));

    assertThat(digest()).isEqualTo(before);
  }

  private void hold(RandomGenerator random, int[] owners, List<long[]> held) {
    int order = random.nextInt(8) == 0 ? random.nextInt(16) : random.nextInt(2) * 9;
    int owner = 1 + random.nextInt(3);
    try {
      long mfn = allocator.allocate(order, Long.MAX_VALUE, owner, FrameUse.GUEST_RAM);
      assertThat(mfn & ((1L << order) - 1)).isZero();
      for (long frame = mfn; frame < mfn + (1L << order); frame++) {
        assertThat(owners[(int) frame]).isZero();
      }
      Arrays.fill(owners, (int) mfn, (int) (mfn + (1L << order)), owner);
      held.add(new long[] {mfn, 1L << order});
    } catch (Refusal refusal) {
      assertThat(refusal.errno()).isEqualTo(Errno.ENOMEM);
    }
  }

  private void letGo(long[] block, int[] owners) {
    Arrays.fill(owners, (int) block[0], (int) (block[0] + block[1]), 0);
    allocator.free(block[0], block[1]);
  }
}
