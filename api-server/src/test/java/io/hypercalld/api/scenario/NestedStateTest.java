package io.hypercalld.api.scenario;

import static io.hypercalld.api.scenario.GuestWithUnit.DEVICES;
import static io.hypercalld.api.scenario.GuestWithUnit.FIRST_PAGE;
import static io.hypercalld.api.scenario.GuestWithUnit.FIRST_SLOT;
import static io.hypercalld.api.scenario.GuestWithUnit.PAGE_BYTES;
import static io.hypercalld.api.scenario.GuestWithUnit.QUEUE;
import static io.hypercalld.api.scenario.GuestWithUnit.address;
import static io.hypercalld.api.scenario.GuestWithUnit.bytes;
import static io.hypercalld.api.scenario.GuestWithUnit.number;
import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.api.machine.DeviceDma;
import io.hypercalld.api.machine.Machine;
import io.hypercalld.api.scenario.NestedOracle.Entry;
import io.hypercalld.api.scenario.NestedOracle.Size;
import io.hypercalld.api.scenario.NestedOracle.Target;
import io.hypercalld.core.bits.HexBytes;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.iommu.unit.DmaOutcome;
import io.hypercalld.iommu.virtual.ShadowSync;
import io.hypercalld.iommu.virtual.VirtualUnitSettings;
import io.hypercalld.iommu.vtd.PasidPrefix;
import java.util.Optional;
import java.util.Set;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A guest in scalable mode that changes PASID entries, first-level and second-level tables, forgets
 * to invalidate, balloons and switches translation at random, while two devices of its use four
 * PASIDs each: every request ends where some state since the last covering invalidation sends it,
 * or in a fault; where there is one state only, there.
 */
final class NestedStateTest {
  private static final int STEPS = 3000;
  private static final int FRAMES = 8;
  private static final int PASIDS = 4;

  /** Two first-level tables and a second-level one. */
  private static final int TABLES = 3;

  private static final int SECOND_LEVEL = 2;
  private static final long ROOT = 0x1_1000;
  private static final long CONTEXT = 0x1_2000;
  private static final long DIRECTORY = 0x1_4000;
  private static final long PASID_TABLE = 0x1_8000;
  private static final long TABLE = 0x4_0000;
  private static final long TABLE_BYTES = 0x1_0000;

  private final GuestWithUnit guest = new GuestWithUnit("scalable");
  private final Machine machine = guest.machine();
  private final NestedOracle oracle =
      new NestedOracle(new Size(DEVICES.size(), PASIDS, TABLES, FRAMES));
  private RandomGenerator random = RandomGenerator.getDefault();
  private long lastMark = 0x1000;
  private int done;
  private int exact;

  @ParameterizedTest(name = "seed {0}, {1}, caching mode {2}")
  @CsvSource({"1, STRICT, true", "2, LAZY, true", "3, STRICT, false", "4, LAZY, false"})
  void requests_whateverTheGuestForgets_endWhereSomeStateSendsThem(
      long seed, ShadowSync sync, boolean cachingMode) {
    random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
    begin(sync, cachingMode);
    for (int step = 0; step < STEPS; step++) {
      step();
      if (step % 250 == 0) {
        assertThat(machine.violations()).isEmpty();
      }
    }
    sweep();
    assertThat(machine.violations()).isEmpty();
    assertThat(done).isGreaterThan(STEPS / 20);
    assertThat(exact).isGreaterThan(STEPS / 20);
    guest.close();
  }

  private void begin(ShadowSync sync, boolean cachingMode) {
    var unit =
        new VirtualUnitSettings(
            VirtualUnitSettings.USUAL_BASE, true, true, true, cachingMode, sync);
    guest.begin(unit);
    for (int device = 0; device < DEVICES.size(); device++) {
      guest.assign(device);
      guest.store(DIRECTORY + device * PAGE_BYTES, (PASID_TABLE + device * PAGE_BYTES) | 1);
      guest.store(
          CONTEXT + (FIRST_SLOT + device) * 8L * 32,
          (DIRECTORY + device * PAGE_BYTES) | 1 << 3 | 1,
          0);
    }
    for (int page = 0; page < FRAMES; page++) {
      mark(page);
    }
    for (int pasid = 0; pasid < PASIDS; pasid++) {
      setPasid(0, pasid, new Target.Through(pasid % TABLES));
      setPasid(1, pasid, new Target.Through((pasid + 1) % TABLES));
    }
    for (int table = 0; table < TABLES; table++) {
      for (int level = 4; level > 1; level--) {
        long at = top(table) + (4L - level) * PAGE_BYTES;
        long index = address(0) >>> (12 + 9 * (level - 1)) & 511;
        guest.store(at + index * 8, at + PAGE_BYTES | 7);
      }
      for (int frame = 0; frame < FRAMES; frame++) {
        setEntry(table, frame, randomEntry());
        forgetFully(table, frame);
      }
    }
    guest.store(ROOT, CONTEXT | 1);
    guest.register(0x90, 8, QUEUE | 1 << 11);
    guest.register(0x20, 8, ROOT | 1 << 10);
    guest.register(0x18, 4, 1L << 26);
    guest.register(0x18, 4, 1L << 26 | 1L << 30);
    switchTranslation(true);
  }

