package io.hypercalld.iommu.unit;

import io.hypercalld.core.bits.Word;
import java.util.Map;

/**
 * One thing that hardware looks at on the way of a request. Immutable.
 *
 * @param table what was looked at
 * @param level of the paging table, 1 being the lowest; 0 elsewhere
 * @param address machine address of the entry, offset of the register; 0 for a cache
 * @param raw the entry as it stands, in hexadecimal; 128 bits with the upper word first
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
    IOTLB("iotlb"),
    SECOND_LEVEL("second-level"),
    PROTECTED_MEMORY("protected-memory"),
    MESSAGE("message"),
    INTERRUPT_CACHE("interrupt-cache"),
    INTERRUPT("interrupt"),
    POSTED_DESCRIPTOR("posted-descriptor");

    private final String text;

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

  static String raw(long lo, long hi) {
    return hi == 0 ? new Word(lo).toString() : "0x%x%016x".formatted(hi, lo);
  }

  boolean isBlocked() {
    return verdict == Verdict.BLOCKED;
  }
}
