package io.hypercalld.api.conformance;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What a run found, printed as it is found. Confined to the thread that runs it.
 *
 * <p>A case fails once, at its first wrong step. A skip is a part of a case that the recording
 * cannot answer for, and does not make it fail. A deviation is a place where the recorded
 * implementation, not this one, left the specification; a freedom is a difference that is let pass
 * because of one; what follows from either is held to a model of each side.
 */
public final class Report {
  private final PrintStream out;
  private final boolean verbose;
  private final Map<String, Long> deviations = new TreeMap<>();
  private final Map<String, Long> freedoms = new TreeMap<>();
  private final Map<String, Long> consequences = new TreeMap<>();
  private final Map<String, Long> reasons = new TreeMap<>();
  private final List<String> unreadable = new ArrayList<>();
  private String place = "";
  private long passed;
  private long failed;
  private long skipped;

  public Report(PrintStream out) {
    this(out, false);
  }

  /**
   * @param verbose whether to print every difference that is let pass, too
   */
  public Report(PrintStream out, boolean verbose) {
    this.out = out;
    this.verbose = verbose;
  }

  /** What follows is about this case, and this step of it. */
  void at(String id, String step) {
    place = id + " " + step;
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

  /** A recording could not be understood, with where it lies. */
  void unreadable(UnreadableRecording why) {
    unreadable.add(why.reason());
  }

  /** A part of a case was left out. */
  void skip(String where, String reason) {
    skipped++;
    reasons.merge(reason, 1L, Long::sum);
    out.println("skip " + where + ": " + reason);
  }

  /** Says how much there was to check. */
  void note(String line) {
    out.println(line);
  }

  /** The recorded implementation deviated here, by a name of the corpus. */
  void deviation(String name) {
    count("deviation", deviations, Deviation.labelled(name));
  }

  /** A difference is let pass, for exactly this reason. */
  void freedom(Freedom freedom) {
    count("freedom", freedoms, freedom.label());
  }

  /** A word was held to the models of both sides, which differ since this happened. */
  void consequence(String cause) {
    count("model", consequences, Deviation.labelled(cause));
  }

  private void count(String kind, Map<String, Long> counts, String label) {
    counts.merge(label, 1L, Long::sum);
    if (verbose) {
      out.println(kind + " at " + place + ": " + label);
    }
  }

  /** The deviations by label, and how many of each. */
  public Map<String, Long> deviations() {
    return Map.copyOf(deviations);
  }

  /** The differences let pass, by label. */
  Map<String, Long> freedoms() {
    return Map.copyOf(freedoms);
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

  /** What could not be understood: one line each, with file and line. */
  public List<String> unreadable() {
    return List.copyOf(unreadable);
  }

  /** Prints what is known only at the end. */
  void close() {
    print("deviation ", deviations);
    print("freedom ", freedoms);
    print("held to both models after ", consequences);
    print("left out ", reasons);
    out.println(passed + " passed, " + failed + " failed, " + skipped + " skipped");
  }

  private void print(String what, Map<String, Long> counts) {
    counts.forEach((label, count) -> out.println(what + label + ": " + count));
  }
}
