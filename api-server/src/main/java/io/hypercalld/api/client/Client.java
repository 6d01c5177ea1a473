package io.hypercalld.api.client;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.hypercalld.api.json.Spelling;
import java.io.IOException;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** The program as a client of a running daemon. */
public final class Client {
  private static final Set<String> DAEMON = Set.of("serve", "conformance");
  private static final String DEFAULT_TIMEOUT = "30";
  private static final BigDecimal MILLIS = BigDecimal.valueOf(1000);

  private Client() {}

  /** The first words of its commands, in the order of documentation. */
  public static List<String> nouns() {
    return Verbs.nouns();
  }

  /** Whether a first word is for it: every one that is neither an option nor the daemon's own. */
  public static boolean answersTo(String word) {
    return !word.startsWith("-") && !DAEMON.contains(word);
  }

  /** Carries a command out. */
  public static Exit run(List<String> words, Map<String, String> environment, Terminal terminal) {
    try {
      if (!nouns().contains(words.getFirst())) {
        throw CommandFailure.of(
            Exit.USAGE,
            "unknown command %s%s",
            words.getFirst(),
            Spelling.hint(words.getFirst(), nouns()));
      }
      if (words.contains(Grammar.HELP)) {
        terminal.print(Grammar.usage(words));
        return Exit.OK;
      }
      return carryOut(Grammar.parse(words), environment, terminal);
    } catch (CommandFailure e) {
      if (words.getFirst().equals(Xl.NOUN)) {
        terminal.err().println(e.line());
      } else {
        terminal.say(e.line());
      }
      return e.exit();
    }
  }

  private static Exit carryOut(
      Grammar.Said spoken, Map<String, String> environment, Terminal terminal) {
    Grammar.Said completed = completed(spoken, environment, terminal);
    DaemonClient daemon = daemon(completed, environment, terminal);
    Grammar.Said said = DomainNames.resolved(completed, daemon);
    Conversation conversation =
        new Conversation(daemon, terminal, format(said), !said.has(Grammar.NO_HEADERS));
    return switch (said.verb().name()) {
      case "completion" -> Completion.print(said.values().getOrDefault("SHELL", ""), terminal);
      case "bundle" -> conversation.show(Bundle.collect(daemon), said.verb().view());
      case "events" ->
          said.has(Grammar.FOLLOW)
              ? EventStream.follow(conversation, Wording.of(said))
              : conversation.put(said);
      case Xl.NOUN -> Xl.run(conversation, said);
      case "ioreq serve" -> ServedModel.serve(conversation, said);
      case "sim journal", "sim export" -> conversation.pour(said);
      default -> conversation.put(said);
    };
  }

  /** With what the environment says and standard input holds. */
  private static Grammar.Said completed(
      Grammar.Said said, Map<String, String> environment, Terminal terminal) {
    Map<String, String> values = new HashMap<>(said.values());
    Optional.ofNullable(environment.get("HV_MACHINE"))
        .ifPresent(name -> values.putIfAbsent(Grammar.MACHINE, name));
    Optional.ofNullable(environment.get("HV_OUTPUT"))
        .ifPresent(name -> values.putIfAbsent(Grammar.OUTPUT, name));
    if ("-".equals(values.get(Grammar.BODY))) {
      try {
        values.put(Grammar.BODY, new String(terminal.in().readAllBytes(), UTF_8));
      } catch (IOException e) {
        throw CommandFailure.of(Exit.FAILED, "standard input cannot be read");
      }
    }
    return new Grammar.Said(said.verb(), values, said.pairs());
  }

  private static Format format(Grammar.Said said) {
    return Format.of(said.values().getOrDefault(Grammar.OUTPUT, "table"));
  }

  static DaemonClient daemon(
      Grammar.Said said, Map<String, String> environment, Terminal terminal) {
    Endpoint endpoint =
        Endpoint.of(Optional.ofNullable(said.values().get(Grammar.URL)), environment);
    String machine = said.values().get(Grammar.MACHINE);
    return new DaemonClient(
        endpoint,
        endpoint.base() + (machine == null ? "" : "/v1/machines/" + HttpCall.encode(machine)),
        Optional.ofNullable(environment.get("HV_TOKEN")).filter(token -> !token.isBlank()),
        timeout(said.values().getOrDefault(Grammar.TIMEOUT, DEFAULT_TIMEOUT)),
        said.has(Grammar.VERBOSE) ? terminal.err()::println : _ -> {});
  }

  private static Duration timeout(String seconds) {
    try {
      long millis = new BigDecimal(seconds).multiply(MILLIS).longValueExact();
      if (millis > 0 && millis <= Integer.MAX_VALUE) {
        return Duration.ofMillis(millis);
      }
    } catch (ArithmeticException | NumberFormatException e) {
      // Said below.
    }
    throw CommandFailure.of(
        Exit.USAGE, "%s: \"%s\" is not a number of seconds", Grammar.TIMEOUT, seconds);
  }
}
