package io.hypercalld.api.client;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Domains that are said by name where the daemon takes their ids. Never instantiated. */
final class DomainNames {
  private static final List<String> MEMBERS = List.of("domain", "domid");

  private DomainNames() {}

  /**
   * The same with ids.
   *
   * @throws CommandFailure NOT_FOUND where a name is nobody's
   */
  static Grammar.Said resolved(Grammar.Said said, DaemonClient daemon) {
    Map<String, String> values = new LinkedHashMap<>(said.values());
    for (Verb.Field field : said.verb().fields()) {
      if (field.kind() == Verb.Kind.DOMID) {
        values.computeIfPresent(
            field.source().orElse(field.option()), (_, name) -> id(name, daemon));
      }
    }
    List<String> pairs = said.pairs().stream().map(pair -> resolved(pair, daemon)).toList();
    return new Grammar.Said(said.verb(), values, pairs);
  }

  private static String resolved(String pair, DaemonClient daemon) {
    String[] sides = pair.split("=", 2);
    return sides.length > 1 && MEMBERS.contains(sides[0])
        ? sides[0] + "=" + id(sides[1], daemon)
        : pair;
  }

  private static String id(String name, DaemonClient daemon) {
    if (name.isEmpty() || Character.isDigit(name.charAt(0))) {
      return name;
    }
    HttpCall call =
        new HttpCall(
            "GET",
            "/v1/domains/" + HttpCall.encode(name),
            Map.of("Accept", "application/json"),
            Optional.empty());
    DaemonClient.Reply reply = daemon.ask(call);
    if (reply.status() >= 400) {
      throw CommandFailure.of(
          Exit.ofStatus(reply.status(), false),
          "%s",
          Conversation.complaint(reply.status(), reply.text()));
    }
    return Tables.cell(Tree.at(Tree.word(reply.text()), "domid"));
  }
}
