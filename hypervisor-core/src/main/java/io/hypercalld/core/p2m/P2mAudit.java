package io.hypercalld.core.p2m;

import java.util.ArrayList;
import java.util.List;

/**
 * Counts again what a P2M keeps counts of, and looks for marks where none may be. Confined to the
 * machine thread; used for one check and thrown away.
 */
final class P2mAudit {
  private final LeafCensus recount = new LeafCensus();
  private final List<String> violations = new ArrayList<>();
  private final TableTree tree;
  private long marks;
  private long tables;

  P2mAudit(TableTree tree) {
    this.tree = tree;
  }

  /** Every violation as a sentence; empty where all is well. */
  List<String> violations() {
    P2mGeometry geometry = tree.geometry();
    recount(tree.root(), geometry.levels());
    if (tables != tree.tables()) {
      violations.add("%d tables were reached, %d are counted".formatted(tables, tree.tables()));
    }
    if (marks != tree.marks) {
      violations.add("%d entries are marked, %d are counted".formatted(marks, tree.marks));
    }
    for (P2mType type : P2mType.values()) {
      for (int level = 1; level <= geometry.levels(); level++) {
        long found = recount.of(type, level);
        long counted = tree.census().of(type, level);
        if (found != counted) {
          violations.add(
              "%d leaves of %s and order %d are mapped, %d are counted"
                  .formatted(found, type, geometry.order(level), counted));
        }
      }
    }
    return violations;
  }

  private void recount(long table, int level) {
    tables++;
    for (int slot = 0; slot < tree.geometry().entries(); slot++) {
      long at = table + (long) slot * Long.BYTES;
      long entry = tree.read(at);
      recount.add(entry, level, 1);
      if (P2mEntry.isMarked(entry)) {
        marks++;
        if (!P2mEntry.isPresent(entry)) {
          violations.add("the entry at 0x%x is marked and permits nothing".formatted(at));
        }
      }
      if (TableTree.isTable(entry, level)) {
        recount(P2mEntry.target(entry), level - 1);
      }
    }
  }
}