  private void step() {
    int table = random.nextInt(TABLES);
    int frame = random.nextInt(FRAMES);
    int device = random.nextInt(DEVICES.size());
    int pasid = random.nextInt(PASIDS);
    switch (random.nextInt(24)) {
      case 0, 1, 2 -> setEntry(table, frame, randomEntry());
      case 3 -> setEntry(table, frame, Entry.ABSENT);
      case 4, 5 -> setPasid(device, pasid, randomTarget());
      case 6, 7 -> forgetFrame(table, pasid, frame);
      case 8 -> forgetSpace(table, pasid);
      case 9 -> forgetDomain(table);
      case 10, 11 -> forgetPasid(pasid);
      case 12 -> forgetPasids();
      case 13 -> balloon(random.nextInt(FRAMES));
      case 14 -> losesTable(table);
      case 15 -> {
        if (random.nextInt(oracle.isTranslating() ? 40 : 2) == 0) {
          switchTranslation(!oracle.isTranslating());
        }
      }
      case 16, 17, 18 -> read(device, pasid, frame);
      case 19, 20 -> remap(device, pasid, frame);
      default -> write(device, pasid, frame);
    }
  }

  /** Nobody has looked yet: there is nothing to forget. */
  private void forgetFully(int table, int frame) {
    for (int pasid = 0; pasid < PASIDS; pasid++) {
      oracle.forget(table, pasid, frame);
    }
  }

  /**
   * What drivers do all the time: a page in use comes to lie elsewhere, and is forgotten or not.
   */
  private void remap(int device, int pasid, int frame) {
    if (oracle.target(device, pasid) instanceof Target.Through(int table)) {
      read(device, pasid, frame);
      setEntry(table, frame, randomEntry());
      switch (random.nextInt(4)) {
        case 0 -> forgetSpace(table, pasid);
        case 1 -> forgetDomain(table);
        case 2 -> forgetFrame(table, pasid, frame);
        default -> {}
      }
      read(device, pasid, frame);
      write(device, pasid, frame);
    }
  }

  private Entry randomEntry() {
    return new Entry(random.nextInt(FRAMES), true, random.nextBoolean());
  }

  private Target randomTarget() {
    return switch (random.nextInt(8)) {
      case 0 -> new Target.Absent();
      case 1 -> new Target.Passing();
      default -> new Target.Through(random.nextInt(TABLES));
    };
  }

  private void setPasid(int device, int pasid, Target target) {
    long at = PASID_TABLE + device * PAGE_BYTES + pasid * 64L;
    switch (target) {
      case Target.Absent() -> guest.store(at, 0, 0, 0);
      case Target.Passing() -> guest.store(at, 1 | 4 << 6, 9, 0);
      case Target.Through(int table) -> {
        if (table == SECOND_LEVEL) {
          guest.store(at, top(table) | 2 << 2 | 2 << 6 | 1, did(table), 0);
        } else {
          guest.store(at, 1 | 1 << 6, did(table), top(table));
        }
      }
    }
    oracle.set(device, pasid, target);
  }

  private static long did(int table) {
    return table + 1L;
  }

  private static long top(int table) {
    return TABLE + table * TABLE_BYTES;
  }

  private void setEntry(int table, int frame, Entry entry) {
    writeEntry(table, frame, entry);
    oracle.set(table, frame, entry);
  }

  private void writeEntry(int table, int frame, Entry entry) {
    long rights = table == SECOND_LEVEL ? entry.writable() ? 3 : 1 : entry.writable() ? 7 : 5;
    guest.store(
        top(table) + 3 * PAGE_BYTES + (address(frame) >>> 12 & 511) * 8,
        entry.readable() ? address(entry.page()) | rights : 0);
  }

  private void forgetFrame(int table, int pasid, int frame) {
    if (table == SECOND_LEVEL) {
      guest.submit(0x32 | did(table) << 16, address(frame), 0, 0);
      forgetFully(table, frame);
    } else {
      guest.submit(0x36 | did(table) << 16 | (long) pasid << 32, address(frame), 0, 0);
      oracle.forget(table, pasid, frame);
    }
  }

  private void forgetSpace(int table, int pasid) {
    if (table == SECOND_LEVEL) {
      forgetDomain(table);
    } else {
      guest.submit(0x26 | did(table) << 16 | (long) pasid << 32, 0, 0, 0);
      oracle.forget(table, pasid);
    }
  }

