package io.hypercalld.core.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.format.ResultFormatType;
import org.openjdk.jmh.runner.NoBenchmarksException;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.Options;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/**
 * What {@code mvn -Pbench verify} starts: all benchmarks on the class path, a JSON of their results
 * and a table of ratios. Iterations are short: ratios of one run are what counts here. The warm-up
 * is long, as what it compiles is large, and compiled beside what is measured where cores are few.
 */
public final class Benchmarks {
  private static final TimeValue ITERATION = TimeValue.milliseconds(500);
  private static final int WARM_UP = 24;

  private Benchmarks() {}

  /**
   * Runs them.
   *
   * @param args a regular expression of benchmarks to run; the JSON file to write
   */
  public static void main(String[] args) throws RunnerException, IOException {
    Path json = Path.of(args[1]);
    Files.createDirectories(json.toAbsolutePath().getParent());
    try {
      System.out.println(BenchmarkTable.of(new Runner(options(args[0], json)).run()));
      System.out.println("Results in " + json);
    } catch (NoBenchmarksException _) {
      System.out.println("No benchmark here is called " + args[0]);
    }
  }

  // The collector is the daemon's: another one's barriers would be measured with every store.
  private static Options options(String include, Path json) {
    return new OptionsBuilder()
        .include(include)
        .mode(Mode.AverageTime)
        .timeUnit(java.util.concurrent.TimeUnit.NANOSECONDS)
        .forks(1)
        .jvmArgsAppend("-XX:+UseSerialGC")
        .warmupIterations(WARM_UP)
        .warmupTime(ITERATION)
        .measurementIterations(10)
        .measurementTime(ITERATION)
        .addProfiler(GCProfiler.class)
        .resultFormat(ResultFormatType.JSON)
        .result(json.toString())
        .verbosity(VerboseMode.SILENT)
        .build();
  }
}
