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
import io.hypercalld.api.machine.LoadViommu;
import io.hypercalld.api.machine.Machine;
import io.hypercalld.api.scenario.ShadowOracle.Context;
import io.hypercalld.api.scenario.ShadowOracle.Entry;
import io.hypercalld.core.bits.HexBytes;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.hypercall.SetMemType;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.iommu.hypercall.DeassignDevice;
import io.hypercalld.iommu.unit.DmaOutcome;
import io.hypercalld.iommu.virtual.ShadowReport;
import io.hypercalld.iommu.virtual.ShadowSync;
import io.hypercalld.iommu.virtual.VirtualUnitSettings;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A guest that changes its tables, forgets to invalidate, balloons its pages and its tables, has
 * pages populated on demand, protects pages, switches translation, gives devices away and is saved
 * and restored, all at random, while two devices of its read and write memory: every request ends
 * where some state since the last covering invalidation sends it, or in a fault; where there is one
 * state only, there.
 */
final class ShadowStateTest {
  private static final int STEPS = 4000;
  private static final int FRAMES = 16;
  private static final int PAGES = 16;
  private static final long ROOT = 0x1_1000;
  private static final long CONTEXT = 0x1_2000;
  private static final long TABLES = 0x4_0000;
  private static final long TABLE_BYTES = 0x1_0000;

