package io.hypercalld.api.bench;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A daemon in a process of its own, from this class path, with the launcher's options of the JVM.
 * Thread-safe.
 */
public final class DaemonProcess implements AutoCloseable {
  private static final Path OPTIONS = Path.of("src/main/launch/jvm.options");
  private static final Pattern URL = Pattern.compile("\"url\":\"([^\"]+)\"");
  private static final Pattern RESIDENT = Pattern.compile("(?m)^VmRSS:\\s+([0-9]+) kB$");

  private final Process process;
  private final URI url;

  private DaemonProcess(Process process, URI url) {
    this.process = process;
    this.url = url;
  }

  /**
   * Starts one on a free port, as the launcher does.
   *
   * @param jvmOptions more of them: {@code -Xmx512m}
   */
  public static DaemonProcess start(List<String> jvmOptions, String... options) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("@" + OPTIONS.toAbsolutePath());
    command.addAll(jvmOptions);
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.addAll(List.of("io.hypercalld.api.Daemon", "--port", "0"));
    command.addAll(List.of(options));
    Process process =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    String ready = String.valueOf(process.inputReader().readLine());
    Matcher url = URL.matcher(ready);
    if (!url.find()) {
      process.destroyForcibly();
      throw new IllegalStateException("instead of a ready line: " + ready);
    }
    return new DaemonProcess(process, URI.create(url.group(1)));
  }

  /** Where it listens. */
  public URI url() {
    return url;
  }

  public ProcessHandle handle() {
    return process.toHandle();
  }

  /** Memory of the host that it occupies, in bytes; Linux only. */
  public long residentBytes() throws IOException {
    Matcher resident =
        RESIDENT.matcher(Files.readString(Path.of("/proc/" + process.pid() + "/status")));
    return resident.find() ? Long.parseLong(resident.group(1)) << 10 : 0;
  }

  /** The same in MiB. */
  double residentMebibytes() throws IOException {
    return residentBytes() / (double) (1 << 20);
  }

  /** Processor time that it has used. */
  public long processorNanos() {
    return process.info().totalCpuDuration().orElseThrow().toNanos();
  }

  /** Asks it to end and waits for that; its exit status. */
  public int stop() throws InterruptedException {
    process.destroy();
    if (!process.waitFor(30, TimeUnit.SECONDS)) {
      throw new IllegalStateException("the daemon does not end");
    }
    return process.exitValue();
  }

  @Override
  public void close() {
    process.destroyForcibly();
  }
}
