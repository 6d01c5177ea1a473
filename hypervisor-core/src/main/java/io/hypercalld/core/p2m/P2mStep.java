package io.hypercalld.core.p2m;

import io.hypercalld.core.bits.Word;
import java.util.Map;

/**
 * One step of a traced walk. Immutable.
 *
 * @param level 4 at the root, 1 at the lowest table
 * @param table machine address of the table
 * @param entryAddress machine address of the entry
 * @param raw the entry
 * @param fields the entry's fields by name
 */
public record P2mStep(
    int level, Word table, Word entryAddress, Word raw, Map<String, Word> fields, Verdict verdict) {
  /** Where the walk goes from here. */
  public enum Verdict {
    /** On to the next table. */
    NEXT,
    /** Ends at a leaf. */
    LEAF,
    /** Ends: nothing is mapped. */
    EMPTY
  }

  public P2mStep {
    fields = java.util.Collections.unmodifiableMap(new java.util.LinkedHashMap<>(fields));
  }
}
