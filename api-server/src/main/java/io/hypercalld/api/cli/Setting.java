package io.hypercalld.api.cli;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** What can be set. The key is that of the configuration file; the other names follow from it. */
public enum Setting {
  PORT("PORT", "TCP port to listen on; 0 takes any free one", "7780"),
  HOST("ADDRESS", "address to listen on; all but loopback need a token", "127.0.0.1"),
  PLATFORM("NAME|FILE.yaml", "the machine to simulate: a built-in name or a file", null),
  DMAR("FILE", "a real machine's ACPI DMAR table, binary", null),
  LSPCI("FILE", "that machine's PCI listing, from lspci -vvnn or lspci -xxxx", null),
  MEMORY("SIZE", "memory of the machine, such as 64GiB", null),
  DOMAIN_IDS("per-unit|global|verbatim", "how domain-ids are chosen", null),
  QUARANTINE("off|basic|scratch-page", "what devices without guests reach", null),
  PROFILE("today|as-shipped|fixed", "which Xen it is", null),
  TOKEN_FILE(
      "FILE", "a file with the tokens that callers must present, and what each is good for", null),
  TLS_CERT("FILE.pem", "the certificate to serve HTTPS with, and its chain", null),
  TLS_KEY("FILE.pem", "its private key, PKCS#8 and not encrypted", null),
  UNIX_SOCKET("PATH", "a socket in the file system to listen on besides the port", null),
  NO_SIM_API(null, "serve no test-only controls under /_sim/", "false"),
  LOG_FORMAT("text|json", "how log lines are written to standard error", "text"),
  LOG_LEVEL("error|warn|info", "which requests are logged: none, failed ones, all", "warn");

  private final Optional<String> parameter;
  private final String description;
  private final Optional<String> fallback;

  Setting(
      @org.jspecify.annotations.Nullable String parameter,
      String description,
      @org.jspecify.annotations.Nullable String fallback) {
    this.parameter = Optional.ofNullable(parameter);
    this.description = description;
    this.fallback = Optional.ofNullable(fallback);
  }

  /** The name in a configuration file: {@code token-file}. */
  public String key() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /** The name on the command line: {@code --token-file}. */
  public String flag() {
    return "--" + key();
  }

  /** The name in the environment: {@code HV_TOKEN_FILE}. */
  public String variable() {
    return "HV_" + name();
  }

  /** What the flag takes; empty for a switch. */
  public Optional<String> parameter() {
    return parameter;
  }

  public String description() {
    return description;
  }

  /** What it is where nobody sets it. */
  public Optional<String> fallback() {
    return fallback;
  }

  static Optional<Setting> ofKey(String key) {
    return Arrays.stream(values()).filter(setting -> setting.key().equals(key)).findFirst();
  }

  static List<String> keys() {
    return Arrays.stream(values()).map(Setting::key).toList();
  }
}
