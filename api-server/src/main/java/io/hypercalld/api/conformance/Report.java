package io.hypercalld.api.conformance;

import java.io.PrintStream;
import java.util.Map;
import java.util.TreeMap;

/**
 * What a run found, printed as it is found. Confined to the thread that runs it.
 *
 * <p>A case fails once, at its first wrong step. A skip is a part of a case that the recording
 * cannot answer for, and does not make it fail. A deviation is a place where the recorded
 * implementation, not this one, left the specification.
 */
public final class Report {
  private final PrintStream out;
  private final Map<String, Long> deviations = new TreeMap<>();
  private final Map<String, Long> consequences = new TreeMap<>();
  private long passed;
  private long failed;
  private long skipped;

  public Report(PrintStream out) {
    this.out = out;
  }

  /** All of a case's checks held. */
  void pass() {
    passed++;
  }

  /** One of a case's checks did not hold. */
  void fail(String id, Mismatch mismatch) {
    failed++;
    out.println("FAIL " + id + " " + mismatch.line());
  }

  /** A part of a case was left out. */
  void skip(String where, String reason) {
    skipped++;
    out.println("skip " + where + ": " + reason);
  }

  /** Says how much there was to check. */
  void note(String line) {
    out.println(line);
  }

  /** The recorded implementation deviated here, by a name of the corpus or of its description. */
  void deviation(String name) {
    deviations.merge(Deviation.labelled(name), 1L, Long::sum);
  }

  /** A difference was let pass because it follows from an earlier deviation or choice. */
  void consequence(String cause) {
    consequences.merge(Deviation.labelled(cause), 1L, Long::sum);
  }

  /** The deviations by label, and how many of each. */
  public Map<String, Long> deviations() {
    return Map.copyOf(deviations);
  }

  public long passed() {
    return passed;
  }

  public long failed() {
    return failed;
  }

  public long skipped() {
    return skipped;
  }

  /** Prints what is known only at the end. */
  void close() {
    deviations.forEach((label, count) -> out.println("deviation " + label + ": " + count));
    consequences.forEach(
        (label, count) -> out.println("register differences after " + label + ": " + count));
    out.println(passed + " passed, " + failed + " failed, " + skipped + " skipped");
  }
}
