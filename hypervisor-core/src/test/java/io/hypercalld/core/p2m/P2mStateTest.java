package io.hypercalld.core.p2m;

import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.memory.PageSize;
import java.util.Arrays;
import java.util.List;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Random changes of one P2M, single and in bulk, some of them refused, held against one cell for
 * each guest frame and against what an observer was told.
 */
class P2mStateTest {
  private static final int GFNS = 0x800;
  private static final int STEPS = 25_000;
  private static final Cell HOLE = new Cell(-1, P2mType.MMIO_DM, P2mAccess.N);
  private static final List<P2mType> TYPES =
      List.of(
          P2mType.RAM_RW,
          P2mType.RAM_RW,
          P2mType.RAM_LOGDIRTY,
          P2mType.RAM_RO,
          P2mType.GRANT_MAP_RW,
          P2mType.MMIO_DIRECT,
          P2mType.RAM_SHARED,
          P2mType.RAM_BROKEN);
  private static final List<P2mAccess> ACCESSES =
      List.of(P2mAccess.RWX, P2mAccess.RWX, P2mAccess.RX, P2mAccess.N, P2mAccess.W);

  /** What a guest frame should be. */
  private record Cell(long mfn, P2mType type, P2mAccess access) {}

  private final Cell[] cells = new Cell[GFNS];
  private final boolean[] watched = new boolean[GFNS];

  /** What devices reach, by what was announced: frame and permission. */
  private final Cell[] dma = new Cell[GFNS];

  private boolean watchedAll;
  private boolean claimed;
  private boolean refusing;
  private long highest;
  private MappedTable table = new MappedTable(MappedTable.PLAIN, 1);
  private P2mTable p2m = table.p2m;
  private RandomGenerator random = RandomGenerator.getDefault();

  @ParameterizedTest
  @CsvSource({
    "1, GRANULE_4K, 40",
    "2, GRANULE_4K, 9",
    "3, GRANULE_4K, 40",
    "4, GRANULE_16K, 40",
    "5, GRANULE_8K, 60"
  })
  void randomChanges_agreeWithTheCells(long seed, P2mGeometry geometry, long pages) {
    table.close();
    try (MappedTable own = new MappedTable(MappedTable.PLAIN.with(geometry), pages)) {
      table = own;
      p2m = own.p2m;
      random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
      Arrays.fill(cells, HOLE);
      Arrays.fill(dma, HOLE);
      p2m.announcements().observe(this::follow);
      for (int step = 0; step < STEPS; step++) {
        step();
        if (step % 100 == 0) {
          check("seed %d step %d".formatted(seed, step));
        }
      }
      refusing = false;
      table.pool.resize(200);
      p2m.types().finishTypeChange(new Gfn(0), GFNS);
      check("seed %d at the end".formatted(seed));
      assertThat(p2m.hasMarks()).isFalse();
    }
  }

  private void follow(P2mChange change) {
    if (refusing && random.nextInt(4) == 0) {
      throw Refusal.of(Errno.ENOMEM, "no room");
    }
    for (long i = 0; i < change.frames(); i++) {
      boolean mapped = change.permission() != DmaPermission.NONE;
      P2mType type = change.permission() == DmaPermission.READ ? P2mType.RAM_RO : P2mType.RAM_RW;
      dma[(int) (change.gfn().value() + i)] =
          mapped ? new Cell(change.mfn().value() + i, type, P2mAccess.RWX) : HOLE;
    }
  }

  private void step() {
    refusing = random.nextInt(8) == 0;
    switch (random.nextInt(14)) {
      case 0, 1, 2 -> set();
      case 3 -> unset();
      case 4, 5 -> setRun();
      case 6 -> changeType();
      case 7 -> changeAccess();
      case 8 -> changeAll();
      case 9, 10 -> changeRange();
      case 11 -> attempt(() -> p2m.resolve(new Gfn(gfn())));
      case 12 -> claimOrRelease();
      default ->
          attempt(() -> p2m.types().finishTypeChange(new Gfn(gfn()), 1 + random.nextInt(GFNS)));
    }
  }

  private long gfn() {
    return random.nextInt(GFNS);
  }

  private long aligned(long order) {
    return gfn() & -(1L << order);
  }

