package io.hypercalld.api.client;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Asks a daemon and prints what it answers. Confined to the command's thread.
 *
 * @param headings whether tables name their columns
 */
record Conversation(DaemonClient daemon, Terminal terminal, Format format, boolean headings) {
  private static final String NEXT = "nextCursor";

  /** Puts what a command line says. */
  Exit put(Grammar.Said said) {
    boolean dryRun = said.has(Grammar.DRY_RUN);
    HttpCall call = Wording.of(said);
    DaemonClient.Reply reply = daemon.ask(call);
    if (reply.status() >= 400) {
      return refused(reply, dryRun);
    }
    if (!reply.mediaType().equals("application/json")) {
      terminal.print(reply.text());
      return Exit.OK;
    }
    Object answer = whole(call, tree(reply));
    return show(answer, dryRun ? View.DRY_RUN : said.verb().view());
  }

  /** Hands on what is no JSON, while it comes. */
  Exit pour(Grammar.Said said) {
    daemon.stream(
        Wording.of(said),
        (answer, bytes) -> {
          if (answer.status() >= 400) {
            throw CommandFailure.of(
                Exit.ofStatus(answer.status(), false),
                "%s",
                complaint(answer.status(), answer.text()));
          }
          bytes.transferTo(terminal.out());
          terminal.out().flush();
        });
    return Exit.OK;
  }

  /** Prints an answer; one that names violations is a failure. */
  Exit show(@Nullable Object answer, View view) {
    terminal.print(format.print(answer, view, headings));
    return Tree.listAt(answer, "violations").isEmpty() ? Exit.OK : Exit.FAILED;
  }

  /** A list with its other pages. */
  private @Nullable Object whole(HttpCall call, @Nullable Object first) {
    if (!(first instanceof Map<?, ?> members) || Tree.textAt(first, NEXT).isEmpty()) {
      return first;
    }
    List<Object> items = new ArrayList<>(Tree.listAt(first, "items"));
    Optional<String> cursor = Tree.textAt(first, NEXT);
    while (cursor.isPresent()) {
      Object page = demand(call.asking("cursor", cursor.get()));
      items.addAll(Tree.listAt(page, "items"));
      cursor = Tree.textAt(page, NEXT);
    }
    Map<String, @Nullable Object> all = new LinkedHashMap<>();
    members.forEach((name, value) -> all.put(name.toString(), value));
    all.put("items", items);
    all.put(NEXT, null);
    return all;
  }

  /**
   * What a request is answered, which must be a success.
   *
   * @throws CommandFailure what the daemon says otherwise
   */
  @Nullable Object demand(HttpCall call) {
    DaemonClient.Reply reply = daemon.ask(call);
    if (reply.status() >= 400) {
      throw CommandFailure.of(
          Exit.ofStatus(reply.status(), false), "%s", complaint(reply.status(), reply.text()));
    }
    return reply.text().isEmpty() ? null : tree(reply);
  }

  private static @Nullable Object tree(DaemonClient.Reply reply) {
    try {
      return Tree.parse(reply.text());
    } catch (IOException e) {
      throw CommandFailure.of(Exit.FAILED, "the answer is no JSON");
    }
  }

  private Exit refused(DaemonClient.Reply reply, boolean dryRun) {
    terminal.say(complaint(reply.status(), reply.text()));
    return Exit.ofStatus(reply.status(), dryRun);
  }

  /**
   * A problem in a line: {@code EBUSY: 0000:03:10.0 is assigned to domain 2 (deassign it first)}.
   */
  static String complaint(int status, String body) {
    Object problem = Tree.word(body);
    String detail = Tree.textAt(problem, "detail").orElse("the daemon answers " + status);
    String errno = Tree.textAt(problem, "errno").map(name -> name + ": ").orElse("");
    String place =
        Tree.textAt(problem, "pointer")
            .filter(pointer -> !pointer.isEmpty())
            .map(pointer -> " at " + pointer)
            .orElse("");
    String hint = Tree.textAt(problem, "hint").map(text -> " (" + text + ")").orElse("");
    return errno + detail + place + hint;
  }
}
