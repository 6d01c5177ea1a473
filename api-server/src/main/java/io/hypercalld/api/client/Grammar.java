package io.hypercalld.api.client;

import io.hypercalld.api.json.Spelling;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

/** Verbs as picocli understands them. Never instantiated. */
final class Grammar {
  static final String HELP = "--help";
  static final String OUTPUT = "--output";
  static final String NO_HEADERS = "--no-headers";
  static final String DRY_RUN = "--dry-run";
  static final String IF_MATCH = "--if-match";
  static final String TIMEOUT = "--timeout";
  static final String VERBOSE = "--verbose";
  static final String URL = "--url";
  static final String MACHINE = "--machine";
  static final String BODY = "--body";
  static final String FOLLOW = "--follow";

  private Grammar() {}

  /**
   * What a command line says.
   *
   * @param values by argument, as {@code SBDF}, and by option, as {@code --type}
   * @param pairs members and their values
   */
  record Said(Verb verb, Map<String, String> values, List<String> pairs) {
    boolean has(String option) {
      return values.containsKey(option);
    }
  }

  /** A noun with all that can be asked of it. */
  static CommandSpec noun(String noun) {
    List<Verb> verbs = Verbs.of(noun);
    if (verbs.getFirst().word().isEmpty()) {
      return specification(verbs.getFirst());
    }
    CommandSpec spec = CommandSpec.create().name(noun);
    spec.usageMessage().synopsisSubcommandLabel("COMMAND");
    spec.addOption(flag(HELP, "print this").build());
    for (Verb verb : verbs) {
      CommandSpec known = specification(verb);
      if (verb.word().equals(Verbs.SHOW)) {
        known.aliases(Verbs.GET);
      }
      spec.addSubcommand(verb.word(), known);
    }
    return spec;
  }

  private static CommandSpec specification(Verb verb) {
    CommandSpec spec = CommandSpec.create().name(verb.name());
    spec.usageMessage().description(verb.description()).abbreviateSynopsis(true);
    int count = verb.arguments().size();
    for (int i = 0; i < count; i++) {
      spec.addPositional(
          PositionalParamSpec.builder()
              .index(Integer.toString(i))
              .paramLabel(verb.arguments().get(i))
              .required(!verb.fallbacks().containsKey(verb.arguments().get(i)))
              .type(String.class)
              .build());
    }
    if (verb.pairs()) {
      spec.addPositional(
          PositionalParamSpec.builder()
              .index(count + "..*")
              .paramLabel("MEMBER=VALUE")
              .type(List.class)
              .auxiliaryTypes(String.class)
              .build());
      spec.addOption(valued(BODY, "JSON", "the whole body; - reads it from standard input"));
    }
    for (Verb.Field field : verb.options()) {
      spec.addOption(valued(field.option(), "VALUE", "the member " + field.member()));
    }
    addCommon(spec, verb);
    return spec;
  }

  private static void addCommon(CommandSpec spec, Verb verb) {
    spec.addOption(valued(TIMEOUT, "SECONDS", "give up after; 30 unless told"));
    spec.addOption(valued(URL, "URL", "http://.. or unix:///..; HV_URL unless told"));
    spec.addOption(valued(MACHINE, "NAME", "one machine of several; HV_MACHINE unless told"));
    spec.addOption(flag(HELP, "print this").build());
    if (!verb.name().equals(Xl.NOUN)) {
      addPrinting(spec, verb);
    }
  }

  private static void addPrinting(CommandSpec spec, Verb verb) {
    spec.addOption(
        OptionSpec.builder("-o", OUTPUT)
            .paramLabel("table|json|yaml|name")
            .type(String.class)
            .arity("1")
            .completionCandidates(List.of("table", "json", "yaml", "name"))
            .description("how to print the answer")
            .build());
    spec.addOption(flag(NO_HEADERS, "print tables without their first line").build());
    if (verb.changes()) {
      spec.addOption(flag(DRY_RUN, "say what would change, and change nothing").build());
      spec.addOption(valued(IF_MATCH, "ETAG", "only if it is still what you have seen"));
    }
    if (verb.name().equals("events")) {
      spec.addOption(flag(FOLLOW, "go on with what happens from now on").build());
    }
    spec.addOption(flag(VERBOSE, "print the equivalent curl").names(VERBOSE, "-v").build());
  }

  private static OptionSpec valued(String name, String label, String description) {
    return OptionSpec.builder(name)
        .paramLabel(label)
        .type(String.class)
        .arity("1")
        .description(description)
        .build();
  }

  private static OptionSpec.Builder flag(String name, String description) {
    return OptionSpec.builder(name).arity("0").description(description);
  }

  /**
   * Understands a command line that begins with a noun.
   *
   * @throws CommandFailure USAGE
   */
  static Said parse(List<String> words) {
    Verb verb = Verbs.find(words);
    CommandLine commandLine = new CommandLine(specification(verb));
    // Xl's options are its own.
    commandLine.setUnmatchedOptionsArePositionalParams(verb.name().equals(Xl.NOUN));
    int spoken = verb.word().isEmpty() ? 1 : 2;
    try {
      ParseResult parsed =
          commandLine.parseArgs(words.subList(spoken, words.size()).toArray(String[]::new));
      return said(verb, parsed);
    } catch (UnmatchedArgumentException e) {
      String word = e.getUnmatched().getFirst();
      throw CommandFailure.of(
          Exit.USAGE,
          "%s: what is %s?%s",
          verb.name(),
          word,
          Spelling.hint(word, commandLine.getCommandSpec().optionsMap().keySet()));
    } catch (ParameterException e) {
      // Picocli's sentences name the option and are written for people.
      throw CommandFailure.of(
          Exit.USAGE,
          "%s: %s",
          verb.name(),
          String.valueOf(e.getMessage()).lines().findFirst().orElse(""));
    }
  }

  private static Said said(Verb verb, ParseResult parsed) {
    Map<String, String> values = new LinkedHashMap<>(verb.fallbacks());
    for (OptionSpec option : parsed.matchedOptions()) {
      values.put(option.longestName(), option.arity().max() == 0 ? "" : option.getValue());
    }
    List<String> words =
        parsed.matchedPositionals().stream()
            .flatMap(positional -> positional.stringValues().stream())
            .toList();
    int named = Math.min(verb.arguments().size(), words.size());
    for (int i = 0; i < named; i++) {
      values.put(verb.arguments().get(i), words.get(i));
    }
    return new Said(verb, values, words.subList(named, words.size()));
  }

  /** How a noun is used. */
  static String usage(List<String> words) {
    boolean alone = words.size() < 2 || words.get(1).startsWith("-");
    CommandSpec spec = alone ? noun(words.getFirst()) : specification(Verbs.find(words));
    return new CommandLine(spec.name("hypercalld " + spec.name())).getUsageMessage();
  }
}
