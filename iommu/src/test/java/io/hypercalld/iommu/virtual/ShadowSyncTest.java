package io.hypercalld.iommu.virtual;

import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.iommu.driver.SimulatedMachine;
import io.hypercalld.iommu.unit.DmaOutcome;
import io.hypercalld.iommu.unit.DmaSegment;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What bringing a shadow into step reads, writes and leaves alone. */
class ShadowSyncTest {
  private static final int PAGES = 1 << 14;
  private static final long IDENTITY_TABLES = 4 + PAGES / 512;

  private final ShadowedGuest guest = new ShadowedGuest(SimulatedMachine.boot(), PAGES);

  @AfterEach
  void close() {
    assertThat(guest.machine.violations()).isEmpty();
    guest.close();
  }

  private ShadowReport report() {
    return guest.iommu.report().orElseThrow();
  }

  private long entriesRead(Runnable change) {
    long before = report().counters().entryReads();
    change.run();
    return report().counters().entryReads() - before;
  }

  /** Entries that the shadow's table had written. */
  private long entriesWritten(Runnable change) {
    long before = report().spaces().getFirst().costs().entryWrites();
    change.run();
    return report().spaces().getFirst().costs().entryWrites() - before;
  }

  private void shadowIdentity() {
    guest.map(page -> page);
    guest.translate(true);
  }

  /** Neighbours lead far apart. */
  private static long scattered(long page) {
    return page * 4097 % PAGES;
  }

  @Test
  void pageInvalidation_readsThePagesNamedAndTheTablesAboveThem() {
    shadowIdentity();
    guest.map(700, 701);
    assertThat(entriesRead(() -> guest.forget(700, 0))).isEqualTo(3);
    assertThat(entriesRead(() -> guest.forget(512, 9))).isEqualTo(2 + 512);
    assertThat(entriesRead(guest::forgetAll)).isGreaterThan(PAGES);
    assertThat(report().violations()).isEmpty();
  }

  @Test
  void syncOfWhatHasNotChanged_writesNothing() {
    guest.map(ShadowSyncTest::scattered);
    guest.translate(true);

    assertThat(entriesWritten(guest::forgetAll)).isZero();
  }

  @Test
  void syncOfOnePage_writesOneEntry() {
    guest.map(ShadowSyncTest::scattered);
    guest.translate(true);
    guest.map(1000, 3);

    assertThat(entriesWritten(guest::forgetAll)).isEqualTo(1);
    assertThat(report().violations()).isEmpty();
  }

  @Test
  void p2mChange_writesThePagesThatLeadThere_andReadsNoTableOfTheGuest() {
    guest.map(ShadowSyncTest::scattered);
    guest.map(9, scattered(5000));
    guest.translate(true);
    long gfn = scattered(5000);

    assertThat(
            entriesRead(
                () ->
                    assertThat(entriesWritten(() -> guest.machine.remove(guest.domain, gfn)))
                        .isEqualTo(2)))
        .isZero();
    assertThat(entriesWritten(() -> guest.machine.add(guest.domain, gfn))).isEqualTo(2);
    assertThat(report().violations()).isEmpty();
  }

  @Test
  void p2mChange_ofWhatNothingLeadsTo_touchesNoShadow() {
    guest.map(page -> page % 512);
    guest.translate(true);
    long syncs = report().counters().syncs().getOrDefault(SyncTrigger.P2M, 0L);

    guest.machine.remove(guest.domain, 600);

    assertThat(report().counters().syncs().getOrDefault(SyncTrigger.P2M, 0L)).isEqualTo(syncs);
  }

  @Test
  void tables_areAsManyAsTheLeavesTake() {
    shadowIdentity();
    guest.map(ShadowSyncTest::scattered);
    guest.forgetAll();
    assertThat(report().tables()).isEqualTo(3 + PAGES / 512);

    guest.map(page -> page + 1);
    guest.forgetAll();
    assertThat(report().violations()).isEmpty();
    assertThat(report().pages()).isEqualTo(PAGES);

    for (int block = 0; block < PAGES / 512; block++) {
      guest.clear(block);
    }
    guest.forgetAll();
    assertThat(report().tables()).isLessThan(IDENTITY_TABLES - PAGES / 512);
    assertThat(report().pages()).isZero();
  }

