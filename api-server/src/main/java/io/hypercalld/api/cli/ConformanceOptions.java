package io.hypercalld.api.cli;

import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;

/** What a command line asks for that begins with {@code conformance}. Immutable. */
public sealed interface ConformanceOptions {
  /** The word that the command line begins with. */
  String VERB = "conformance";

  /**
   * Put these recordings to the silicon.
   *
   * @param recordings at least one
   * @param verbose whether to print every difference that is let pass, too
   * @param guest whether captures are put to a guest's virtual unit instead
   */
  record Run(List<Path> recordings, boolean verbose, boolean guest) implements ConformanceOptions {}

  /** Print how it is used. */
  record Help(String usage) implements ConformanceOptions {}

  /**
   * Understands a command line.
   *
   * @param arguments the verb and what follows it
   * @throws InvalidSetting where an option is unknown or no recording is named
   */
  static ConformanceOptions parse(List<String> arguments) {
    CommandLine commandLine = new CommandLine(specification());
    List<String> rest = arguments.subList(1, arguments.size());
    if (rest.contains("--help")) {
      return new Help(commandLine.getUsageMessage());
    }
    try {
      ParseResult parsed = commandLine.parseArgs(rest.toArray(String[]::new));
      return new Run(
          parsed.matchedPositional(0).<List<String>>getValue().stream().map(Path::of).toList(),
          parsed.hasMatchedOption("--verbose"),
          parsed.hasMatchedOption("--guest"));
    } catch (ParameterException e) {
      throw InvalidSetting.of("%s", String.valueOf(e.getMessage()).lines().findFirst().orElse(""));
    }
  }

  private static CommandSpec specification() {
    CommandSpec spec = CommandSpec.create().name("hypercalld " + VERB);
    spec.usageMessage()
        .description(
            "Puts recorded behaviour of remapping hardware to this silicon and prints what differs;"
                + " the last line counts. Exits with 1 where something differs, with 2 where a"
                + " recording cannot be read.");
    spec.addOption(OptionSpec.builder("--help").arity("0").description("print this").build());
    spec.addOption(
        OptionSpec.builder("--verbose")
            .arity("0")
            .description("print every difference that is let pass, with its place")
            .build());
    spec.addOption(
        OptionSpec.builder("--guest")
            .arity("0")
            .description(
                "put captures to a guest's virtual unit, its devices going through shadows;"
                    + " corpus files are left out")
            .build());
    spec.addPositional(
        PositionalParamSpec.builder()
            .paramLabel("FILE|DIR")
            .index("0..*")
            .arity("1..*")
            .required(true)
            .type(List.class)
            .auxiliaryTypes(String.class)
            .description(
                "corpus files, captures of drivers, or directories of either; plain or gzip")
            .build());
    return spec;
  }
}
