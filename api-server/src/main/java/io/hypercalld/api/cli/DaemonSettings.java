package io.hypercalld.api.cli;

import io.hypercalld.api.json.Size;
import io.hypercalld.iommu.driver.DomainIdPolicy;
import io.hypercalld.iommu.driver.Profile;
import io.hypercalld.iommu.driver.Quarantine;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * How the daemon runs, with every value understood. Immutable.
 *
 * @param platform a built-in name or a file; empty where a DMAR table takes its place
 * @param memory empty where the platform says how much
 * @param policies those that are not Xen's own
 */
public record DaemonSettings(
    Listen listen,
    Optional<String> platform,
    Optional<Firmware> firmware,
    Optional<Size> memory,
    Policies policies,
    boolean simApi,
    LogFormat logFormat,
    LogLevel logLevel) {
  /** The platform of a machine that nobody describes. */
  public static final String DEFAULT_PLATFORM = "two-socket";

  /** Where and for whom to listen. Immutable. */
  public record Listen(
      String host,
      int port,
      Optional<Path> tokenFile,
      Optional<Certificate> certificate,
      Optional<Path> unixSocket) {
    /** A port, and nothing encrypted. */
    public Listen(String host, int port, Optional<Path> tokenFile) {
      this(host, port, tokenFile, Optional.empty(), Optional.empty());
    }
  }

  /** What proves who serves; files in PEM form. Immutable. */
  public record Certificate(Path chain, Path key) {}

  /** How devices are handled, where that is not Xen's own way. Immutable. */
  public record Policies(
      Optional<DomainIdPolicy> domainIds,
      Optional<Quarantine.Mode> quarantine,
      Optional<Profile> profile) {
    /** All of them Xen's own. */
    public static Policies usual() {
      return new Policies(Optional.empty(), Optional.empty(), Optional.empty());
    }
  }

  /** What was read off a real machine. Immutable. */
  public record Firmware(Path dmar, Optional<Path> lspci) {}

  /** With the usual lines in the log. */
  public DaemonSettings(
      Listen listen,
      Optional<String> platform,
      Optional<Firmware> firmware,
      Optional<Size> memory,
      Policies policies,
      boolean simApi,
      LogFormat logFormat) {
    this(listen, platform, firmware, memory, policies, simApi, logFormat, LogLevel.WARN);
  }

  /** What is logged of requests. */
  public enum LogLevel {
    /** Nothing but bugs. */
    ERROR,
    /** Those that failed. */
    WARN,
    /** All. */
    INFO
  }

  /** How log lines are written. */
  public enum LogFormat {
    TEXT,
    JSON
  }

  /** The settings as a configuration file would have them. */
  public String toYaml() {
    Map<Setting, Object> values = new LinkedHashMap<>();
    values.put(Setting.PORT, listen.port);
    values.put(Setting.HOST, listen.host);
    platform.ifPresent(name -> values.put(Setting.PLATFORM, name));
    firmware.ifPresent(
        real -> {
          values.put(Setting.DMAR, real.dmar);
          real.lspci.ifPresent(listing -> values.put(Setting.LSPCI, listing));
        });
    memory.ifPresent(size -> values.put(Setting.MEMORY, size));
    policies.domainIds.ifPresent(ids -> values.put(Setting.DOMAIN_IDS, ids));
    policies.quarantine.ifPresent(mode -> values.put(Setting.QUARANTINE, mode));
    policies.profile.ifPresent(profile -> values.put(Setting.PROFILE, profile));
    listen.tokenFile.ifPresent(file -> values.put(Setting.TOKEN_FILE, file));
    listen.certificate.ifPresent(
        files -> {
          values.put(Setting.TLS_CERT, files.chain);
          values.put(Setting.TLS_KEY, files.key);
        });
    listen.unixSocket.ifPresent(path -> values.put(Setting.UNIX_SOCKET, path));
    values.put(Setting.NO_SIM_API, !simApi);
    values.put(Setting.LOG_FORMAT, logFormat.name().toLowerCase(java.util.Locale.ROOT));
    values.put(Setting.LOG_LEVEL, logLevel.name().toLowerCase(java.util.Locale.ROOT));
    StringBuilder yaml = new StringBuilder();
    values.forEach(
        (setting, value) ->
            yaml.append(setting.key()).append(": ").append(scalar(value)).append('\n'));
    return yaml.toString();
  }

  private static String scalar(Object value) {
    String text = value.toString();
    return value instanceof Number || value instanceof Boolean
        ? text
        : "\"" + text.replace("\\", "\\\\").replace("\"", "\\\"") + "\"";
  }
}
