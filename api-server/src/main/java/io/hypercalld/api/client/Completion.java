package io.hypercalld.api.client;

import io.hypercalld.api.cli.StartOptions;
import java.util.List;
import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;

/** What a shell needs to complete command lines. Never instantiated. */
final class Completion {
  private static final List<String> SHELLS = List.of("bash", "zsh");

  private Completion() {}

  /**
   * Prints a script that both shells understand.
   *
   * @throws CommandFailure USAGE for any other shell
   */
  static Exit print(String shell, Terminal terminal) {
    if (!SHELLS.contains(shell)) {
      throw CommandFailure.of(Exit.USAGE, "completion: \"%s\" is not bash or zsh", shell);
    }
    CommandSpec root = StartOptions.specification();
    Verbs.nouns().forEach(noun -> root.addSubcommand(noun, Grammar.noun(noun)));
    terminal.print(AutoComplete.bash("hypercalld", new CommandLine(root)));
    return Exit.OK;
  }
}
