package io.hypercalld.core.p2m;

import io.hypercalld.core.memory.MachineMemory;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.memory.PagingPool;
import io.hypercalld.core.memory.WordProgression;
import io.hypercalld.core.p2m.LeafCensus.Slots;

/**
 * The tables of one P2M as words in memory: walking, growing, freeing, and what is counted of them.
 * Confined to the machine thread.
 *
 * <p>It does not judge what is written; that is its owner's part.
 */
final class TableTree {
  private final P2mCounters counters;
  private final LeafCensus census = new LeafCensus();
  private final MachineMemory memory;
  private final PagingPool pool;
  private final P2mGeometry geometry;

  /** The entries of a lowest table that is freed. */
  private final long[] lowest;

  private final long root;
  private long tables;

  /** Guest frames, the end exclusive, that mapped nothing at a revision. */
  private long vacantFrom;

  private long vacantEnd;
  private long vacantAt = -1;

  /** Another number after each store. */
  long revision;

  /** The highest guest frame ever mapped, 0 where none was; it never falls. */
  long highest;

  /** Entries marked as to be fixed up: where there are none, what is stored is what holds. */
  long marks;

  /**
   * A root table without entries.
   *
   * @throws io.hypercalld.core.errno.Refusal ENOMEM where the pool has no page
   */
  TableTree(MachineMemory memory, PagingPool pool, P2mGeometry geometry, P2mCounters counters) {
    this.memory = memory;
    this.pool = pool;
    this.geometry = geometry;
    this.lowest = new long[geometry.entries()];
    this.counters = counters;
    this.root = newTable(P2mEntry.EMPTY, 0);
  }

  P2mGeometry geometry() {
    return geometry;
  }

  LeafCensus census() {
    return census;
  }

  P2mCounters counters() {
    return counters;
  }

  /** Machine address of the root table. */
  long root() {
    return root;
  }

  /** Tables in use, the root included. */
  long tables() {
    return tables;
  }

  static boolean isTable(long entry, int level) {
    return level > 1 && P2mEntry.isTable(entry);
  }

  /** Address of the entry for the guest frame in a table of the level. */
  long slot(long table, long gfn, int level) {
    return table + (((gfn >>> geometry.order(level)) & (geometry.entries() - 1)) << 3);
  }

  long read(long at) {
    return memory.readWord(at);
  }

  /** Whether consecutive entries hold nothing. */
  boolean holdsNothing(long at, int count) {
    return memory.areAll(at, count, P2mEntry.EMPTY);
  }

  /** Notes that somebody looked through a range, and found that it maps nothing. */
  void sawNothing(long from, long end) {
    vacantFrom = from;
    vacantEnd = end;
    vacantAt = revision;
  }

  /** Whether somebody saw that the range maps nothing, and nothing has been stored since. */
  boolean isKnownVacant(long from, long end) {
    return vacantAt == revision && from >= vacantFrom && end <= vacantEnd;
  }

  /** Reads consecutive entries. */
  void read(long at, long[] entries, int count) {
    memory.readWords(at, entries, count);
  }

  void write(long at, long entry) {
    memory.writeWord(at, entry);
    counters.entryWrites++;
    revision++;
  }

  /** Writes consecutive entries. */
  void fill(long at, int count, WordProgression leaves) {
    memory.fillWords(at, count, leaves);
    counters.entryWrites += count;
    revision++;
  }

  /** The entry that decides about the frame: at {@code level}, or where tables end above it. */
  Junction descend(long gfn, int level) {
    long table = root;
    int at = geometry.levels();
    while (true) {
      long address = slot(table, gfn, at);
      long entry = memory.readWord(address);
      if (at == level || !isTable(entry, at)) {
        counters.entryReads += geometry.levels() + 1 - at;
        return new Junction(at, address, entry);
      }
      table = P2mEntry.target(entry);
      at--;
    }
  }

  /**
   * Makes the tables missing below a junction, with copies of its leaf where it has one. Nothing
   * leads to them yet, and they count for nothing yet.
   *
   * @throws io.hypercalld.core.errno.Refusal ENOMEM where the pool has too few pages; nothing
   *     changed
   */
  Branch grow(Junction junction, long gfn, int level, EntryFormat format) {
    pool.require((long) junction.level() - level);
    long leaf = P2mEntry.isValid(junction.entry()) ? junction.entry() : P2mEntry.EMPTY;
    long top = 0;
    long above = 0;
    for (int below = junction.level() - 1; below >= level; below--) {
      long table = newTable(childLeaf(leaf, below), childStep(leaf, below));
      if (above == 0) {
        top = format.table(table);
      } else {
        write(above, format.table(table));
      }
      above = slot(table, gfn, below);
      leaf = memory.readWord(above);
    }
    return new Branch(top, above);
  }

  /**
   * Makes sure that the pool has pages for as many tables.
   *
   * @throws io.hypercalld.core.errno.Refusal ENOMEM
   */
  void require(long more) {
    pool.require(more);
  }

