package io.hypercalld.core.p2m;

import io.hypercalld.core.memory.MachineMemory;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.memory.PagingPool;

/**
 * The tables of one P2M as words in memory: walking, growing, freeing. Confined to the machine
 * thread.
 *
 * <p>It does not judge what is written; that is its owner's part.
 */
final class TableTree {
  /** The level of the root table. */
  static final int ROOT_LEVEL = 4;

  static final int ENTRIES = 512;

  private final P2mCounters counters;
  private final MachineMemory memory;
  private final PagingPool pool;
  private final long root;
  private long tables;

  /**
   * A root table without entries.
   *
   * @throws io.hypercalld.core.errno.Refusal ENOMEM where the pool has no page
   */
  TableTree(MachineMemory memory, PagingPool pool, P2mCounters counters) {
    this.memory = memory;
    this.pool = pool;
    this.counters = counters;
    this.root = newTable(P2mEntry.EMPTY, 0);
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

  long read(long at) {
    return memory.readWord(at);
  }

  void write(long at, long entry) {
    memory.writeWord(at, entry);
    counters.entryWrites++;
  }

  /** Writes consecutive entries, the value stepped from one to the next. */
  void fill(long at, long count, long entry, long step) {
    memory.fillWords(at, count, entry, step);
    counters.entryWrites += count;
  }

  /** The entry that decides about the frame: at {@code level}, or where tables end above it. */
  Junction descend(long gfn, int level) {
    long table = root;
    int at = ROOT_LEVEL;
    while (true) {
      long address = table + P2mEntry.offset(gfn, at);
      long entry = memory.readWord(address);
      if (at == level || !isTable(entry, at)) {
        counters.entryReads += ROOT_LEVEL + 1 - at;
        return new Junction(at, address, entry);
      }
      table = P2mEntry.target(entry);
      at--;
    }
  }

  /**
   * Makes the tables missing below a junction, with copies of its leaf where it has one. Nothing
   * leads to them yet.
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
      above = table + P2mEntry.offset(gfn, below);
      leaf = memory.readWord(above);
    }
    return new Branch(top, above);
  }

  /** The first of the 512 leaves at the level that together are the leaf above. */
  private static long childLeaf(long leaf, int level) {
    return level == 1 ? P2mEntry.SP.clear(leaf) : leaf;
  }

  private static long childStep(long leaf, int level) {
    boolean steps = leaf != P2mEntry.EMPTY && P2mEntry.hasFrame(leaf);
    return steps ? P2mEntry.MFN.of(PageSize.ofLevel(level).frames()) : 0;
  }

  private long newTable(long firstEntry, long step) {
    long table = new Mfn(pool.take()).maddr();
    fill(table, ENTRIES, firstEntry, step);
    tables++;
    return table;
  }

  /** Frees the table that the entry names and all tables below it. */
  void freeBelow(long entry, int level) {
    long table = P2mEntry.target(entry);
    for (int slot = 0; level > 2 && slot < ENTRIES; slot++) {
      long child = memory.readWord(table + (long) slot * Long.BYTES);
      if (isTable(child, level - 1)) {
        freeBelow(child, level - 1);
      }
    }
    free(table);
  }

  /**
   * Frees tables from the bottom up, at most {@code limit} of them.
   *
   * @return whether only the root is left, empty
   */
  boolean relinquish(int limit) {
    int freed = 0;
    for (int slot = 0; slot < ENTRIES; slot++) {
      long at = root + (long) slot * Long.BYTES;
      while (isTable(memory.readWord(at), ROOT_LEVEL)) {
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
    for (int level = ROOT_LEVEL - 1; level > 1; level--) {
      long child = firstTable(P2mEntry.target(memory.readWord(at)), level);
      if (child < 0) {
        break;
      }
      at = child;
    }
    long table = P2mEntry.target(memory.readWord(at));
    write(at, P2mEntry.EMPTY);
    free(table);
  }

  private long firstTable(long table, int level) {
    for (int slot = 0; slot < ENTRIES; slot++) {
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
