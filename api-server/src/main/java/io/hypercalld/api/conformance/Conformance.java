package io.hypercalld.api.conformance;

import io.hypercalld.iommu.vtd.Habits;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.List;

/** The program behind {@code hypercalld conformance}. */
public final class Conformance {
  /** The sets of what is allowed presume as much, and registers one record of faults. */
  private static final String AS_RECORDED =
      "silicon set as recorded: one fault for each requester; context entries and leaves are"
          + " remembered, tables and absent entries are not";

  private Conformance() {}

  /**
   * Puts every recording to this silicon and prints what differs.
   *
   * @param recordings corpus files, captures' directories, or directories of either
   * @param verbose whether to print every difference that is let pass, too
   * @return what was found; a recording that cannot be understood is counted there
   */
  public static Report run(List<Path> recordings, boolean verbose, PrintStream out) {
    Report report = new Report(out, verbose);
    report.note(AS_RECORDED);
    run(recordings, Habits.LENIENT, report);
    return report;
  }

  /**
   * Puts captures to a guest's virtual unit, its devices going through shadows; leaves out what is
   * no capture.
   *
   * @return as {@link #run}
   */
  public static Report runInGuests(List<Path> recordings, Report report) {
    run(recordings, GuestMachine::new, report);
    return report;
  }

  /** Puts captures to hosts of some kind. */
  static void run(List<Path> recordings, CaptureRun.Hosts hosts, Report report) {
    for (Path each : recordings) {
      understand(report, () -> Recordings.at(each).forEach(found -> run(found, hosts, report)));
    }
    report.close();
  }

  private static void run(Recordings recording, CaptureRun.Hosts hosts, Report report) {
    if (recording instanceof Recordings.DriverCapture(Path directory)) {
      understand(report, () -> CaptureRun.run(new Capture(directory), hosts, report));
    }
  }

  /** Puts recordings to silicon of some habits. */
  static void run(List<Path> recordings, Habits habits, Report report) {
    for (Path each : recordings) {
      understand(
          report, () -> Recordings.at(each).forEach(recording -> run(recording, habits, report)));
    }
    report.close();
  }

  private static void run(Recordings recording, Habits habits, Report report) {
    understand(
        report,
        () -> {
          switch (recording) {
            case Recordings.Corpus(Path file) ->
                RecordedLines.forEach(
                    file,
                    report::unreadable,
                    line -> CaseRun.run(CaseReader.read(line), habits, report));
            case Recordings.DriverCapture(Path directory) ->
                CaptureRun.run(new Capture(directory), CaseMachine::bare, report);
          }
        });
  }

  /** What cannot be understood is told, and does not keep the rest from being judged. */
  private static void understand(Report report, Runnable judge) {
    try {
      judge.run();
    } catch (UnreadableRecording e) {
      report.unreadable(e);
    }
  }
}
