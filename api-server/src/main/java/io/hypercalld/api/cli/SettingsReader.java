package io.hypercalld.api.cli;

import static io.hypercalld.api.cli.Setting.DMAR;
import static io.hypercalld.api.cli.Setting.DOMAIN_IDS;
import static io.hypercalld.api.cli.Setting.HOST;
import static io.hypercalld.api.cli.Setting.LOG_FORMAT;
import static io.hypercalld.api.cli.Setting.LOG_LEVEL;
import static io.hypercalld.api.cli.Setting.LSPCI;
import static io.hypercalld.api.cli.Setting.MEMORY;
import static io.hypercalld.api.cli.Setting.NO_SIM_API;
import static io.hypercalld.api.cli.Setting.PLATFORM;
import static io.hypercalld.api.cli.Setting.PORT;
import static io.hypercalld.api.cli.Setting.PROFILE;
import static io.hypercalld.api.cli.Setting.QUARANTINE;
import static io.hypercalld.api.cli.Setting.TLS_CERT;
import static io.hypercalld.api.cli.Setting.TLS_KEY;
import static io.hypercalld.api.cli.Setting.TOKEN_FILE;
import static io.hypercalld.api.cli.Setting.UNIX_SOCKET;

import io.hypercalld.api.json.Size;
import io.hypercalld.iommu.driver.DomainIdPolicy;
import io.hypercalld.iommu.driver.Profile;
import io.hypercalld.iommu.driver.Quarantine;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.function.Function;

/** Understands the text of every setting and what they mean together. */
final class SettingsReader {
  private static final int HIGHEST_PORT = 0xffff;

  private final SettingSources sources;

  SettingsReader(SettingSources sources) {
    this.sources = sources;
  }

  /**
   * The settings of all sources.
   *
   * @throws InvalidSetting where one means nothing, or two contradict each other
   */
  DaemonSettings read() {
    Optional<DaemonSettings.Firmware> firmware = firmware();
    return new DaemonSettings(
        listen(),
        firmware.isPresent()
            ? Optional.empty()
            : text(PLATFORM).or(() -> Optional.of(DaemonSettings.DEFAULT_PLATFORM)),
        firmware,
        value(MEMORY, SettingsReader::size, "a size such as 64GiB"),
        policies(),
        !demand(NO_SIM_API, SettingsReader::bool, "true or false"),
        demand(LOG_FORMAT, SettingsReader::logFormat, "text or json"),
        demand(LOG_LEVEL, SettingsReader::logLevel, "error, warn or info"));
  }

  private DaemonSettings.Policies policies() {
    return new DaemonSettings.Policies(
        choice(DOMAIN_IDS, DomainIdPolicy.class),
        choice(QUARANTINE, Quarantine.Mode.class),
        choice(PROFILE, Profile.class));
  }

  private <E extends Enum<E>> Optional<E> choice(Setting setting, Class<E> type) {
    return value(
        setting,
        text ->
            Arrays.stream(type.getEnumConstants())
                .filter(constant -> constant.toString().equals(text))
                .findFirst(),
        "one of " + setting.parameter().orElseThrow());
  }

  private DaemonSettings.Listen listen() {
    String host = demand(HOST, Optional::of, "an address");
    Optional<Path> token = text(TOKEN_FILE).map(Path::of);
    if (token.isEmpty() && !isLoopback(host)) {
      throw InvalidSetting.of(
          "%s: %s is not a loopback address, which needs %s",
          sources.find(HOST).orElseThrow().origin(), host, TOKEN_FILE.flag());
    }
    return new DaemonSettings.Listen(
        host,
        demand(PORT, SettingsReader::port, "a port from 0 to 65535"),
        token,
        certificate(),
        text(UNIX_SOCKET).map(Path::of));
  }

  private Optional<DaemonSettings.Certificate> certificate() {
    Optional<String> chain = text(TLS_CERT);
    Optional<String> key = text(TLS_KEY);
    if (chain.isPresent() != key.isPresent()) {
      throw InvalidSetting.of("%s and %s go together", TLS_CERT.flag(), TLS_KEY.flag());
    }
    return chain.map(
        file -> new DaemonSettings.Certificate(Path.of(file), Path.of(key.orElseThrow())));
  }

  private Optional<DaemonSettings.Firmware> firmware() {
    Optional<String> dmar = text(DMAR);
    Optional<String> lspci = text(LSPCI);
    if (dmar.isEmpty() && lspci.isPresent()) {
      throw InvalidSetting.of(
          "%s alone does not describe a machine, %s is missing", LSPCI.flag(), DMAR.flag());
    }
    if (dmar.isPresent() && sources.sets(PLATFORM)) {
      throw InvalidSetting.of(
          "%s and %s both describe the machine, choose one", PLATFORM.flag(), DMAR.flag());
    }
    return dmar.map(table -> new DaemonSettings.Firmware(Path.of(table), lspci.map(Path::of)));
  }

  private boolean isLoopback(String host) {
    try {
      return InetAddress.getByName(host).isLoopbackAddress();
    } catch (UnknownHostException e) {
      throw InvalidSetting.of(
          "%s: %s is not an address", sources.find(HOST).orElseThrow().origin(), host);
    }
  }

  private Optional<String> text(Setting setting) {
    return value(setting, text -> Optional.of(text).filter(t -> !t.isBlank()), "a text");
  }

  private <T> T demand(Setting setting, Function<String, Optional<T>> parse, String due) {
    return value(setting, parse, due)
        .orElseThrow(() -> InvalidSetting.of("%s is missing", setting.flag()));
  }

  private <T> Optional<T> value(Setting setting, Function<String, Optional<T>> parse, String due) {
    return sources
        .find(setting)
        .map(
            value ->
                parse
                    .apply(value.text())
                    .orElseThrow(
                        () ->
                            InvalidSetting.of(
                                "%s: \"%s\" is not %s", value.origin(), value.text(), due)));
  }

  private static Optional<Integer> port(String text) {
    return Optional.of(text)
        .filter(digits -> digits.matches("[0-9]{1,5}"))
        .map(Integer::valueOf)
        .filter(port -> port <= HIGHEST_PORT);
  }

  private static Optional<Size> size(String text) {
    return Size.parse(text).filter(size -> size.bytes() > 0);
  }

  private static Optional<Boolean> bool(String text) {
    return Optional.of(text)
        .filter(word -> word.equals("true") || word.equals("false"))
        .map(Boolean::valueOf);
  }

  private static Optional<DaemonSettings.LogLevel> logLevel(String text) {
    return Arrays.stream(DaemonSettings.LogLevel.values())
        .filter(level -> level.name().toLowerCase(java.util.Locale.ROOT).equals(text))
        .findFirst();
  }

  private static Optional<DaemonSettings.LogFormat> logFormat(String text) {
    return switch (text) {
      case "text" -> Optional.of(DaemonSettings.LogFormat.TEXT);
      case "json" -> Optional.of(DaemonSettings.LogFormat.JSON);
      default -> Optional.empty();
    };
  }
}