  /** Whether it was done. */
  private static boolean attempt(Runnable action) {
    try {
      action.run();
      return true;
    } catch (Refusal refusal) {
      assertThat(refusal.errno()).isIn(Errno.ENOMEM, Errno.EBUSY, Errno.EINVAL);
      return false;
    }
  }

  private PageSize size() {
    boolean large = random.nextInt(4) == 0 || p2m.geometry().granuleOrder() > 0;
    return large ? PageSize.SIZE_2M : PageSize.SIZE_4K;
  }

  private void set() {
    PageSize size = size();
    long gfn = aligned(size.order());
    long mfn = (random.nextInt(1 << 18) & -size.frames()) + size.frames();
    P2mType type = TYPES.get(random.nextInt(TYPES.size()));
    P2mAccess access = ACCESSES.get(random.nextInt(ACCESSES.size()));
    if (attempt(() -> p2m.set(new Gfn(gfn), new Mfn(mfn), size, type, access))) {
      put(gfn, size.frames(), new Cell(mfn, type, access));
    } else if (!p2m.geometry().hasSuperpages()) {
      adopt(gfn, size.frames(), new Cell(mfn, type, access));
    }
  }

  private void unset() {
    PageSize size = size();
    long gfn = aligned(size.order());
    if (attempt(() -> p2m.set(new Gfn(gfn), Mfn.INVALID, size, P2mType.INVALID))) {
      Arrays.fill(cells, (int) gfn, (int) (gfn + size.frames()), HOLE);
    } else if (!p2m.geometry().hasSuperpages()) {
      adopt(gfn, size.frames(), HOLE);
    }
  }

  private void setRun() {
    int granule = p2m.geometry().granuleOrder();
    long gfn = aligned(granule);
    long frames = (1L + random.nextInt((int) Math.min(1200, GFNS - gfn))) & -(1L << granule);
    boolean alike = random.nextBoolean();
    long mfn = ((alike ? gfn : random.nextInt(1 << 18)) & -(1L << granule)) + 0x400;
    Cell wanted = new Cell(mfn, P2mType.RAM_RW, P2mAccess.RWX);
    if (attempt(() -> p2m.setRun(new Gfn(gfn), new Mfn(mfn), frames, P2mType.RAM_RW))) {
      put(gfn, frames, wanted);
    } else {
      adopt(gfn, frames, wanted);
    }
  }

  private void changeType() {
    long gfn = gfn();
    P2mType to = random.nextInt(3) == 0 ? P2mType.IOREQ_SERVER : P2mType.RAM_RW;
    P2mType from = cells[(int) gfn].type;
    boolean fits = P2mType.CHANGEABLE.contains(from) && (claimed || to == P2mType.RAM_RW);
    if (fits && attempt(() -> p2m.changeType(new Gfn(gfn), from, to))) {
      long frames = p2m.geometry().granuleFrames();
      long first = gfn & -frames;
      put(first, frames, new Cell(cells[(int) first].mfn, to, P2mAccess.RWX));
    }
  }

  private void changeAccess() {
    long gfn = gfn();
    P2mAccess access = ACCESSES.get(random.nextInt(ACCESSES.size()));
    boolean mapped = !cells[(int) gfn].equals(HOLE);
    if (attempt(() -> p2m.changeAccess(new Gfn(gfn), access)) && mapped) {
      long frames = p2m.geometry().granuleFrames();
      long first = gfn & -frames;
      put(first, frames, new Cell(cells[(int) first].mfn, cells[(int) gfn].type, access));
    }
    highest = p2m.maxMappedGfn().value();
  }

  private void changeAll() {
    watchedAll = random.nextBoolean();
    if (watchedAll) {
      p2m.types().changeAll(P2mType.RAM_RW, P2mType.RAM_LOGDIRTY);
    } else {
      p2m.types().changeAll(P2mType.RAM_LOGDIRTY, P2mType.RAM_RW);
    }
    recalculate(0, GFNS);
  }

