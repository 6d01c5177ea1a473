package io.hypercalld.api.conformance;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;

/** A capture in a directory of its own, whose facts may be made false. */
record CopiedCapture(Path directory) {
  static CopiedCapture into(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(Corpus.resource("captures/linux-strict-aw39"))) {
      for (Path file : files.toList()) {
        Files.copy(file, directory.resolve(file.getFileName()));
      }
    }
    return new CopiedCapture(directory);
  }

  /** Flips the lowest bit of the number in the middle one of all places that match. */
  void falsify(String name, String pattern) throws IOException {
    Path file = directory.resolve(name);
    String text = new String(RecordedLines.bytes(file), StandardCharsets.UTF_8);
    List<MatchResult> places = Pattern.compile(pattern).matcher(text).results().toList();
    MatchResult place = places.get(places.size() / 2);
    long wrong = Hex.parse(place.group(1)) ^ 1L << Math.max(0, 12 * (place.group(1).length() / 6));
    String falsified =
        text.substring(0, place.start(1)) + Hex.of(wrong) + text.substring(place.end(1));
    try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(file))) {
      out.write(falsified.getBytes(StandardCharsets.UTF_8));
    }
  }
}
