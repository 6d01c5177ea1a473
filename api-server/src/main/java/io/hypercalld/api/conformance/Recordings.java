package io.hypercalld.api.conformance;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** Finds what a path names: corpus files, and directories that are captures. Immutable. */
sealed interface Recordings {
  /** A file of cases, one a line. */
  record Corpus(Path file) implements Recordings {}

  /** The directory of one driver's capture. */
  record DriverCapture(Path directory) implements Recordings {}

  /**
   * The recordings that a path names, in the order of their names.
   *
   * @throws UnreadableRecording where there is none
   */
  static List<Recordings> at(Path path) {
    if (!Files.isDirectory(path)) {
      return List.of(new Corpus(path));
    }
    List<Recordings> found = new ArrayList<>();
    collect(path, found);
    if (found.isEmpty()) {
      throw new UnreadableRecording(path + ": no corpus file and no capture in this directory");
    }
    return found;
  }

  private static void collect(Path directory, List<Recordings> found) {
    List<Path> entries = entries(directory);
    if (entries.stream().anyMatch(each -> Capture.isState(each))) {
      found.add(new DriverCapture(directory));
      return;
    }
    for (Path entry : entries) {
      if (Files.isDirectory(entry)) {
        collect(entry, found);
      } else if (isCorpus(entry)) {
        found.add(new Corpus(entry));
      }
    }
  }

  private static boolean isCorpus(Path file) {
    String name = String.valueOf(file.getFileName());
    return name.endsWith(".jsonl") || name.endsWith(".jsonl.gz");
  }

  private static List<Path> entries(Path directory) {
    try (Stream<Path> entries = Files.list(directory)) {
      return entries.sorted().toList();
    } catch (IOException e) {
      throw new UnreadableRecording(directory + ": cannot be read");
    }
  }
}
