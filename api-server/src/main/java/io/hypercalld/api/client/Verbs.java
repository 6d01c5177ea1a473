package io.hypercalld.api.client;

import io.hypercalld.api.json.Spelling;
import java.util.List;
import java.util.stream.Stream;

/** All that the command line can ask a daemon. Immutable. */
final class Verbs {
  static final List<Verb> ALL =
      Stream.of(
              HypervisorVerbs.all(),
              KernelVerbs.all(),
              DeviceModelVerbs.all(),
              SimulationVerbs.all())
          .flatMap(List::stream)
          .toList();

  static final String SHOW = "show";

  /** What others say for it. */
  static final String GET = "get";

  private Verbs() {}

  /** The first words, in the order of documentation. */
  static List<String> nouns() {
    return ALL.stream().map(Verb::noun).distinct().toList();
  }

  /** What begins with a noun. */
  static List<Verb> of(String noun) {
    return ALL.stream().filter(verb -> verb.noun().equals(noun)).toList();
  }

  /**
   * The verb that words begin with.
   *
   * @throws CommandFailure USAGE
   */
  static Verb find(List<String> words) {
    List<Verb> candidates = of(words.getFirst());
    String given = words.size() > 1 ? words.get(1) : "";
    String second = given.equals(GET) ? SHOW : given;
    return candidates.stream()
        .filter(verb -> verb.word().isEmpty() || verb.word().equals(second))
        .findFirst()
        .orElseThrow(
            () ->
                CommandFailure.of(
                    Exit.USAGE,
                    "%s: %s is not one of %s%s",
                    words.getFirst(),
                    second.isEmpty() ? "nothing" : "\"" + second + "\"",
                    String.join("|", candidates.stream().map(Verb::word).toList()),
                    Spelling.hint(second, candidates.stream().map(Verb::word).toList())));
  }
}
