package io.hypercalld.api;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.hypercalld.api.cli.ConformanceOptions;
import io.hypercalld.api.cli.DaemonSettings;
import io.hypercalld.api.cli.InvalidSetting;
import io.hypercalld.api.cli.StartOptions;
import io.hypercalld.api.client.Client;
import io.hypercalld.api.client.Terminal;
import io.hypercalld.api.conformance.Conformance;
import io.hypercalld.api.conformance.Report;
import io.hypercalld.api.platform.PlatformSource;
import io.hypercalld.api.platform.PlatformSource.LoadedPlatform;
import io.hypercalld.core.errno.MalformedInput;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.iommu.platform.Platform;
import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** The program: understands how it is started, starts it, and ends it well. */
public final class Daemon {
  private static final int OK = 0;
  private static final int FAILED = 1;
  private static final int USAGE = 2;

  private Daemon() {}

  public static void main(String[] arguments) {
    if (arguments.length > 0 && Client.answersTo(arguments[0])) {
      System.exit(Client.run(List.of(arguments), System.getenv(), terminal()).code());
    }
    try {
      if (arguments.length > 0 && arguments[0].equals(ConformanceOptions.VERB)) {
        conform(ConformanceOptions.parse(List.of(arguments)));
        return;
      }
      start(StartOptions.parse(List.of(arguments), System.getenv()));
    } catch (InvalidSetting e) {
      fail(USAGE, e.line());
    } catch (MalformedInput e) {
      fail(USAGE, e.reason());
    } catch (Refusal e) {
      fail(USAGE, "the platform cannot be booted: " + e.reason());
    } catch (CannotListen e) {
      fail(FAILED, e.line());
    }
  }

  private static Terminal terminal() {
    return new Terminal(
        System.in,
        System.out,
        System.err,
        work -> Runtime.getRuntime().addShutdownHook(new Thread(work, "end of the command")));
  }

  private static void start(StartOptions options) {
    switch (options.action()) {
      case HELP -> print(options.usage());
      case VERSION -> print("hypercalld " + Versions.own() + "\n");
      case PRINT_CONFIG -> print(options.settings().toYaml());
      case CHECK_CONFIG -> check(options.settings());
      case SERVE -> serve(options.settings());
    }
  }

  private static void conform(ConformanceOptions options) {
    switch (options) {
      case ConformanceOptions.Help(String usage) -> print(usage);
      case ConformanceOptions.Run(var recordings, var verbose, var guest) -> {
        // Many lines: one store each would be most of the time.
        OutputStream out =
            new BufferedOutputStream(new FileOutputStream(FileDescriptor.out), 1 << 16);
        Report report;
        try (PrintStream lines = new PrintStream(out, false, UTF_8)) {
          report =
              guest
                  ? Conformance.runInGuests(recordings, new Report(lines, verbose))
                  : Conformance.run(recordings, verbose, lines);
        }
        report.unreadable().forEach(line -> System.err.println("hypercalld: " + line));
        if (!report.unreadable().isEmpty()) {
          System.exit(USAGE);
        }
        if (report.failed() > 0) {
          System.exit(FAILED);
        }
      }
    }
  }

  private static void check(DaemonSettings settings) {
    Tokens.read(settings.listen().tokenFile());
    Tls.of(settings.listen().certificate());
    Platform platform = platform(settings).platform();
    print(
        "ok: platform %s, %d iommus, %d functions\n"
            .formatted(platform.name(), platform.units().size(), platform.functions().size()));
  }

  private static void serve(DaemonSettings settings) {
    Logging.configure(settings.logFormat(), settings.logLevel());
    CompletableFuture<RunningDaemon> started = new CompletableFuture<>();
    Runtime.getRuntime().addShutdownHook(new Thread(() -> end(started), "shutdown"));
    RunningDaemon daemon;
    try {
      daemon = RunningDaemon.start(settings, () -> platform(settings));
      started.complete(daemon);
    } catch (RuntimeException e) {
      started.completeExceptionally(e);
      throw e;
    }
    print(
        Ready.line(
            daemon.url(),
            ProcessHandle.current().pid(),
            daemon.platformName(),
            System.currentTimeMillis() - startMillis()));
  }

  private static long startMillis() {
    return ProcessHandle.current()
        .info()
        .startInstant()
        .map(java.time.Instant::toEpochMilli)
        .orElseGet(System::currentTimeMillis);
  }

  /**
   * On SIGTERM: the JVM would report the signal, while for us it is the usual end, however far the
   * start has come. Of what could not start the status is another.
   */
  private static void end(CompletableFuture<RunningDaemon> started) {
    if (!started.isCompletedExceptionally()) {
      if (started.isDone()) {
        started.join().close();
      }
      Runtime.getRuntime().halt(OK);
    }
  }

  /**
   * The machine that the settings describe.
   *
   * @throws MalformedInput where its description cannot be
   */
  private static LoadedPlatform platform(DaemonSettings settings) {
    PlatformSource source =
        settings
            .firmware()
            .map(real -> PlatformSource.firmware(real.dmar(), real.lspci()))
            .orElseGet(() -> PlatformSource.named(settings.platform().orElseThrow()));
    LoadedPlatform loaded = source.load();
    loaded.warnings().forEach(warning -> System.err.println("hypercalld: " + warning));
    return settings.memory().map(size -> loaded.withMemory(size.bytes())).orElse(loaded);
  }

  private static void print(String text) {
    System.out.print(text);
    System.out.flush();
  }

  /** One line: whoever starts a daemon by a script reads it in a log. */
  private static void fail(int status, String line) {
    System.err.println("hypercalld: " + line);
    System.exit(status);
  }
}