  /** It goes, is noticed to be gone, and is noticed to have come back. */
  @Test
  void tableOfTheGuest_thatComesBack_isReadAgain() {
    shadowIdentity();
    long table = guest.tableFrame(0);

    guest.machine.remove(guest.domain, table);
    assertThat(report().pages()).isEqualTo(PAGES - 512);
    guest.machine.add(guest.domain, table);

    assertThat(report().counters().syncs()).containsEntry(SyncTrigger.TABLE, 2L);
    assertThat(report().violations()).isEmpty();
  }

  @Test
  void tableThatLeadsToItself_isReadNoFurtherThanAGuestHasFrames() {
    shadowIdentity();
    guest.leadTopToItself();

    long read = entriesRead(guest::forgetAll);

    assertThat(read).isLessThanOrEqualTo(512L * guest.domain.reservation().totalPages());
    assertThat(report().violations()).isEmpty();
    guest.translate(false);
  }

  /** Edits that are told of at once or later, and frames that come and go under them. */
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void randomEdits_leaveTheShadowThatTheTableAndTheP2mMake(long seed) {
    RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
    guest.translate(true);
    for (int step = 0; step < 400; step++) {
      long page = random.nextLong(PAGES);
      int factor = 1 + 2 * random.nextInt(1000);
      switch (random.nextInt(8)) {
        case 0 -> guest.map(each -> each * factor % PAGES);
        case 1 -> guest.map(each -> (each + page) % PAGES);
        case 2 -> guest.map(each -> each % (1 + page % 3));
        case 3 -> guest.clear(page / 512);
        case 4, 5 -> guest.map(page, random.nextLong(PAGES));
        case 6 -> guest.machine.remove(guest.domain, page);
        default -> {
          if (!guest.domain.p2m().lookup(new Gfn(page)).mfn().isValid()) {
            guest.machine.add(guest.domain, page);
          }
        }
      }
      switch (random.nextInt(3)) {
        case 0 -> guest.forgetAll();
        case 1 -> guest.forget(page & -512, 9);
        default -> {}
      }
      if (step % 10 == 0) {
        assertThat(report().violations()).isEmpty();
      }
    }
  }

  /** A device model that remembers an answer does not ask again. */
  @Test
  void virtualDevice_thatRemembers_makesNoCall() {
    shadowIdentity();
    VirtualDevices devices = guest.iommu.virtualDevices();
    devices.remember(ShadowedGuest.SEEN, 4);
    Word iova = new Word(0x5008);
    assertThat(devices.translate(ShadowedGuest.SEEN, iova, ShadowedGuest.READ).remembered())
        .isFalse();
    long calls = devices.calls();

    for (int i = 0; i < 1000; i++) {
      assertThat(devices.translate(ShadowedGuest.SEEN, iova, ShadowedGuest.READ).remembered())
          .isTrue();
    }

    assertThat(devices.calls()).isEqualTo(calls);
    assertThat(devices.hits()).isEqualTo(1000);
    guest.forgetAll();
    assertThat(devices.translate(ShadowedGuest.SEEN, iova, ShadowedGuest.READ).remembered())
        .isFalse();
  }

  @Test
  void dma_goesWhereTheShadowSays() {
    guest.map(ShadowSyncTest::scattered);
    guest.translate(true);
    byte[] data = new byte[8];

    DmaOutcome outcome = guest.machine.read(ShadowedGuest.DEVICE, 77 * 4096L, data);

    assertThat(outcome.verdict()).isEqualTo(DmaOutcome.Verdict.DONE);
    long maddr = guest.domain.p2m().lookup(new Gfn(scattered(77))).mfn().maddr();
    assertThat(outcome.segments().getFirst().end())
        .isEqualTo(new DmaSegment.Moved(maddr, PageSize.SIZE_4K, false, false));
  }
}