  private final GuestWithUnit guest = new GuestWithUnit("two-socket");
  private final Machine machine = guest.machine();
  private final ShadowOracle oracle = new ShadowOracle(2, DEVICES.size());
  private RandomGenerator random = RandomGenerator.getDefault();
  private final Set<Integer> gone = new HashSet<>();
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
      step(cachingMode);
      assertNoShadowOfWhatIsGone();
      if (step % 250 == 0) {
        assertThat(machine.violations()).isEmpty();
      }
    }
    assertThat(machine.violations()).isEmpty();
    assertThat(done).isGreaterThan(STEPS / 30);
    assertThat(exact).isGreaterThan(STEPS / 30);
    guest.close();
  }

  private void begin(ShadowSync sync, boolean cachingMode) {
    var unit =
        new VirtualUnitSettings(VirtualUnitSettings.USUAL_BASE, true, true, cachingMode, sync);
    guest.begin(unit);
    for (int i = 0; i < DEVICES.size(); i++) {
      guest.assign(i);
    }
    for (int page = 0; page < PAGES; page++) {
      mark(page);
    }
    for (int table = 0; table < 2; table++) {
      long top = top(table);
      guest.store(top, (top + PAGE_BYTES) | 3);
      guest.store(top + PAGE_BYTES + (FIRST_PAGE >>> 9) * 8L, (top + 2 * PAGE_BYTES) | 3);
    }
    guest.store(ROOT, CONTEXT | 1, 0);
    guest.register(0x90, 8, QUEUE);
    guest.register(0x20, 8, ROOT);
    guest.register(0x18, 4, 1L << 26);
    guest.register(0x18, 4, 1L << 26 | 1L << 30);
  }

  private void step(boolean cachingMode) {
    int table = random.nextInt(2);
    int frame = random.nextInt(FRAMES);
    int device = random.nextInt(DEVICES.size());
    if (random.nextInt(6) == 0) {
      comeBack();
    }
    switch (random.nextInt(24)) {
      case 0, 1, 2 -> setEntry(table, frame, new Entry(random.nextInt(PAGES), permission()));
      case 3 -> setEntry(table, frame, Entry.ABSENT);
      case 4 -> setContext(device, randomContext(cachingMode));
      case 5, 6 -> forgetFrame(table, frame);
      case 7 -> forgetTable(table);
      case 8 -> forgetAll();
      case 9 -> forgetContexts();
      case 10 -> forgetContext(device);
      case 11 -> balloon(random.nextInt(PAGES));
      case 12 -> {
        if (random.nextInt(10) == 0) {
          switchTranslation(!oracle.isTranslating());
        }
      }
      case 13, 14, 15, 16 -> read(device, frame);
      case 17 -> protect(random.nextInt(PAGES));
      case 18 -> rarely(() -> moveDevice(device));
      case 19 -> rarely(() -> moveTable(table));
      case 20 -> rarely(this::saveAndRestore);
      case 21 -> rarely(() -> populateOnDemand(random.nextInt(PAGES)));
      case 22 -> rarely(() -> guest.exchange(new Gfn(FIRST_PAGE + random.nextInt(PAGES))));
      default -> write(device, frame);
    }
  }

  private void rarely(Runnable change) {
    if (random.nextInt(4) == 0) {
      change.run();
    }
  }

  /** No shadow leads to a frame that is not the guest's, nor elsewhere than tables and P2M do. */
  private void assertNoShadowOfWhatIsGone() {
    assertThat(machine.virtualIommus().violations()).isEmpty();
    for (ShadowReport.Mapping run :
        machine.virtualIommus().of(guest.domain()).report().orElseThrow().mappings()) {
      long first = run.maddr().value() / PAGE_BYTES;
      for (long mfn = first; mfn < first + run.frames(); mfn++) {
        assertThat(machine.hypervisor().frames().owner(mfn)).isEqualTo(guest.id().value());
      }
    }
  }

  private int permission() {
    return 1 + random.nextInt(3);
  }

  private Context randomContext(boolean mayAppear) {
    return switch (random.nextInt(6)) {
      case 0 -> mayAppear ? Context.ABSENT : new Context(0);
      case 1 -> Context.PASSING;
      default -> new Context(random.nextInt(2));
    };
  }

  private static long top(int table) {
    return TABLES + table * TABLE_BYTES;
  }

  private void setEntry(int table, int frame, Entry entry) {
    if (gone.contains(table)) {
      return;
    }
    long word = entry.equals(Entry.ABSENT) ? 0 : address(entry.page()) | entry.permission();
    guest.store(top(table) + 2 * PAGE_BYTES + frame * 8L, word);
    oracle.set(table, frame, entry);
  }

  private void setContext(int device, Context context) {
    long at = CONTEXT + (FIRST_SLOT + device) * 8L * 16;
    if (context.equals(Context.PASSING)) {
      guest.store(at, 1 | 2 << 2, 2 | 9 << 8);
    } else if (context.translates()) {
      guest.store(at, top(context.table()) | 1, 1 | (context.table() + 1L) << 8);
    } else {
      guest.store(at, 0, 0);
    }
    oracle.set(device, context);
  }

  private void forgetFrame(int table, int frame) {
    guest.submit(0x32 | (table + 1L) << 16, address(frame));
    oracle.forget(table, frame);
  }

  private void forgetTable(int table) {
    guest.submit(0x22 | (table + 1L) << 16, 0);
    oracle.forgetTable(table);
  }

  private void forgetAll() {
    guest.submit(0x12, 0);
    oracle.forgetTable(0);
    oracle.forgetTable(1);
  }

  private void forgetContexts() {
    guest.submit(0x11, 0);
    oracle.forgetContext(0);
    oracle.forgetContext(1);
  }

  private void forgetContext(int device) {
    guest.submit(0x31 | (long) (FIRST_SLOT + device) << 3 << 32, 0);
    oracle.forgetContext(device);
  }

  /** Units remember where everything leads, and have to forget it. */
  private void balloon(int page) {
    readAll();
    if (oracle.has(page)) {
      guest.balloonOut(new Gfn(FIRST_PAGE + page));
      oracle.take(page);
    } else {
      guest.balloonIn(new Gfn(FIRST_PAGE + page));
      mark(page);
    }
    assertNoShadowOfWhatIsGone();
    readAll();
  }

  /** Another page takes a page's place once the guest touches it: only while it has no devices. */
  private void populateOnDemand(int page) {
    Gfn gfn = new Gfn(FIRST_PAGE + page);
    if (!oracle.has(page)) {
      return;
    }
    boolean alone = random.nextBoolean();
    for (int device = 0; alone && device < DEVICES.size(); device++) {
      if (!oracle.isAway(device)) {
        moveDevice(device);
      }
    }
    boolean withoutDevices = oracle.isAway(0) && oracle.isAway(1);
    guest.balloonOut(gfn);
    oracle.take(page);
    assertThat(guest.populateOnDemand(gfn)).isEqualTo(withoutDevices);
    readAll();
    if (!withoutDevices) {
      guest.balloonIn(gfn);
    }
    mark(page);
    readAll();
  }

  private void readAll() {
    for (int device = 0; device < DEVICES.size(); device++) {
      for (int frame = 0; frame < FRAMES; frame++) {
        read(device, frame);
      }
    }
  }

  /** The guest frame with a table's lowest entries goes, or another empty one takes its place. */
  private void moveTable(int table) {
    Gfn gfn = new Gfn(top(table) / PAGE_BYTES + 2);
    if (gone.remove(table)) {
      guest.balloonIn(gfn);
    } else {
      gone.add(table);
      guest.balloonOut(gfn);
      oracle.lose(table);
    }
  }

  /** A page may not be written any more, or may be again. */
  private void protect(int page) {
    if (oracle.has(page)) {
      boolean on = !oracle.isReadOnly(page);
      var call = new SetMemType(guest.id(), 1, on ? 1 : 0, 0, new Gfn(FIRST_PAGE + page));
      assertThat(machine.call(DomainId.DOM0, call).ret()).isZero();
      oracle.protect(page, on);
      assertNoShadowOfWhatIsGone();
    }
  }

  /** Nothing stays away for long. */
  private void comeBack() {
    List.copyOf(gone).forEach(this::moveTable);
    for (int device = 0; device < DEVICES.size(); device++) {
      if (oracle.isAway(device)) {
        moveDevice(device);
      }
    }
  }

  private void moveDevice(int device) {
    if (oracle.isAway(device)) {
      guest.assign(device);
      oracle.arrive(device);
    } else {
      var call = new DeassignDevice(guest.id(), DEVICES.get(device), 0, 0);
      assertThat(machine.call(DomainId.DOM0, call).ret()).isZero();
      oracle.leave(device);
    }
  }

  /** The unit goes on from its own record: what it remembered is gone. */
  private void saveAndRestore() {
    byte[] record = machine.virtualIommus().of(guest.domain()).save();
    machine.execute(new LoadViommu(guest.id(), new HexBytes(record)));
    assertThat(machine.virtualIommus().of(guest.domain()).save()).isEqualTo(record);
    if (oracle.isTranslating()) {
      oracle.forgetEverything();
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

  private void read(int device, int frame) {
    DeviceDma.Result result =
        machine.execute(
            new DeviceDma(DEVICES.get(device), new Word(address(frame)), 8, Optional.empty()));
    boolean passed = result.outcome().verdict() == DmaOutcome.Verdict.DONE;
    Optional<Integer> end =
        passed ? oracle.pageOf(number(result.data().toByteArray())) : Optional.empty();
    check(passed, end, oracle.ends(device, frame, ShadowOracle.READ));
  }

  private void write(int device, int frame) {
    List<Optional<Integer>> possible = oracle.ends(device, frame, ShadowOracle.WRITE);
    long mark = ++lastMark;
    DeviceDma.Result result =
        machine.execute(
            new DeviceDma(
                DEVICES.get(device), new Word(address(frame)), 8, Optional.of(bytes(mark))));
    boolean passed = result.outcome().verdict() == DmaOutcome.Verdict.DONE;
    Optional<Integer> end = passed ? written(mark) : Optional.empty();
    end.ifPresent(page -> oracle.mark(page, mark));
    check(passed, end, possible);
  }

  private Optional<Integer> written(long mark) {
    for (int page = 0; page < PAGES; page++) {
      if (oracle.has(page) && guest.load(address(page)) == mark) {
        return Optional.of(page);
      }
    }
    return Optional.empty();
  }

  /** Without caching mode what has appeared may still fault once, whatever was forgotten. */
  private void check(boolean passed, Optional<Integer> end, List<Optional<Integer>> possible) {
    if (passed) {
      done++;
      assertThat(end).as("a page of the guest's").isPresent();
      assertThat(possible).contains(end);
    } else if (possible.stream().distinct().count() == 1) {
      assertThat(possible).containsOnly(Optional.empty());
    }
    if (possible.stream().distinct().count() == 1) {
      exact++;
    }
  }
}
