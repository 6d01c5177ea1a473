package io.hypercalld.api.cli;

import io.hypercalld.api.json.Spelling;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

/**
 * What the command line asks for. Immutable.
 *
 * @param settings how to run, from all sources
 * @param usage the text of {@code --help}
 */
public record StartOptions(Action action, DaemonSettings settings, String usage) {
  private static final String CONFIG = "--config";
  private static final String CHECK = "--check-config";
  private static final String PRINT = "--print-config";
  private static final String HELP = "--help";
  private static final String VERSION = "--version";

  /** What to do. */
  public enum Action {
    SERVE,
    CHECK_CONFIG,
    PRINT_CONFIG,
    HELP,
    VERSION
  }

  /**
   * Understands a command line.
   *
   * @throws InvalidSetting where anything in it, in the environment or in the file is wrong
   */
  public static StartOptions parse(List<String> arguments, Map<String, String> environment) {
    CommandLine commandLine = new CommandLine(specification());
    ParseResult parsed = parse(commandLine, withoutVerb(arguments));
    Action action = action(parsed);
    Map<Setting, SettingValue> flags = flags(parsed);
    boolean informs = action == Action.HELP || action == Action.VERSION;
    List<Map<Setting, SettingValue>> layers =
        informs
            ? List.of()
            : List.of(
                flags,
                SettingSources.ofEnvironment(environment),
                file(parsed, environment).map(ConfigurationFile::read).orElse(Map.of()));
    DaemonSettings settings = new SettingsReader(new SettingSources(layers)).read();
    return new StartOptions(action, settings, commandLine.getUsageMessage());
  }

  private static List<String> withoutVerb(List<String> arguments) {
    boolean serve = !arguments.isEmpty() && arguments.getFirst().equals("serve");
    return serve ? arguments.subList(1, arguments.size()) : arguments;
  }

  /** The options as picocli understands them. */
  public static CommandSpec specification() {
    CommandSpec spec = CommandSpec.create().name("hypercalld");
    spec.usageMessage()
        .synopsisSubcommandLabel("")
        .description("A hypervisor's control plane you can curl.")
        .footer(
            "",
            "hypercalld " + ConformanceOptions.VERB + " FILE|DIR...",
            "  puts recorded hardware behaviour to the simulated one instead; see its --help");
    for (Setting setting : Setting.values()) {
      OptionSpec.Builder option =
          OptionSpec.builder(setting.flag()).description(setting.description());
      setting
          .parameter()
          .ifPresentOrElse(
              label -> option.paramLabel(label).type(String.class).arity("1"),
              () -> option.arity("0"));
      spec.addOption(option.build());
    }
    spec.addOption(
        OptionSpec.builder(CONFIG)
            .paramLabel("FILE.yaml")
            .type(String.class)
            .arity("1")
            .description("a file with settings: keys as above, without the dashes")
            .build());
    addSwitch(spec, CHECK, "check all settings and the machine's description, then exit");
    addSwitch(spec, PRINT, "print the settings in force, then exit");
    addSwitch(spec, HELP, "print this");
    addSwitch(spec, VERSION, "print the version");
    return spec;
  }

  private static void addSwitch(CommandSpec spec, String flag, String description) {
    spec.addOption(OptionSpec.builder(flag).arity("0").description(description).build());
  }

  private static ParseResult parse(CommandLine commandLine, List<String> arguments) {
    try {
      return commandLine.parseArgs(arguments.toArray(String[]::new));
    } catch (UnmatchedArgumentException e) {
      String word = e.getUnmatched().getFirst().split("=", 2)[0];
      throw InvalidSetting.of(
          "unknown option %s%s",
          word, Spelling.hint(word, commandLine.getCommandSpec().optionsMap().keySet()));
    } catch (ParameterException e) {
      // Picocli's sentences name the option and are written for people.
      throw InvalidSetting.of("%s", String.valueOf(e.getMessage()).lines().findFirst().orElse(""));
    }
  }

  private static Action action(ParseResult parsed) {
    if (parsed.hasMatchedOption(HELP)) {
      return Action.HELP;
    }
    if (parsed.hasMatchedOption(VERSION)) {
      return Action.VERSION;
    }
    if (parsed.hasMatchedOption(PRINT)) {
      return Action.PRINT_CONFIG;
    }
    return parsed.hasMatchedOption(CHECK) ? Action.CHECK_CONFIG : Action.SERVE;
  }

  private static Map<Setting, SettingValue> flags(ParseResult parsed) {
    Map<Setting, SettingValue> flags = new EnumMap<>(Setting.class);
    for (Setting setting : Setting.values()) {
      if (parsed.hasMatchedOption(setting.flag())) {
        String text =
            setting.parameter().isPresent()
                ? parsed.matchedOptionValue(setting.flag(), "")
                : "true";
        flags.put(setting, new SettingValue(text, setting.flag()));
      }
    }
    return flags;
  }

  private static Optional<Path> file(ParseResult parsed, Map<String, String> environment) {
    return parsed.hasMatchedOption(CONFIG)
        ? Optional.of(Path.of(parsed.matchedOptionValue(CONFIG, "")))
        : Optional.ofNullable(environment.get(SettingSources.FILE_VARIABLE)).map(Path::of);
  }
}
