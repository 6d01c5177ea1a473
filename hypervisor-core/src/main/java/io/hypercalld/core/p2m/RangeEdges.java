package io.hypercalld.core.p2m;

import io.hypercalld.core.p2m.TableTree.Junction;

/**
 * The leaves that a range begins or ends inside of, and what it takes to split them. Immutable; as
 * good as the tables do not change.
 */
record RangeEdges(P2mGeometry geometry, Edge first, Edge end) {

  /**
   * A boundary and the leaf around it.
   *
   * @param lowest the highest level whose leaves could begin there
   */
  record Edge(long gfn, Junction around, int lowest) {
    static Edge of(TableTree tree, long gfn) {
      int lowest = 1;
      while (lowest < tree.geometry().levels()
          && (gfn & ((1L << tree.geometry().order(lowest + 1)) - 1)) == 0) {
        lowest++;
      }
      return new Edge(gfn, tree.descend(gfn, 1), lowest);
    }

    /** Whether splitting the leaf makes a table at the level. */
    boolean needsTable(int level) {
      return TypeRecalculation.isAffected(around.entry())
          && level >= lowest
          && level < around.level();
    }
  }

  static RangeEdges of(TableTree tree, long first, long end) {
    return new RangeEdges(tree.geometry(), Edge.of(tree, first), Edge.of(tree, end));
  }

  /** Tables to be made; one that both edges need counts once. */
  int tables() {
    int tables = 0;
    for (int level = 1; level < geometry.levels(); level++) {
      boolean one = first.needsTable(level);
      boolean other = end.needsTable(level);
      int order = geometry.order(level + 1);
      boolean shared = one && other && first.gfn >>> order == end.gfn >>> order;
      tables += (one ? 1 : 0) + (other && !shared ? 1 : 0);
    }
    return tables;
  }
}
