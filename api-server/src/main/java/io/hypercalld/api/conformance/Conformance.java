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
    Report report = new Report(out);
    for (Path each : recordings) {
      RecordedLines.forEach(each, line -> CaseRun.run(CaseReader.read(line), report));
    }
    report.close();
    return report.failed() == 0;
  }
}