  private void changeRange() {
    long gfn = gfn();
    long frames = 1L + random.nextInt(random.nextBoolean() ? 20 : GFNS);
    boolean watch = random.nextBoolean();
    P2mType from = watch ? P2mType.RAM_RW : P2mType.RAM_LOGDIRTY;
    P2mType to = watch ? P2mType.RAM_LOGDIRTY : P2mType.RAM_RW;
    if (attempt(() -> p2m.types().changeRange(new Gfn(gfn), frames, from, to))) {
      long granule = p2m.geometry().granuleFrames();
      long start = gfn & -granule;
      long end = Math.min((gfn + frames + granule - 1) & -granule, highest + 1);
      for (long i = start; i < end; i++) {
        watched[(int) i] = watch;
      }
      recalculate(start, end);
    }
  }

  /** A server takes pages only where none is left of another. */
  private void claimOrRelease() {
    if (claimed) {
      claimed = false;
      p2m.types().setIoreq(P2mType.IOREQ_SERVER, IoreqRule.UNCLAIMED);
      p2m.types().changeAll(P2mType.IOREQ_SERVER, P2mType.RAM_RW);
      recalculate(0, GFNS);
    } else if (p2m.entries(P2mType.IOREQ_SERVER) == 0) {
      claimed = true;
      p2m.types().setIoreq(P2mType.IOREQ_SERVER, new IoreqRule(true, false, random.nextBoolean()));
    }
  }

  private void recalculate(long from, long end) {
    for (long gfn = from; gfn < end; gfn++) {
      Cell cell = cells[(int) gfn];
      boolean owned = cell.type == P2mType.IOREQ_SERVER && claimed;
      if (P2mType.CHANGEABLE.contains(cell.type) && !owned) {
        P2mType type = isWatched(gfn) ? P2mType.RAM_LOGDIRTY : P2mType.RAM_RW;
        cells[(int) gfn] = new Cell(cell.mfn, type, cell.access);
      }
    }
  }

  private boolean isWatched(long gfn) {
    return watchedAll || watched[(int) gfn];
  }

  private void put(long gfn, long frames, Cell first) {
    for (long i = 0; i < frames; i++) {
      cells[(int) (gfn + i)] = new Cell(first.mfn + i, first.type, first.access);
    }
    highest = Math.max(highest, gfn + frames - 1);
  }

  /** After a run of which a part was refused: each frame is as before or as wanted. */
  private void adopt(long gfn, long frames, Cell first) {
    for (long i = 0; i < frames; i++) {
      Cell wanted = first.equals(HOLE) ? HOLE : new Cell(first.mfn + i, first.type, first.access);
      Cell found = found(gfn + i);
      assertThat(found).isIn(wanted, cells[(int) (gfn + i)]);
      cells[(int) (gfn + i)] = found;
    }
    highest = p2m.maxMappedGfn().value();
  }

  private Cell found(long gfn) {
    P2mLookup found = p2m.lookup(new Gfn(gfn));
    return new Cell(found.storedMfn().value(), found.type(), found.access());
  }

  private void check(String when) {
    assertThat(p2m.violations()).as(when).isEmpty();
    assertThat(p2m.maxMappedGfn().value()).as(when).isEqualTo(highest);
    for (int gfn = 0; gfn < GFNS; gfn++) {
      if (!found(gfn).equals(cells[gfn])) {
        assertThat(found(gfn)).as("%s guest frame 0x%x", when, gfn).isEqualTo(cells[gfn]);
      }
      if (gfn % 7 == 0) {
        checkDma(when, gfn);
      }
    }
  }

  /** Devices reach what is stored: a page that waits to be given back by a server is not yet. */
  private void checkDma(String when, int gfn) {
    List<P2mStep> walk = p2m.explain(new Gfn(gfn));
    long raw = walk.getLast().raw().value();
    DmaPermission permission = LeafWriter.dma(raw);
    Cell seen = dma[gfn];
    if (permission == DmaPermission.NONE ? !seen.equals(HOLE) : seen.mfn != cells[gfn].mfn) {
      assertThat(seen).as("%s devices at 0x%x: %s", when, gfn, permission).isEqualTo(cells[gfn]);
    }
    boolean readOnly = permission == DmaPermission.READ;
    if (permission != DmaPermission.NONE) {
      assertThat(seen.type == P2mType.RAM_RO).as(when).isEqualTo(readOnly);
    }
  }
}