  private void forgetDomain(int table) {
    guest.submit(0x22 | did(table) << 16, 0, 0, 0);
    for (int pasid = 0; pasid < PASIDS; pasid++) {
      oracle.forget(table, pasid);
    }
  }

  private void forgetPasid(int pasid) {
    guest.submit(0x17 | (long) pasid << 32, 0, 0, 0);
    oracle.forgetPasid(pasid);
  }

  private void forgetPasids() {
    guest.submit(0x37, 0, 0, 0);
    for (int pasid = 0; pasid < PASIDS; pasid++) {
      oracle.forgetPasid(pasid);
    }
  }

  private void balloon(int page) {
    boolean there = oracle.has(page);
    if (there && random.nextInt(3) != 0) {
      return;
    }
    Gfn gfn = new Gfn(FIRST_PAGE + page);
    if (there) {
      guest.balloonOut(gfn);
      oracle.take(page);
    } else {
      guest.balloonIn(gfn);
      mark(page);
    }
  }

  /** The lowest table goes and comes again, with the same in it: nothing is remembered of it. */
  private void losesTable(int table) {
    Gfn lowest = new Gfn(top(table) / PAGE_BYTES + 3);
    guest.balloonOut(lowest);
    for (int device = 0; device < DEVICES.size(); device++) {
      for (int pasid = 0; pasid < PASIDS; pasid++) {
        if (oracle.goesOnly(device, pasid, new Target.Through(table))) {
          assertThat(passes(device, pasid, 0)).isFalse();
        }
      }
    }
    guest.balloonIn(lowest);
    for (int frame = 0; frame < FRAMES; frame++) {
      writeEntry(table, frame, oracle.entry(table, frame));
    }
    if (table == SECOND_LEVEL) {
      forgetDomain(table);
    }
  }

  private void switchTranslation(boolean on) {
    guest.register(0x18, 4, 1L << 26 | (on ? 1L << 31 : 0));
    oracle.translate(on);
  }

  private void mark(int page) {
    guest.store(address(page), ++lastMark);
    oracle.mark(page, lastMark);
  }

  private boolean passes(int device, int pasid, int frame) {
    return dma(device, pasid, frame, Optional.empty()).outcome().verdict()
        == DmaOutcome.Verdict.DONE;
  }

  private void read(int device, int pasid, int frame) {
    DeviceDma.Result result = dma(device, pasid, frame, Optional.empty());
    boolean passed = result.outcome().verdict() == DmaOutcome.Verdict.DONE;
    Optional<Integer> end =
        passed ? oracle.pageOf(number(result.data().toByteArray())) : Optional.empty();
    check(passed, end, oracle.ends(device, pasid, frame, false));
  }

  private void write(int device, int pasid, int frame) {
    long mark = ++lastMark;
    DeviceDma.Result result = dma(device, pasid, frame, Optional.of(bytes(mark)));
    boolean passed = result.outcome().verdict() == DmaOutcome.Verdict.DONE;
    Optional<Integer> end = passed ? written(mark) : Optional.empty();
    end.ifPresent(page -> oracle.mark(page, mark));
    check(passed, end, oracle.ends(device, pasid, frame, true));
  }

  private DeviceDma.Result dma(int device, int pasid, int frame, Optional<HexBytes> data) {
    return machine.execute(
        new DeviceDma(
            DEVICES.get(device),
            PasidPrefix.of(pasid),
            new Word(address(frame)),
            8,
            data,
            Optional.empty()));
  }

  private Optional<Integer> written(long mark) {
    for (int page = 0; page < FRAMES; page++) {
      if (oracle.has(page) && guest.load(address(page)) == mark) {
        return Optional.of(page);
      }
    }
    return Optional.empty();
  }

  private void check(boolean passed, Optional<Integer> end, Set<Optional<Integer>> possible) {
    if (passed) {
      done++;
      assertThat(end).as("a page of the guest's").isPresent();
    }
    assertThat(possible).contains(end);
    if (possible.size() == 1) {
      exact++;
    }
  }

  /** All is forgotten: each request ends in the one place there is. */
  private void sweep() {
    switchTranslation(false);
    switchTranslation(true);
    forgetPasids();
    for (int table = 0; table < TABLES; table++) {
      forgetDomain(table);
    }
    for (int device = 0; device < DEVICES.size(); device++) {
      for (int pasid = 0; pasid < PASIDS; pasid++) {
        for (int frame = 0; frame < FRAMES; frame++) {
          assertThat(oracle.ends(device, pasid, frame, false)).hasSize(1);
          read(device, pasid, frame);
          write(device, pasid, frame);
        }
      }
    }
  }
}
