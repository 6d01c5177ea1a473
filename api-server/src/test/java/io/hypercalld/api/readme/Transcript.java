package io.hypercalld.api.readme;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The commands that a Markdown text shows, with their outputs, in order. Immutable. */
record Transcript(List<Step> steps, List<String> setUp) {
  private static final Pattern BLOCK = Pattern.compile("(?ms)^```(\\w*)\\n(.*?)^```$");
  private static final Pattern FLEETING =
      Pattern.compile("\"(pid|startupMs|requestId)\":\"?[\\w-]+");
  private static final String PROMPT = "$ ";

  /** A command and what a terminal shows below it, every line with its end. */
  record Step(String command, String output) {
    /** Whether it starts the daemon, which then is left running. */
    boolean startsDaemon() {
      return command.startsWith("./hypercalld") && output.startsWith("{\"event\":\"ready\"");
    }

    /** Whether this is what the command should print, but for what differs from run to run. */
    boolean shows(String actual) {
      String expected = steady(output).lines().map(Step::pattern).collect(Collectors.joining());
      String shown = actual.isBlank() ? "" : actual.stripTrailing() + "\n";
      return steady(shown).matches(expected);
    }

    private static String pattern(String line) {
      return line.equals("...")
          ? "(?:.*\\n)*"
          : Arrays.stream(line.split("\\.\\.\\.", -1))
              .map(Pattern::quote)
              .collect(Collectors.joining(".*", "", "\\n"));
    }

    private static String steady(String text) {
      return FLEETING.matcher(text).replaceAll("\"$1\":0");
    }
  }

  /** The steps of the {@code console} blocks, and the lines of the {@code sh} blocks. */
  static Transcript of(String markdown) {
    return new Transcript(
        blocks(markdown, "console").flatMap(block -> steps(block).stream()).toList(),
        blocks(markdown, "sh").flatMap(String::lines).toList());
  }

  private static Stream<String> blocks(String markdown, String language) {
    return BLOCK
        .matcher(markdown)
        .results()
        .filter(block -> block.group(1).equals(language))
        .map((MatchResult block) -> block.group(2));
  }

  private static List<Step> steps(String block) {
    List<Step> steps = new ArrayList<>();
    for (Iterator<String> lines = block.lines().iterator(); lines.hasNext(); ) {
      String line = lines.next();
      if (line.startsWith(PROMPT)) {
        steps.add(new Step(command(line, lines), ""));
      } else {
        Step last = steps.removeLast();
        steps.add(new Step(last.command(), last.output() + line + "\n"));
      }
    }
    return steps;
  }

  /** A command goes on after a backslash at the end of its line. */
  private static String command(String first, Iterator<String> lines) {
    StringBuilder command = new StringBuilder(first.substring(PROMPT.length()));
    while (command.toString().endsWith("\\")) {
      command.append('\n').append(lines.next());
    }
    return command.toString();
  }
}