  /** The first of the leaves at the level that together are the leaf above. */
  private static long childLeaf(long leaf, int level) {
    return level == 1 ? P2mEntry.SP.clear(leaf) : leaf;
  }

  private long childStep(long leaf, int level) {
    boolean steps = leaf != P2mEntry.EMPTY && P2mEntry.hasFrame(leaf);
    return steps ? P2mEntry.MFN.of(1L << geometry.order(level)) : 0;
  }

  private long newTable(long firstEntry, long step) {
    long table = new Mfn(pool.take()).maddr();
    fill(table, geometry.entries(), new WordProgression(firstEntry, step));
    tables++;
    return table;
  }

  /**
   * Frees the table that the entry names and all tables below it, with what they count.
   *
   * @param vacant whether it is known that they map nothing
   */
  void freeBelow(long entry, int level, boolean vacant) {
    freeTable(P2mEntry.target(entry), level - 1, vacant ? Counted.NOTHING : Counted.EVERYTHING);
  }

  /** Counts what {@link #grow} copied into new tables in place of the junction's leaf. */
  void countGrown(Junction junction, int level) {
    countGrown(junction, level, 1);
  }

  private void countGrown(Junction junction, int level, int sign) {
    long leaf = junction.entry();
    if (!P2mEntry.isValid(leaf)) {
      return;
    }
    long copies = 0;
    census.add(leaf, junction.level(), -sign);
    for (int below = junction.level() - 1; below >= level; below--) {
      long here = geometry.entries() - (below > level ? 1L : 0);
      census.add(childLeaf(leaf, below), below, sign * here);
      copies += here;
    }
    marks += P2mEntry.isMarked(leaf) ? sign * (copies - 1) : 0;
  }

  /** Frees tables that nothing leads to any more, and counts the junction's leaf instead. */
  void discard(Branch branch, Junction junction, int level) {
    countGrown(junction, level, -1);
    freeTable(P2mEntry.target(branch.entry()), junction.level() - 1, Counted.NOTHING);
  }

  /** What of tables that are freed was counted. */
  private enum Counted {
    EVERYTHING,
    NOTHING
  }

  private void freeTable(long table, int level, Counted counted) {
    if (level == 1 && (counted == Counted.NOTHING || holdsNothing(table, geometry.entries()))) {
      free(table);
      return;
    }
    long[] entries = level == 1 ? lowest : new long[geometry.entries()];
    read(table, entries, entries.length);
    for (int slot = 0; level > 1 && slot < entries.length; slot++) {
      if (isTable(entries[slot], level)) {
        freeTable(P2mEntry.target(entries[slot]), level - 1, counted);
      }
    }
    if (counted == Counted.EVERYTHING) {
      uncount(entries, level);
    }
    free(table);
  }

  private void uncount(long[] entries, int level) {
    census.add(entries, new Slots(0, entries.length), level, -1);
    for (int slot = 0; marks > 0 && slot < entries.length; slot++) {
      marks -= P2mEntry.isMarked(entries[slot]) ? 1 : 0;
    }
  }

  /**
   * Frees tables from the bottom up, at most {@code limit} of them.
   *
   * @return whether only the root is left, empty
   */
  boolean relinquish(int limit) {
    int freed = 0;
    for (int slot = 0; slot < geometry.entries(); slot++) {
      long at = root + (long) slot * Long.BYTES;
      while (isTable(memory.readWord(at), geometry.levels())) {
        if (freed == limit) {
          return false;
        }
        freeLowestTable(at);
        freed++;
      }
    }
    return true;
  }

  /** Gives the root back too; the tree is not to be used any more. */
  void freeRoot() {
    free(root);
  }

  private void freeLowestTable(long rootSlot) {
    long at = rootSlot;
    int level = geometry.levels();
    while (level > 2) {
      long child = firstTable(P2mEntry.target(memory.readWord(at)), level - 1);
      if (child < 0) {
        break;
      }
      at = child;
      level--;
    }
    long entry = memory.readWord(at);
    marks -= P2mEntry.isMarked(entry) ? 1 : 0;
    write(at, P2mEntry.EMPTY);
    freeBelow(entry, level, false);
  }

  private long firstTable(long table, int level) {
    for (int slot = 0; slot < geometry.entries(); slot++) {
      long at = table + (long) slot * Long.BYTES;
      if (isTable(memory.readWord(at), level)) {
        return at;
      }
    }
    return -1;
  }

  private void free(long table) {
    pool.give(Mfn.containing(table).value());
    tables--;
  }

  /** Where a walk towards a leaf stops: the entry, its address and its level. */
  record Junction(int level, long at, long entry) {}

  /**
   * New tables.
   *
   * @param entry the entry that hooks them up
   * @param leafAt address of the wanted leaf's entry in the lowest one
   */
  record Branch(long entry, long leafAt) {}
}
