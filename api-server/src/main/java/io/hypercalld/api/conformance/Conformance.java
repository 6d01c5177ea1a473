package io.hypercalld.api.conformance;

import java.io.PrintStream;
import java.nio.file.Path;
import java.util.List;

/** The program behind {@code hypercalld conformance}. */
public final class Conformance {
  private Conformance() {}

  /**
   * Puts every recording to this silicon and prints what differs.
   *
   * @param recordings corpus files, captures' directories, or directories of either
   * @return whether nothing differs
   * @throws UnreadableRecording where one of them cannot be read or is no recording
   */
  public static boolean run(List<Path> recordings, PrintStream out) {
    return report(recordings, out).failed() == 0;
  }

  /** The same, with all that was found. */
  static Report report(List<Path> recordings, PrintStream out) {
    Report report = new Report(out);
    try {
      for (Path each : recordings) {
        Recordings.at(each).forEach(recording -> run(recording, report));
      }
    } finally {
      report.close();
    }
    return report;
  }

  private static void run(Recordings recording, Report report) {
    switch (recording) {
      case Recordings.Corpus(Path file) ->
          RecordedLines.forEach(file, line -> CaseRun.run(CaseReader.read(line), report));
      case Recordings.DriverCapture(Path directory) ->
          CaptureRun.run(new Capture(directory), report);
    }
  }
}
