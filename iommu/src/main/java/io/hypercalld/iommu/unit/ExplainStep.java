package io.hypercalld.iommu.unit;

import io.hypercalld.core.bits.Word;
import java.util.Map;

/**
 * One thing that hardware looks at on the way of a request. Immutable.
 *
 * @param table what was looked at
 * @param level of the paging table, 1 being the lowest; 0 elsewhere
 * @param address machine address of the entry, offset of the register; 0 for a cache
 * @param raw the entry as it stands, in hexadecimal; of several words the uppermost first
 * @param fields names and values of the entry's fields
 * @param verdict what follows from it
 * @param note the same in words
 */
public record ExplainStep(
    Table table,
    int level,
    long address,
    String raw,
    Map<String, Word> fields,
    Verdict verdict,
    String note) {
  /** Where a step looks. */
  public enum Table {
    REGISTER("register"),
    CONTEXT_CACHE("context-cache"),
    ROOT("root"),
    CONTEXT("context"),
    PASID_CACHE("pasid-cache"),
    PASID_DIRECTORY("pasid-directory"),
    PASID("pasid"),
    IOTLB("iotlb"),
    PAGING_STRUCTURE_CACHE("paging-structure-cache"),
    FIRST_LEVEL("first-level"),
    SECOND_LEVEL("second-level"),
    PROTECTED_MEMORY("protected-memory"),
    MESSAGE("message"),
    INTERRUPT_CACHE("interrupt-cache"),
    INTERRUPT("interrupt"),
    POSTED_DESCRIPTOR("posted-descriptor");

    private final String text;

    /** Whether it is a cache of the unit rather than something in memory. */
    public boolean isCache() {
      return this == CONTEXT_CACHE
          || this == PASID_CACHE
          || this == IOTLB
          || this == PAGING_STRUCTURE_CACHE;
    }

    /** Whether it is a table with levels. */
    public boolean isPaging() {
      return this == FIRST_LEVEL || this == SECOND_LEVEL;
    }

    Table(String text) {
      this.text = text;
    }

    @Override
    public String toString() {
      return text;
    }
  }

  /** What follows from a step. */
  public enum Verdict {
    /** The request goes on to the next table. */
    NEXT("next"),

    /** The request ends here and passes. */
    LEAF("leaf"),
    BLOCKED("blocked"),

    /** A cache answers. */
    HIT("hit"),
    MISS("miss");

    private final String text;

    Verdict(String text) {
      this.text = text;
    }

    @Override
    public String toString() {
      return text;
    }
  }

  /** The words of an entry, lowest first, as one number. */
  static String raw(long... words) {
    int last = words.length - 1;
    while (last > 0 && words[last] == 0) {
      last--;
    }
    StringBuilder text = new StringBuilder(new Word(words[last]).toString());
    for (int word = last - 1; word >= 0; word--) {
      text.append("%016x".formatted(words[word]));
    }
    return text.toString();
  }

  boolean isBlocked() {
    return verdict == Verdict.BLOCKED;
  }
}
