package io.hypercalld.api.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.hypercalld.api.json.Size;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class StartOptionsTest {
  @TempDir Path directory;

  private static DaemonSettings parse(String... arguments) {
    return StartOptions.parse(List.of(arguments), Map.of()).settings();
  }

  private Path file(String text) throws IOException {
    return Files.writeString(directory.resolve("hv.yaml"), text);
  }

  @Test
  void nothing_given_isTheDefaultMachineOnLoopback() {
    DaemonSettings settings = parse();

    assertThat(settings.listen())
        .isEqualTo(new DaemonSettings.Listen("127.0.0.1", 7780, Optional.empty()));
    assertThat(settings.platform()).contains("two-socket");
    assertThat(settings.simApi()).isTrue();
  }

  @Test
  void serve_asAVerb_isTheSame() {
    assertThat(parse("serve", "--port", "1")).isEqualTo(parse("--port=1"));
  }

  @Test
  void flag_overEnvironmentOverFile_wins() throws IOException {
    Path file = file("port: 1\nmemory: 16GiB\nno-sim-api: true\n");
    Map<String, String> environment = Map.of("HV_PORT", "2", "HV_MEMORY", "8GiB");

    DaemonSettings settings =
        StartOptions.parse(List.of("--port", "3", "--config", file.toString()), environment)
            .settings();

    assertThat(settings.listen().port()).isEqualTo(3);
    assertThat(settings.memory()).contains(new Size(8L << 30));
    assertThat(settings.simApi()).isFalse();
  }

  @Test
  void file_namedByTheEnvironment_isRead() throws IOException {
    Path file = file("port: 5\n");

    assertThat(
            StartOptions.parse(List.of(), Map.of("HV_CONFIG", file.toString()))
                .settings()
                .listen()
                .port())
        .isEqualTo(5);
  }

  @Test
  void printedSettings_readAgain_areTheSame() throws IOException {
    DaemonSettings settings =
        parse(
            "--port",
            "9",
            "--memory",
            "64GiB",
            "--no-sim-api",
            "--log-format",
            "json",
            "--domain-ids",
            "global",
            "--quarantine",
            "scratch-page",
            "--profile",
            "as-shipped");

    Path file = file(settings.toYaml());

    assertThat(parse("--config", file.toString())).isEqualTo(settings);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--prot 1|unknown option --prot, did you mean --port?",
        "--port x|--port: \"x\" is not a port from 0 to 65535",
        "--port 65536|--port: \"65536\" is not a port from 0 to 65535",
        "--memory 3GB|--memory: \"3GB\" is not a size such as 64GiB",
        "--memory 0|--memory: \"0\" is not a size such as 64GiB",
        "--domain-ids local|--domain-ids: \"local\" is not one of per-unit|global|verbatim",
        "--log-format xml|--log-format: \"xml\" is not text or json",
        "--host 0.0.0.0|--host: 0.0.0.0 is not a loopback address, which needs --token-file",
        "--lspci l|--lspci alone does not describe a machine, --dmar is missing",
        "--platform a --dmar b|--platform and --dmar both describe the machine, choose one",
        "start|unknown option start"
      })
  void commandLine_wrong_isOneLineThatSaysWhat(String line, String complaint) {
    assertThatThrownBy(() -> parse(line.split(" ")))
        .isInstanceOf(InvalidSetting.class)
        .hasMessageContaining(complaint);
  }

  @Test
  void commandLine_withoutAValue_isRefused() {
    assertThatThrownBy(() -> parse("--port"))
        .isInstanceOf(InvalidSetting.class)
        .hasMessageContaining("--port");
  }

  @Test
  void environment_unknownVariable_isNamedWithTheNearest() {
    assertThatThrownBy(() -> StartOptions.parse(List.of(), Map.of("HV_PROT", "1")))
        .isInstanceOf(InvalidSetting.class)
        .hasMessage("unknown environment variable HV_PROT, did you mean HV_PORT?");
  }

  @Test
  void environment_ofOthers_isLeftAlone() {
    assertThat(
            StartOptions.parse(List.of(), Map.of("HV_URL", "http://x", "PATH", "/bin")).settings())
        .isEqualTo(parse());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "prot: 1|unknown key prot, did you mean port?",
        "port: [1]|port is not one value",
        "port: x|port: \"x\" is not a port",
        "- 1|settings are due",
        "'port: 1\nport: 2'|is not YAML",
        "'a: b: c'|is not YAML"
      })
  void file_wrong_isOneLineThatSaysWhere(String text, String complaint) throws IOException {
    Path file = file(text);

    assertThatThrownBy(() -> parse("--config", file.toString()))
        .isInstanceOf(InvalidSetting.class)
        .hasMessageContaining(file.toString())
        .hasMessageContaining(complaint);
  }

  @Test
  void help_withNonsenseAround_isHelpAllTheSame() {
    StartOptions options = StartOptions.parse(List.of("--help"), Map.of("HV_PORT", "x"));

    assertThat(options.action()).isEqualTo(StartOptions.Action.HELP);
    assertThat(options.usage()).contains("--token-file", "--print-config");
  }
}
